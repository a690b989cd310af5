import { DescribeEndpointCommand, DescribeEndpointConfigCommand, type PendingProductionVariantSummary } from '@aws-sdk/client-sagemaker';
import { type Counts, evaluate, type JudgeInput, type JudgeSettings, type MetricInput, profile, trace, type Verdict } from '../judge';
import { isMissing } from './aws-errors';
import { baselineQuantiles, readCounts } from './counts';
import type { Ports } from './ports';
import { STANDARD_METRICS } from './request';

/** How an endpoint's deployments under SageMaker's guardrails are judged. */
export interface GuardrailPlan {
  readonly endpointName: string;
  readonly variantName: string;
  /** The canary: percent of the new fleet, or instances of it. */
  readonly canary: { readonly percent?: number; readonly instances?: number };
  /** How long the canary bakes. */
  readonly bakeSeconds: number;
  /** How long before the end of the bake it is decided: what CloudWatch and SageMaker need to hear of it. */
  readonly leadSeconds: number;
  /** Whether a new fleet that was not shown to be not worse is rolled back. */
  readonly failClosed: boolean;
  readonly settings: Partial<JudgeSettings>;
}

/** What the judge says of one moment. */
export interface Judgement {
  /** The evidence that the new fleet is worse, as a share of what suffices: at 1 the deployment is rolled back. */
  readonly value: number;
  /** For a person. */
  readonly sentence: string;
  /** Absent while there is nothing to compare. */
  readonly verdict?: Verdict;
  /** Whether the bake is nearly over: what is said now counts. */
  readonly isFinal: boolean;
}

/** Length of a bin of counts, in seconds: the finest that SageMaker publishes by itself. */
const BIN = 60;
/** How long before the deployment latency is measured, in seconds. */
const BASELINE = 3600;
/** How late CloudWatch may be, in seconds. */
const SETTLE = 120;

const quiet = (sentence: string): Judgement => ({ value: 0, sentence, isFinal: false });

/** A deployment whose fleets can be compared. Times in seconds since 1970. */
interface UnderWay {
  readonly baseline: string;
  readonly candidate: string;
  readonly startedAt: number;
  /** When the present bake began; undefined before the first. */
  readonly bakingSince?: number;
  readonly instances: number;
}

/**
 * Judges the deployment under way from all its counts: nothing is remembered between calls.
 *
 * @returns 0 where no new version is on its way
 */
export async function judgeDeployment(ports: Pick<Ports, 'sagemaker' | 'cloudwatch' | 'now'>, plan: GuardrailPlan): Promise<Judgement> {
  const found = await deploymentOf(ports, plan);
  if (typeof found === 'string') return quiet(found);
  const arm = (configName: string) => ({ variant: plan.variantName, configName });
  const before = { ...ports, now: () => found.startedAt * 1000 };
  const quantiles = await baselineQuantiles(before, plan.endpointName, arm(found.baseline), { baselineSeconds: BASELINE, binSeconds: BIN });
  // Without requests in the hour before there is no line past which one is slow: latency cannot be shown, and nor can the candidate.
  const metrics = quantiles.length > 0 ? STANDARD_METRICS : STANDARD_METRICS.filter(({ kind }) => kind !== 'latency');
  const arms = { candidate: arm(found.candidate), baseline: arm(found.baseline) };
  const share = sharesOf(plan, found.instances);
  const segment = { from: Math.floor(found.startedAt / BIN) * BIN, until: 0, share: share.likely };
  const slack = profile('standard', plan.settings);
  const counts = await readCounts(ports, plan.endpointName, arms, { metrics, binSeconds: BIN }, quantiles, [segment], slack);

  const first = firstRequest(counts);
  const since = Math.min(first ?? Infinity, found.bakingSince ?? Infinity);
  if (since === Infinity) return quiet(`the new fleet ${found.candidate} takes no requests yet`);
  const now = Math.floor(ports.now() / 1000);
  const until = Math.floor((since + plan.bakeSeconds) / BIN) * BIN;
  const decideAt = since + plan.bakeSeconds - plan.leadSeconds;
  const isFinal = now >= decideAt;
  // The minute in which requests began to move is neither before nor after.
  const from = (first ?? since) + BIN;
  const input: JudgeInput = {
    settings: { settleSeconds: SETTLE, ...plan.settings, shareTolerance: share.tolerance },
    metrics: counts.map((metric) => within(metric, from, until)),
    routing: [{ from, share: share.likely }],
    now: Math.min(now, until + SETTLE),
  };
  const verdict = evaluate(input);
  const wasShown = quantiles.length > 0 && verdict.decision !== 'invalid' && isEverShown({ ...input, now: Math.min(now, decideAt) });
  return { ...weigh(verdict, isFinal, isFinal && plan.failClosed && !wasShown), verdict, isFinal };
}

