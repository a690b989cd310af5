import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { guardrailFunction } from './guardrail-function';

const retries = { maxAttempts: 5 };
const ports = { sagemaker: new SageMakerClient(retries), cloudwatch: new CloudWatchClient(retries), now: Date.now };

/** The Lambda function of a judged rollout; its plan is in its environment. */
export const handler = guardrailFunction(ports, JSON.parse(process.env.PLAN!));
