import { readFileSync } from 'node:fs';
import { DescribeEndpointCommand } from '@aws-sdk/client-sagemaker';
import type { LocalSageMaker } from '../../local';
import {
  ANSWERS_METRIC,
  awsPorts,
  checkRequest,
  type Outcome,
  type PromotionRequest,
  requestedBy,
  STANDARD_METRICS,
  type StagePlan,
} from '../../promotion';
import { UserError } from '../exit-codes';
import { LocalStage, STAGE_BUCKET } from '../local-stage';
import { DurableRunner } from '../rehearsal/run-durable';
import { promotionsOf } from './promotions';
import { openStage } from './stage';

/** A stage on a SageMaker on this machine. */
export interface HostOptions {
  readonly endpoint: string;
  /** Model directory that goes live where the endpoint is not there yet. */
  readonly live: string | undefined;
  readonly plan: StagePlan;
  readonly onBegin: (request: PromotionRequest) => void;
  readonly onEnd: (request: PromotionRequest, outcome: Outcome | Error) => void;
}

/** Minutes on AWS are seconds. */
const LOCAL_PLAN: StagePlan = {
  steps: [
    { kind: 'shadow', bakeSeconds: 5 },
    { kind: 'percent', percent: 5, bakeSeconds: 5 },
    { kind: 'percent', percent: 25, bakeSeconds: 5 },
    { kind: 'percent', percent: 50, bakeSeconds: 5 },
  ],
  metrics: STANDARD_METRICS,
  binSeconds: 1,
  // Bursts here last as long as a bin.
  settings: { blockSeconds: 1 },
  tickSeconds: 1,
  settleSeconds: 1,
  baselineSeconds: 60,
  deadlineSeconds: 600,
  approvalSeconds: 3600,
  updateSeconds: 60,
  guardrail: { waitSeconds: 1 },
};

/** What a stage on this machine does with a candidate unless told otherwise. Wrong answers are judged where the traffic's outcomes are known. */
export const localPlan = (hasOutcomes: boolean): StagePlan =>
  hasOutcomes ? { ...LOCAL_PLAN, metrics: [...LOCAL_PLAN.metrics, ANSWERS_METRIC] } : LOCAL_PLAN;

/**
 * Reads a plan; what it leaves out is as in `defaults`.
 *
 * @throws UserError that names the file and what is wrong with it
 */
export function readPlan(file: string, defaults: StagePlan): StagePlan {
  const text = readFileSync(file, 'utf8');
  let given: Partial<StagePlan>;
  try {
    given = JSON.parse(text) as Partial<StagePlan>;
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${(error as Error).message}`);
  }
  const plan: StagePlan = { ...defaults, ...given };
  try {
    checkRequest({ promotionId: 'v1', endpointName: 'e', bucket: STAGE_BUCKET, modelPackageArn: '', plan });
  } catch (error) {
    throw new UserError(`${file}: ${(error as Error).message}`);
  }
  return plan;
}

/**
 * Puts a version live, and from then on runs a promotion for every approval in the endpoint's group, as the deployed stage does. The environment must lead the clients to `local`.
 *
 * @returns ends the stage; what is under way stays as it is
 * @throws UserError where there is neither an endpoint nor a version for it
 */
export async function hostStage(local: LocalSageMaker, options: HostOptions): Promise<() => Promise<void>> {
  const { endpoint, plan } = options;
  const ports = { ...awsPorts(), now: () => local.clock.now() };
  const stage = await LocalStage.open(ports, endpoint);
  const isThere = await ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpoint })).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    if (options.live === undefined)
      throw new UserError(`there is no endpoint ${endpoint} yet: --live names the model directory that goes live on it`);
    await stage.deploy(endpoint, await stage.publish(options.live));
  }
  const runner = await DurableRunner.open();
  let isOver = false;
  const run = async (request: PromotionRequest) => {
    options.onBegin(request);
    const ended = await runner.run(ports, request).catch((error: Error) => error);
    if (!isOver) options.onEnd(request, ended);
  };
  const stopListening = local.onEvent((event) => {
    if (event['detail-type'] !== 'SageMaker Model Package State Change') return;
    const request = requestedBy(event, { endpointName: endpoint, bucket: STAGE_BUCKET, group: endpoint, plan });
    if (request) void run(request);
  });
  // A durable execution outlives its process: what an earlier run left is taken up once its lock has expired.
  for (const { request, outcome } of await promotionsOf(await openStage(endpoint))) if (outcome === null) void run(request);
  return async () => {
    isOver = true;
    stopListening();
    await runner.close();
  };
}