function weigh(verdict: Verdict, isFinal: boolean, isWithheld: boolean): Pick<Judgement, 'value' | 'sentence'> {
  const evidence = verdict.decision === 'invalid' ? 0 : Math.max(0, verdict.logWorse / verdict.logWorseThreshold);
  if (verdict.decision === 'rollBack') return { value: Math.max(1, evidence), sentence: verdict.sentence };
  if (isWithheld) return { value: 1, sentence: `the bake ends and the new fleet was not shown to be not worse: ${verdict.sentence}` };
  return { value: Math.min(0.99, evidence), sentence: `${isFinal ? 'the new fleet may go on: ' : ''}${verdict.sentence}` };
}

/** The promotion evidence may fall again; once it was enough it counts. */
const isEverShown = (input: JudgeInput): boolean => trace(input).some(({ decision }) => decision === 'promote');

/** @returns why there is nothing to judge, or what there is */
async function deploymentOf({ sagemaker }: Pick<Ports, 'sagemaker'>, plan: GuardrailPlan): Promise<UnderWay | string> {
  const { endpointName, variantName } = plan;
  const endpoint = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpointName })).catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (endpoint === undefined) return `there is no endpoint ${endpointName} yet`;
  const pending = endpoint.PendingDeploymentSummary;
  const [baseline, candidate] = [endpoint.EndpointConfigName, pending?.EndpointConfigName];
  if (endpoint.EndpointStatus !== 'Updating' || baseline === undefined || candidate === undefined || baseline === candidate) {
    return `${endpointName} is ${endpoint.EndpointStatus} and no new version is on its way`;
  }
  const created = async (EndpointConfigName: string) =>
    (await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName }))).CreationTime!.getTime();
  // CloudFormation takes back a deployment that failed elsewhere in the stack: the version that served before must not wait for evidence.
  if ((await created(candidate)) < (await created(baseline))) return `${endpointName} goes back to ${candidate}, which served before`;
  const variant = pending?.ProductionVariants?.find(({ VariantName }) => VariantName === variantName);
  return {
    baseline,
    candidate,
    startedAt: pending!.StartTime!.getTime() / 1000,
    bakingSince: bakingSince(variant),
    instances: variant?.DesiredInstanceCount ?? 1,
  };
}

function bakingSince(variant: PendingProductionVariantSummary | undefined): number | undefined {
  const baking = variant?.VariantStatus?.find(({ Status }) => Status === 'Baking');
  return baking?.StartTime && Math.floor(baking.StartTime.getTime() / 1000);
}

/** Whole instances move; AWS does not say whether a part of one is rounded up or down, nor that requests follow instances exactly. */
function sharesOf({ canary }: GuardrailPlan, instances: number): { readonly likely: number; readonly tolerance: number } {
  const exact = canary.instances ?? (instances * (canary.percent ?? 100)) / 100;
  const [least, most] = [Math.max(1, Math.floor(exact)), Math.max(1, Math.ceil(exact))];
  const likely = Math.min(0.5, (least + most) / 2 / instances);
  return { likely, tolerance: Math.max(0.25, (1.25 * (most - least)) / (least + most)) };
}

/** Start of the first bin in which the new fleet answered. */
function firstRequest(metrics: readonly MetricInput[]): number | undefined {
  const { start, candidateRequests } = metrics[0].series[0].counts;
  return start.find((_, i) => candidateRequests[i] > 0);
}

/** The bins of a metric that lie wholly within. */
function within(metric: MetricInput, from: number, until: number): MetricInput {
  const kept = ({ start }: Counts) => start.map((bin) => bin >= from && bin + BIN <= until);
  const cut = (counts: Counts): Counts => {
    const keep = kept(counts);
    const column = (values: readonly number[]) => values.filter((_, i) => keep[i]);
    return {
      start: column(counts.start),
      seconds: column(counts.seconds),
      candidateRequests: column(counts.candidateRequests),
      candidateBad: column(counts.candidateBad),
      baselineRequests: column(counts.baselineRequests),
      baselineBad: column(counts.baselineBad),
    };
  };
  return { ...metric, series: metric.series.map((series) => ({ ...series, counts: cut(series.counts) })) };
}
