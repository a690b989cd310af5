import { countsOf, evaluate, profile } from '../judge';
import { checkArtifactDemand } from './artifact-demand';
import { checkFields } from './plan-fields';
import type { PromotionRequest, StagePlan, Step } from './request';
import { checkRetention } from './retention';

/** What a plan says where it says nothing. */
const PLAN = {
  binSeconds: 60,
  tickSeconds: 60,
  settleSeconds: 120,
  baselineSeconds: 3600,
  deadlineSeconds: 86_400,
  onDeadline: 'rollBack',
  approval: 'none',
  approvalSeconds: 604_800,
  whenBusy: 'wait',
  updateSeconds: 3600,
} as const satisfies Partial<StagePlan>;

type Guardrail = NonNullable<StagePlan['guardrail']>;
const GUARDRAIL = { waitSeconds: 300, alarms: [], errorRate: 0.05, latencyFactor: 2 } as const satisfies Guardrail;

const STEP = { percent: 100, bakeSeconds: 300 } as const satisfies Partial<Step>;

type Filled<T, D> = T & Required<Pick<T, keyof T & keyof D>>;

/** A plan with every default written out. */
export interface WholePlan extends Filled<StagePlan, typeof PLAN> {
  readonly steps: readonly Required<Step>[];
  readonly guardrail: Filled<Guardrail, typeof GUARDRAIL>;
}

/** A request that can run. */
export interface WholeRequest extends PromotionRequest {
  readonly plan: WholePlan;
}

/**
 * Refuses a request that could not run.
 *
 * @returns it, with every default of its plan written out
 * @throws Error that names the field, the value and the range
 */
export function checkRequest(request: PromotionRequest): WholeRequest {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(request.promotionId))
    throw new Error(`promotionId must be 1 to 64 letters, digits or hyphens, got '${request.promotionId}'`);
  const { steps, metrics, artifact, guardrail } = request.plan;
  if (metrics.length === 0) throw new Error('plan.metrics is empty: nothing would be judged');
  checkSteps(steps);
  checkArtifactDemand(artifact ?? {});
  const plan: WholePlan = {
    ...filled(request.plan, PLAN),
    steps: steps.map((step) => filled(step, STEP)),
    guardrail: filled(guardrail ?? {}, GUARDRAIL),
  };
  checkFields(plan);
  checkNumbers(plan);
  checkJudged(plan);
  checkRetention(plan);
  return { ...request, plan };
}

function checkSteps(steps: readonly Step[]): void {
  if (!steps.some(({ kind }) => kind === 'percent'))
    throw new Error('plan.steps routes no requests to the candidate: add a step of kind percent');
  steps.forEach((step, i) => {
    const most = step.kind === 'shadow' ? 100 : 50;
    const percent = step.percent ?? (step.kind === 'shadow' ? STEP.percent : Number.NaN);
    if (!(percent > 0 && percent <= most))
      throw new Error(`plan.steps[${i}].percent must be above 0 and at most ${most} for a ${step.kind} step, got ${step.percent}`);
    const before = steps[i - 1];
    if (step.kind === 'shadow' && before?.kind === 'percent')
      throw new Error(`plan.steps[${i}] is a shadow after a routed share: shadows come first`);
    if (before?.kind === 'percent' && before.percent! > percent)
      throw new Error(`plan.steps[${i}].percent is ${percent}, below the ${before.percent} before it: shares only rise`);
  });
}

function checkNumbers({ binSeconds, tickSeconds, deadlineSeconds, guardrail }: WholePlan): void {
  if (![1, 5, 10, 30].includes(binSeconds) && (binSeconds < 60 || binSeconds % 60 !== 0))
    throw new Error(`plan.binSeconds must be 1, 5, 10, 30 or a multiple of 60, got ${binSeconds}`);
  if (!(deadlineSeconds >= tickSeconds))
    throw new Error(`plan.deadlineSeconds must leave time for a verdict, at least tickSeconds (${tickSeconds}), got ${deadlineSeconds}`);
  const { alarms, errorRate, latencyFactor } = guardrail;
  if (alarms.length > 8)
    throw new Error(`plan.guardrail.alarms holds ${alarms.length} names: SageMaker takes at most 10, two of which are the promotion's own`);
  if (!(errorRate >= 0 && errorRate <= 1)) throw new Error(`plan.guardrail.errorRate must be 0 to 1, got ${errorRate}`);
  if (!(latencyFactor > 0)) throw new Error(`plan.guardrail.latencyFactor must be above 0, got ${latencyFactor}`);
}

/** Refuses what the judge would refuse at every look. */
function checkJudged({ metrics, profile: name, settings: given, settleSeconds }: WholePlan): void {
  const unknown = metrics.find(({ kind, source }) => kind !== 'latency' && source === undefined);
  if (unknown) throw new Error(`plan.metrics: '${unknown.id}' has no source; only a metric of kind latency needs none`);
  const series = [{ counts: countsOf([]) }];
  try {
    const settings = { ...profile(name, given), settleSeconds };
    evaluate({ settings, metrics: metrics.map((metric) => ({ ...metric, series })) });
  } catch (error) {
    throw new Error(`plan: ${(error as Error).message}`);
  }
}

/** What was given, and a default for what was not. */
function filled<T extends object, D extends Partial<T>>(given: T, defaults: D): Filled<T, D> {
  const missing = Object.entries(defaults).filter(([name]) => given[name as keyof T] === undefined);
  return { ...given, ...Object.fromEntries(missing) } as Filled<T, D>;
}
