import { withDurableExecution } from '@aws/durable-execution-sdk-js';
import { awsPorts } from './ports';
import { promotion } from './workflow';

/** The Lambda function of a stage: a durable execution a promotion. */
export const handler = withDurableExecution(promotion(awsPorts()));
