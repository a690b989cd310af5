import { availableParallelism } from 'node:os';
import type { Verdict } from '../../judge';
import { type LocalSageMaker, startLocal } from '../../local';
import {
  ANSWERS_METRIC,
  awsPorts,
  baselineQuantiles,
  type Entry,
  type Outcome,
  type Ports,
  type Progress,
  type PromotionRequest,
  progressKey,
  STANDARD_METRICS,
  type StagePlan,
  Store,
  story,
} from '../../promotion';
import { UserError } from '../exit-codes';
import { LIVE, LocalStage, type Published, STAGE_BUCKET } from '../local-stage';
import { orAborted, pause } from '../pause';
import { type Pulses, pulsesOf } from '../pulse';
import { columnsOf } from './columns';
import { endpointNameOf } from './endpoint-name';
import { asTaken } from './header';
import { measure, noneRight, type ReplayFigures } from './measure';
import { OutcomeRecorder } from './outcome-recorder';
import { Replay } from './replay';
import { DurableRunner } from './run-durable';
import { readTraffic, type Traffic, unknownOutcomes } from './traffic';

/** What is rehearsed. */
export interface RehearsalOptions {
  /** Model directories: the first goes live, each of the others wants to follow. At least one. */
  readonly directories: readonly string[];
  readonly trafficFile: string;
  /** Requests a second while candidates are judged. */
  readonly perSecond: number;
  /** Requests that measure the live version first, as fast as they go. */
  readonly liveRequests: number;
  /** Seconds within which a candidate must be decided. */
  readonly deadlineSeconds: number;
  readonly onDeadline: 'rollBack' | 'hold';
  /** Shares of the requests, in percent. */
  readonly steps: readonly number[];
  /** Whether a candidate is mirrored first. */
  readonly shadow: boolean;
  /** Lets a model's own Python run. */
  readonly allowCode: boolean;
  readonly signal: AbortSignal;
}

/** One candidate's end, with what is needed to recompute it. */
export interface Rehearsed {
  readonly version: Published;
  readonly outcome: Outcome;
  readonly seconds: number;
  readonly verdict: Verdict | null;
  readonly story: readonly Entry[];
}

/** The version that serves, as it answered before any candidate came. */
export interface LiveVersion {
  readonly version: Published;
  /** As the client saw it. */
  readonly figures: ReplayFigures;
  /** Milliseconds with the model, as CloudWatch says them (ModelLatency): what candidates are judged by. */
  readonly model: { readonly p50: number; readonly p99: number };
}

/** Called as the rehearsal goes. */
export interface RehearsalEvents {
  published(version: Published): void;
  live(live: LiveVersion): void;
  begins(version: Published): void;
  progress(version: Published, progress: Progress, pulses: Pulses, seconds: number): void;
  /** What the user should know and no result carries: a model that crashed, say. */
  warned(message: string): void;
  ended(rehearsed: Rehearsed): void;
}

/** What came of it. */
export interface RehearsalResult {
  readonly endpointName: string;
  readonly live: LiveVersion;
  readonly promotions: readonly Rehearsed[];
}

/** Requests under way at once, at the most: a slow candidate must not slow the traffic. */
const CLIENTS = 32;

/**
 * Puts the first model live on a SageMaker on this machine, replays the traffic, and promotes the others one after the other with the workflow that runs on AWS, in bins
 * and ticks of a second instead of a minute.
 *
 * @throws UserError for a model or a traffic file that cannot be used; the reason of `signal` once it is aborted
 */
export async function rehearse(options: RehearsalOptions, events: RehearsalEvents): Promise<RehearsalResult> {
  const read = readTraffic(options.trafficFile, columnsOf(options.directories[0]));
  const unknown = unknownOutcomes(options.trafficFile, read);
  if (unknown !== undefined) events.warned(unknown);
  const local = await startLocal({
    engines: { allowCode: options.allowCode },
    warn: (message) => events.warned(message),
    timings: { start: 0.5, shift: 0.2, terminate: 0.2, alarmPoll: 0.5 },
  });
  const environment = { ...process.env };
  Object.assign(process.env, local.environment());
  const runner = await DurableRunner.open();
  let replay: Replay | undefined;
  try {
    const ports = awsPorts();
    const stage = await LocalStage.open(ports, 'rehearsal', (message) => events.warned(message));
    const versions: Published[] = [];
    for (const directory of options.directories) {
      options.signal.throwIfAborted();
      versions.push(await stage.publish(directory));
      events.published(versions.at(-1)!);
    }
    const [first, ...candidates] = versions;
    const endpointName = endpointNameOf(first.inspection.name);
    await stage.deploy(endpointName, first);
    const traffic = await asTaken(ports, endpointName, read);
    const recorder = new OutcomeRecorder(ports, endpointName, traffic);
    replay = new Replay({ url: local.url, region: local.region, endpointName, ...traffic }, (report) => recorder.take(report));
    const live = { version: first, ...(await measureLive(ports, replay, endpointName, options)) };
    events.live(live);
    const alike = noneRight(live.figures, replay);
    if (alike !== undefined) events.warned(alike);
    replay.pace(options.perSecond, CLIENTS);
    await pause((BASELINE_SECONDS + 1) * 1000, options.signal);
    const promotions: Rehearsed[] = [];
    for (const version of candidates) {
      options.signal.throwIfAborted();
      events.begins(version);
      promotions.push(
        await promote(ports, runner, options, endpointName, version, traffic, (progress, pulses, seconds) =>
          events.progress(version, progress, pulses, seconds),
        ),
      );
      events.ended(promotions.at(-1)!);
    }
    return { endpointName, live, promotions };
  } finally {
    await close(local, runner, replay);
    process.env = environment;
  }
}

