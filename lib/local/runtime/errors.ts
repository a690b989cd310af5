import type { Answer } from '../../serving';
import type { LocalContext } from '../context';
import { ServiceError } from '../server';
import type { RunningVariant } from './running-variant';

/** SageMaker Runtime's name for a request that it refuses. */
export function validationError(message: string): ServiceError {
  return new ServiceError('ValidationError', message, 400);
}

/** What stands behind a {@link modelError}: for the message and the place of the logs. */
export interface Whose {
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
}

export function whose({ account, region }: LocalContext, { traits }: RunningVariant): Whose {
  return { endpoint: traits.endpoint, account, region };
}

/** The model gave no answer within its time. SageMaker reports it with an original status of 0. */
export function modelTimeout(owner: Whose): ServiceError {
  const message =
    'Your invocation timed out while waiting for a response from container primary. Review the latency metrics for each container in Amazon CloudWatch, ' +
    'resolve the issue, and try again.';
  return modelError(owner, 0, message);
}

/** The model answered with a 4xx or 5xx of its own. */
export function modelErrorOf(owner: Whose, answer: Answer): ServiceError {
  return modelError(owner, answer.status, answer.body.toString('utf8'));
}

/** @param status the model's; 0 where it gave none */
export function modelError({ endpoint, account, region }: Whose, status: number, original: string): ServiceError {
  const party = status >= 400 && status < 500 ? 'client' : 'server';
  const group = `/aws/sagemaker/Endpoints/${endpoint}`;
  const logs = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#logEventViewer:group=${group} in account ${account}`;
  const message = `Received ${party} error (${status}) from primary with message "${original}". See ${logs} for more information.`;
  return new ServiceError('ModelError', message, 424, {
    ErrorCode: party === 'client' ? 'CLIENT_ERROR_FROM_MODEL' : 'INTERNAL_FAILURE_FROM_MODEL',
    OriginalStatusCode: status,
    OriginalMessage: original.slice(0, 2048),
    LogStreamArn: `arn:aws:logs:${region}:${account}:log-group:${group}`,
  });
}
