import { setTimeout as pause } from 'node:timers/promises';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { ROLLOUT_VARIABLE } from '../evidence-metric';
import { type GuardrailPlan, type Judgement, judgeDeployment } from '../guardrail-judge';
import { isPublished, publish } from '../guardrail-metric';
import type { Ports } from '../ports';
import { answering, type CustomResourceEvent } from './custom-resource';

type Watched = Pick<Ports, 'sagemaker' | 'cloudwatch' | 'now'>;

/** Looks at a new metric until CloudWatch shows it: how often, and how many seconds between. */
const LOOKS = 20;
const LOOK_EVERY = 2;

/**
 * Judges, publishes, and writes down.
 *
 * @throws where it could not look or publish: then nothing is published, and silence is an alarm
 */
export async function judgeNow(ports: Watched, plan: GuardrailPlan): Promise<Judgement> {
  const judgement = await judgeDeployment(ports, plan);
  await publish(ports, plan.endpointName, judgement.value);
  const { verdict, ...brief } = judgement;
  // What decides is kept whole: the verdict can be computed again from its counts.
  if (verdict)
    console.log(JSON.stringify({ endpoint: plan.endpointName, ...brief, ...((brief.isFinal || brief.value >= 1) && { verdict }) }));
  return judgement;
}

/**
 * Says that all is well before the alarm is made: one that was never fed would stop the deployment that brings it in.
 *
 * @returns what CloudFormation is to call it
 */
export async function firstWord(ports: Watched, { endpointName }: GuardrailPlan): Promise<string> {
  await publish(ports, endpointName, 0);
  for (let look = 0; look < LOOKS && !(await isPublished(ports, endpointName)); look++) await pause(LOOK_EVERY * 1000);
  return `${endpointName}-first-word`;
}

const retries = { maxAttempts: 5 };
const ports: Watched = { sagemaker: new SageMakerClient(retries), cloudwatch: new CloudWatchClient(retries), now: Date.now };

/** The Lambda function of a judged rollout: called by the clock, and by CloudFormation for `Custom::FledgeFirstWord`. */
export async function handler(event: Partial<CustomResourceEvent<unknown>>): Promise<void> {
  const plan = JSON.parse(process.env[ROLLOUT_VARIABLE]!) as GuardrailPlan;
  if (event.ResponseURL === undefined) await judgeNow(ports, plan);
  else {
    const asked = event as CustomResourceEvent<unknown>;
    await answering(asked, async () => (asked.RequestType === 'Delete' ? asked.PhysicalResourceId! : firstWord(ports, plan)));
  }
}
