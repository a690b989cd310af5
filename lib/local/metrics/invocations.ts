import { Distribution } from './distribution';
import { type MetricId, type MetricSource, Seconds } from './metric-store';
import type { InvocationSample, MetricSink } from './sink';

const NAMESPACE = 'AWS/SageMaker';

/** What one fleet answered in one second. */
class Second {
  requests = 0;
  clientErrors = 0;
  serverErrors = 0;
  modelErrors = 0;
  instances = 0;
  readonly latency = new Distribution();
  readonly overhead = new Distribution();
  readonly concurrency = new Distribution();

  merge(other: Second): void {
    this.requests += other.requests;
    this.clientErrors += other.clientErrors;
    this.serverErrors += other.serverErrors;
    this.modelErrors += other.modelErrors;
    this.instances = Math.max(this.instances, other.instances);
    this.latency.merge(other.latency);
    this.overhead.merge(other.overhead);
    this.concurrency.merge(other.concurrency);
  }
}

interface Fleet {
  readonly dimensions: { readonly EndpointName: string; readonly VariantName: string; readonly EndpointConfigName: string };
  readonly kind: InvocationSample['kind'];
  readonly seconds: Seconds<Second>;
}

/** SageMaker's own metrics of an endpoint: one tally a fleet and second, from which each metric is read (SageMaker developer guide, "Endpoint invocation metrics"). */
export class Invocations implements MetricSink, MetricSource {
  private readonly fleets = new Map<string, Fleet>();

  record(sample: InvocationSample): void {
    const key = `${sample.endpoint}\n${sample.variant}\n${sample.config}`;
    let fleet = this.fleets.get(key);
    if (fleet === undefined) {
      const dimensions = { EndpointName: sample.endpoint, VariantName: sample.variant, EndpointConfigName: sample.config };
      fleet = {
        dimensions,
        kind: sample.kind,
        seconds: new Seconds(
          () => new Second(),
          (into, from) => into.merge(from),
        ),
      };
      this.fleets.set(key, fleet);
    }
    const second = fleet.seconds.at(Math.floor(sample.time / 1000));
    const { count = 1 } = sample;
    second.requests += count;
    if (sample.status >= 500 || sample.status === 0) second.serverErrors += count;
    else if (sample.status >= 400) second.clientErrors += count;
    if (sample.status < 200 || sample.status >= 300) second.modelErrors += count;
    second.instances = sample.instances;
    second.latency.add(sample.latency, count);
    second.overhead.add(sample.overhead, count);
    second.concurrency.add(sample.concurrency, count);
  }

  *read(metric: MetricId, from: number, until: number): Iterable<readonly [number, Distribution]> {
    const values = METRICS[metric.name];
    if (metric.namespace !== NAMESPACE || values === undefined) return;
    for (const fleet of this.fleets.values()) {
      if (!matches(metric.dimensions, fleet)) continue;
      for (const [second, tally] of fleet.seconds.between(from, until)) {
        const found = values(tally, fleet.kind);
        if (found) yield [second, found];
      }
    }
  }

  *list(): Iterable<MetricId> {
    const seen = new Set<string>();
    for (const { dimensions } of this.fleets.values()) {
      const { EndpointConfigName, ...both } = dimensions;
      for (const set of seen.has(JSON.stringify(both)) ? [dimensions] : [both, dimensions]) {
        for (const name of Object.keys(METRICS)) yield { namespace: NAMESPACE, name, dimensions: set };
      }
      seen.add(JSON.stringify(both));
    }
  }
}

/** Endpoint and variant, and the configuration where it is asked for: no metric has fewer dimensions. */
function matches(asked: Readonly<Record<string, string>>, fleet: Fleet): boolean {
  const names = Object.keys(asked);
  if (!('EndpointName' in asked && 'VariantName' in asked) || names.length > 3) return false;
  return names.every((name) => (fleet.dimensions as Readonly<Record<string, string>>)[name] === asked[name]);
}

type Reading = (tally: Second, kind: InvocationSample['kind']) => Distribution | undefined;

/** A request is a value of 0 or 1: the Average is a rate. */
const flag =
  (flagged: (tally: Second) => number): Reading =>
  (tally) => {
    const values = new Distribution();
    const ones = flagged(tally);
    if (ones > 0) values.add(1, ones);
    if (tally.requests > ones) values.add(0, tally.requests - ones);
    return values;
  };

const METRICS: Readonly<Record<string, Reading>> = {
  Invocations: (tally, kind) => (kind === 'async' ? undefined : flag((one) => one.requests)(tally, kind)),
  InvocationsPerInstance: (tally) => {
    if (tally.instances === 0) return undefined;
    const values = new Distribution();
    values.add(1 / tally.instances, tally.requests);
    return values;
  },
  Invocation4XXErrors: flag((tally) => tally.clientErrors),
  Invocation5XXErrors: flag((tally) => tally.serverErrors),
  InvocationModelErrors: flag((tally) => tally.modelErrors),
  ModelLatency: (tally) => tally.latency,
  OverheadLatency: (tally, kind) => (kind === 'async' ? undefined : tally.overhead),
  ConcurrentRequestsPerModel: (tally) => tally.concurrency,
};
