import { setTimeout as pause } from 'node:timers/promises';
import { saying } from './aws-errors';
import { type GuardrailPlan, type Judgement, judgeDeployment } from './guardrail-judge';
import { isPublished, publish } from './guardrail-metric';
import type { Ports } from './ports';

/** What CloudFormation asks of a custom resource. */
export interface ResourceRequest {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
}

/** Looks at a new metric until CloudWatch shows it: how often, and how many seconds between. */
const LOOKS = 20;
const LOOK_EVERY = 2;

/** The Lambda function of a judged rollout: by the clock it judges, by CloudFormation it says that all is well before the alarm is made. */
export function guardrailFunction(ports: Pick<Ports, 'sagemaker' | 'cloudwatch' | 'now'>, plan: GuardrailPlan) {
  return async (event: Partial<ResourceRequest> = {}): Promise<Judgement | undefined> => {
    if (event.ResponseURL === undefined) return judge(ports, plan);
    await answer(event as ResourceRequest, async () => {
      if (event.RequestType === 'Delete') return;
      await publish(ports, plan.endpointName, 0);
      for (let look = 0; look < LOOKS && !(await isPublished(ports, plan.endpointName)); look++) await pause(LOOK_EVERY * 1000);
    });
    return undefined;
  };
}

/** @throws where it could not look or publish: then nothing is published, and silence is an alarm */
async function judge(ports: Pick<Ports, 'sagemaker' | 'cloudwatch' | 'now'>, plan: GuardrailPlan): Promise<Judgement> {
  const judgement = await judgeDeployment(ports, plan);
  await publish(ports, plan.endpointName, judgement.value);
  const { verdict, ...brief } = judgement;
  // What decides is kept whole: the verdict can be computed again from its counts.
  if (verdict)
    console.log(JSON.stringify({ endpoint: plan.endpointName, ...brief, ...((brief.isFinal || brief.value >= 1) && { verdict }) }));
  return judgement;
}

async function answer(request: ResourceRequest, work: () => Promise<void>): Promise<void> {
  const reason = await work().then(() => '', saying);
  const body = JSON.stringify({
    Status: reason === '' ? 'SUCCESS' : 'FAILED',
    Reason: reason,
    PhysicalResourceId: request.PhysicalResourceId ?? request.LogicalResourceId,
    StackId: request.StackId,
    RequestId: request.RequestId,
    LogicalResourceId: request.LogicalResourceId,
  });
  // The URL is signed without a content type.
  const response = await fetch(request.ResponseURL, { method: 'PUT', body, headers: { 'content-type': '' } });
  if (!response.ok) throw new Error(`cloudformation did not take the answer: ${response.status}`);
}
