import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { type ApprovalEvent, requestedBy } from './approval-event';
import { stageOf } from './functions/stage';
import { awsPorts } from './ports';
import type { Outcome, PromotionRequest } from './request';
import { promotion } from './workflow';

const promote = promotion(awsPorts());

/**
 * The Lambda function of a stage: a durable execution a promotion, started by an approval in the registry, or by a request as it is.
 *
 * @returns null for an event that approves nothing
 */
export const handler = withDurableExecution(
  async (event: ApprovalEvent | PromotionRequest, context: DurableContext): Promise<Outcome | null> => {
    const request = 'detail' in event ? requestedBy(event, stageOf(process.env)) : event;
    return request === undefined ? null : promote(request, context);
  },
);