const BASELINE_SECONDS = 6;

/** More requests at once than there are cores would only wait for each other. */
async function measureLive(
  ports: Ports,
  replay: Replay,
  endpointName: string,
  { liveRequests, signal }: RehearsalOptions,
): Promise<Pick<LiveVersion, 'figures' | 'model'>> {
  const began = performance.now();
  const figures = await measure(replay, liveRequests, availableParallelism(), signal);
  const baselineSeconds = Math.ceil((performance.now() - began) / 1000);
  const quantiles = await baselineQuantiles(ports, endpointName, { variant: LIVE }, { baselineSeconds, binSeconds: 1 });
  if (figures.failed === figures.requests) {
    const why = replay.failures[0] ?? 'no reason given';
    throw new UserError(`the live version answered none of ${figures.requests} requests, so there is nothing to compare with: ${why}`);
  }
  const of = (wanted: number) => quantiles.find(({ percentile }) => percentile === wanted)!.microseconds / 1000;
  return { figures, model: { p50: of(50), p99: of(99) } };
}

/** Minutes on AWS are seconds here; what is judged, and how, is the same. */
function planOf(options: RehearsalOptions, traffic: Traffic): StagePlan {
  const bake = { bakeSeconds: 2 };
  return {
    steps: [
      ...(options.shadow ? [{ kind: 'shadow' as const, ...bake }] : []),
      ...options.steps.map((percent) => ({ kind: 'percent' as const, percent, ...bake })),
    ],
    metrics: traffic.outcomes ? [...STANDARD_METRICS, ANSWERS_METRIC] : STANDARD_METRICS,
    binSeconds: 1,
    settings: { blockSeconds: 1 },
    tickSeconds: 1,
    settleSeconds: 1,
    baselineSeconds: BASELINE_SECONDS,
    deadlineSeconds: options.deadlineSeconds,
    onDeadline: options.onDeadline,
    updateSeconds: 60,
    guardrail: { waitSeconds: 1 },
  };
}

async function promote(
  ports: Ports,
  runner: DurableRunner,
  options: RehearsalOptions,
  endpointName: string,
  version: Published,
  traffic: Traffic,
  onProgress: (progress: Progress, pulses: Pulses, seconds: number) => void,
): Promise<Rehearsed> {
  const promotionId = `${version.inspection.version ?? 'v'}-${version.digest.slice(0, 8)}-${Date.now()}`.replace(/[^A-Za-z0-9-]+/g, '-');
  const request: PromotionRequest = {
    promotionId,
    endpointName,
    bucket: STAGE_BUCKET,
    modelPackageArn: version.modelPackageArn,
    plan: planOf(options, traffic),
  };
  const store = new Store(ports, STAGE_BUCKET);
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const watching = setInterval(() => {
    Promise.all([store.read<Progress>(progressKey(endpointName, promotionId)), pulsesOf(ports, endpointName, LIVE, 1)]).then(
      ([found, pulses]) => found && onProgress(found.value, pulses, seconds()),
      () => undefined,
    );
  }, 500);
  try {
    const outcome = await orAborted(runner.run(ports, request), options.signal);
    const entries = await story(store, endpointName, promotionId);
    const verdict = outcome.verdictKey === null ? null : ((await store.read<Entry>(outcome.verdictKey))?.value.verdict ?? null);
    return { version, outcome, seconds: seconds(), verdict, story: entries };
  } finally {
    clearInterval(watching);
  }
}

async function close(local: LocalSageMaker, runner: DurableRunner, replay: Replay | undefined): Promise<void> {
  await replay?.stop();
  await runner.close();
  await local.close();
}
