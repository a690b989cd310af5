import { evaluate, type JudgeSettings, profile, type Verdict } from '../judge';
import type { WholeRequest } from './checked-request';
import { heard } from './controls';
import { type Quantile, readCounts, type Segment } from './counts';
import { look } from './endpoint';
import { keepLock } from './lock';
import { CANDIDATE, markOf } from './names';
import type { Ports } from './ports';
import { publishMetrics } from './publish-metrics';
import { note, type Progress, progressKey } from './record';
import { betaOf } from './tries';
import type { UnderWay } from './under-way';

/** Verdicts in a row that may be invalid (metrics late, a share not yet as routed) before the comparison is given up. */
const INVALID_TICKS = 5;

/** One stretch of judging: what is compared, and when it is over. */
export interface Watch {
  /** Place of its verdict in the record. */
  readonly place: string;
  /** e.g. `5 %`. */
  readonly name: string;
  readonly percent: number;
  readonly expectedConfig: string;
  readonly liveVariant: string;
  readonly quantiles: readonly Quantile[];
  /** How often the candidate was judged before, and did not go live. */
  readonly earlierTries: number;
  /** Of the error rate that rollbacks may have, the part that is this stretch's and of those whose requests are counted with its own. */
  readonly alphaPart: number;
  readonly segments: readonly Segment[];
  /** Milliseconds since 1970: not over before this. */
  readonly until: number;
  /** Milliseconds since 1970: over by then at the latest. */
  readonly deadline: number;
  /** `bake`: over when its time is; `evidence`: over when the judge promotes; `approval`: over when a person agrees. */
  readonly goal: 'bake' | 'evidence' | 'approval';
}

/** How a stretch ended; `` while it lasts. */
export type End = '' | 'passed' | 'rollBack' | 'invalid' | 'aborted' | 'deadline' | 'lost';

/** What is carried from tick to tick: small, since it is checkpointed. */
export interface Tick {
  readonly end: End;
  readonly sentence: string;
  readonly decision: Verdict['decision'];
  readonly invalidTicks: number;
  readonly verdictKey: string;
}

export const untold: Tick = { end: '', sentence: '', decision: 'hold', invalidTicks: 0, verdictKey: '' };

/** Reads everything anew, judges, tells whoever watches, and says whether the stretch is over. May be run twice. */
export async function tick(way: UnderWay, watch: Watch, before: Tick): Promise<Tick> {
  const { ports, store, request, run } = way;
  const { endpointName, promotionId } = request;
  if (!(await keepLock(ports, store, request, run)))
    return { ...before, end: 'lost', sentence: 'another promotion has taken the endpoint over' };
  const said = await heard(store, endpointName, promotionId);
  const verdict = await judge(ports, request, watch).catch((error: unknown) => {
    // Who aborts need not wait until there is something to judge by.
    if (said.aborted) return null;
    throw error;
  });
  if (verdict === null) return { ...before, end: 'aborted', sentence: said.aborted };
  const invalidTicks = verdict.decision === 'invalid' ? before.invalidTicks + 1 : 0;
  const unpublished = await publishMetrics(way, watch.percent, verdict);
  await store.write(progressKey(endpointName, promotionId), progressOf(ports, watch, verdict, said.paused, unpublished));
  const over = (end: End, sentence = verdict.sentence): Tick => ({ ...before, end, sentence, decision: verdict.decision, invalidTicks });

  const now = ports.now();
  let next = over('');
  if (said.aborted) next = over('aborted', said.aborted);
  else if (verdict.decision === 'rollBack') next = over('rollBack');
  else if (invalidTicks >= INVALID_TICKS) next = over('invalid');
  else if (said.paused || verdict.decision === 'invalid') next = over('');
  else if (watch.goal === 'approval' && said.approvedBy) next = over('passed', `approved by ${said.approvedBy}`);
  else if (watch.goal === 'bake' && now >= watch.until) next = over('passed');
  else if (watch.goal === 'evidence' && now >= watch.until && verdict.decision === 'promote') next = over('passed');
  else if (now >= watch.deadline + said.extraSeconds * 1000) next = over('deadline');
  if (next.end === '') return next;
  const verdictKey = await note(store, request, `${watch.place}-${markOf(`${run} ${now}`)}`, {
    at: now,
    what: 'verdict',
    sentence: `${watch.name}: ${next.sentence}`,
    verdict,
  });
  return { ...next, verdictKey };
}

async function judge(ports: Ports, request: WholeRequest, watch: Watch): Promise<Verdict> {
  const { plan, endpointName } = request;
  const sight = await look(ports, endpointName);
  const settings = profile(plan.profile, plan.settings);
  const arms = { candidate: { variant: CANDIDATE }, baseline: { variant: watch.liveVariant } };
  const metrics = await readCounts(ports, endpointName, arms, plan, watch.quantiles, watch.segments, settings);
  return evaluate({
    profile: plan.profile,
    settings: { settleSeconds: plan.settleSeconds, ...plan.settings, ...errorRatesOf(watch, settings) },
    metrics,
    // A mirror drops what a slow candidate cannot take: its share of the answers says nothing of the routing.
    routing: watch.percent === 0 ? undefined : watch.segments.map(({ from, share }) => ({ from, share })),
    now: Math.floor(ports.now() / 1000),
    facts: [{ name: 'endpoint configuration', expected: watch.expectedConfig, found: sight.configName }],
  });
}

const errorRatesOf = ({ alphaPart, earlierTries }: Watch, { alpha, beta }: JudgeSettings): Pick<JudgeSettings, 'alpha' | 'beta'> => ({
  alpha: alpha * alphaPart,
  beta: betaOf(beta, earlierTries),
});

function progressOf(ports: Ports, watch: Watch, verdict: Verdict, paused: boolean, unpublished: string): Progress {
  return {
    at: ports.now(),
    during: watch.name,
    percent: watch.percent,
    sentence: verdict.sentence,
    evidence: verdict.metrics.map((metric) => ({
      metric: metric.name,
      required: metric.required,
      worse: metric.logWorse,
      worseAt: metric.logWorseThreshold,
      notWorse: metric.logNotWorse,
      notWorseAt: metric.logNotWorseThreshold,
    })),
    paused,
    unpublished,
  };
}
