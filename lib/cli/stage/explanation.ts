import type { MetricEvidence, SeriesEvidence, Verdict } from '../../judge';
import { type Control, type Entry, type Outcome, story, words } from '../../promotion';
import { reasonOf, whenOf } from '../report';
import { evidence, percent, times } from '../report/figures';
import { inTime } from '../sizes';
import { table } from '../terminal';
import { type Promotion, standing, titleOf, when } from './promotions';
import { difference } from './recompute';
import type { Stage } from './stage';

/** What `fledge explain --json` prints. */
export interface Explanation {
  readonly endpoint: string;
  readonly promotionId: string;
  readonly modelPackageArn: string;
  /** What was live when it came; null where the record does not say. */
  readonly liveBefore: string | null;
  /** Who approved the package, and why, as the approval said; empty where it said nothing. */
  readonly approval: string;
  /** Null while it is under way. */
  readonly outcome: Outcome | null;
  /** Whether its process died, and another promotion took the endpoint over: no outcome will come. */
  readonly isBrokenOff: boolean;
  /** Every verdict in the record; `difference` is empty where its counts give it again. */
  readonly verdicts: readonly { readonly sentence: string; readonly decision: Verdict['decision']; readonly difference: string }[];
  readonly isRecomputed: boolean;
  /** The verdict that the outcome rests on; null where it was decided without one. */
  readonly restsOn: Verdict | null;
  readonly said: readonly Control[];
  readonly record: readonly Entry[];
}

/** Why a version was let in, or was not, from the record alone. */
export async function explain({ store, endpoint }: Stage, { id, request, outcome, isBrokenOff }: Promotion): Promise<Explanation> {
  const record = await story(store, endpoint, id);
  const start = record.find((entry) => entry.start)?.start;
  const verdicts = record.flatMap(({ verdict, sentence }) =>
    verdict ? [{ sentence, decision: verdict.decision, difference: difference(verdict) }] : [],
  );
  const key = outcome?.verdictKey ?? null;
  return {
    endpoint,
    promotionId: id,
    modelPackageArn: request.modelPackageArn,
    liveBefore: start ? (start.modelPackageArn ?? start.modelName) : null,
    approval: start?.approval ?? '',
    outcome,
    isBrokenOff,
    verdicts,
    isRecomputed: verdicts.every((verdict) => verdict.difference === ''),
    restsOn: key === null ? null : ((await store.read<Entry>(key))?.value.verdict ?? null),
    said: await words(store, endpoint, id),
    record,
  };
}

/** The same for a reader. */
export function explanationLines(explanation: Explanation): string[] {
  const { endpoint, promotionId, modelPackageArn, liveBefore, approval, outcome, restsOn, said, record, verdicts } = explanation;
  const facts: (readonly [string, string])[] = [
    ['promotion', promotionId],
    ['package', modelPackageArn],
    ['approval', approval || 'the approval says nothing'],
    ['before it', liveBefore === null ? 'the record does not say' : titleOf(liveBefore)],
  ];
  if (outcome)
    facts.push(
      ['because', reasonOf(outcome.reason)],
      [
        'decided',
        `${outcome.verdict === 'promoted' ? '' : `${whenOf(outcome.during)}, `}after ${inTime((outcome.endedAt - outcome.startedAt) / 1000)}`,
      ],
    );
  return [
    `${titleOf(modelPackageArn)} on ${endpoint}: ${outcome ? `${outcome.verdict} ${when(outcome.endedAt)} UTC` : standing(explanation)}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(10)} ${value}`),
    ...(restsOn ? ['', ...evidenceLines(restsOn)] : []),
    '',
    'what happened (UTC)',
    ...record.map(({ at, sentence }) => `  ${when(at)}  ${reasonOf(sentence)}`),
    ...(said.length === 0 ? [] : ['', 'what people said', ...said.map(wordLine)]),
    '',
    ...recomputedLines(verdicts),
  ];
}

function evidenceLines(verdict: Verdict): string[] {
  const rows = verdict.metrics.flatMap((metric) => metric.series.map((series, i) => evidenceRow(metric, series, i === 0)));
  const head = ['metric', 'live', 'candidate', 'times as often', 'evidence: worse', 'evidence: not worse'];
  return [
    `what it rests on: the judge's ${verdict.decision === 'rollBack' ? 'roll back' : verdict.decision}`,
    ...momentLines(verdict),
    ...table(head, rows).map((line) => `  ${line}`),
  ];
}

/** The reason of a roll back may be older than the last counts: they are judged bin by bin, and several may come at once. */
function momentLines({ crossing, until }: Verdict): string[] {
  if (crossing === null || until === null || crossing.at === until) return [];
  return [
    `  the reason says what was counted up to ${when(crossing.at * 1000)}, when the evidence first sufficed;`,
    `  the table, what was counted up to ${when(until * 1000)}, all that had been read when it was judged`,
  ];
}

function evidenceRow(metric: MetricEvidence, { label, totals, relativeRisk, ...series }: SeriesEvidence, isFirst: boolean): string[] {
  const rate = (share: number | null, bad: number, requests: number) =>
    share === null ? 'no requests' : `${percent(share)} (${bad} of ${requests})`;
  const { low, high } = relativeRisk;
  const risk = high === null ? (low === 0 ? 'unknown' : `at least ${times(low)}`) : `${times(low)} to ${times(high)}`;
  const weighed = (log: number, threshold: number | null) =>
    isFirst ? `${evidence(log)}${threshold === null ? '' : ` of ${evidence(threshold)}`}` : '';
  return [
    label === metric.name ? metric.name : `${metric.name} ${label}`,
    rate(series.baselineRate, totals.baselineBad, totals.baselineRequests),
    rate(series.candidateRate, totals.candidateBad, totals.candidateRequests),
    risk,
    weighed(metric.logWorse, metric.logWorseThreshold),
    weighed(metric.logNotWorse, metric.required ? metric.logNotWorseThreshold : null),
  ];
}

const wordLine = ({ at, command, by, reason, seconds }: Control): string =>
  `  ${when(at)}  ${command}${seconds === undefined ? '' : ` by ${seconds} s`} (${by}${reason ? `: ${reason}` : ''})`;

function recomputedLines(verdicts: Explanation['verdicts']): string[] {
  if (verdicts.length === 0) return ['there is no verdict in the record to recompute'];
  const others = verdicts.filter((verdict) => verdict.difference !== '');
  if (others.length === 0) return [`recomputed from the stored counts: ${verdicts.length} of ${verdicts.length} verdicts are the same`];
  return [
    `RECOMPUTED FROM THE STORED COUNTS, ${others.length} OF ${verdicts.length} VERDICTS ARE DIFFERENT:`,
    ...others.map(({ sentence, difference: found }) => `  ${sentence}: ${found}`),
  ];
}
