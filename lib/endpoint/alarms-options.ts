import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Duration } from 'aws-cdk-lib/core';

/**
 * When an endpoint's alarms go off. Each is made where the endpoint publishes its metric, and left out elsewhere. Percentages are 0-100; an
 * alarm on a rate goes off above its threshold, one on use at it.
 */
export interface EndpointAlarmOptions {
  /**
   * Who is told. It must let CloudWatch publish.
   *
   * @default - a new topic, encrypted with the endpoint's key
   */
  readonly topic?: ITopic;

  /**
   * Requests answered 5xx in 5 minutes, in percent. Also rolls back an update, on the new fleet alone.
   *
   * @default 1
   */
  readonly serverErrorPercent?: number;

  /**
   * Requests in 5 minutes to which the model gave no 2xx, in percent: 4xx, 5xx, timeouts and broken connections. Also rolls back an update,
   * on the new fleet alone. Of real-time instances.
   *
   * @default 5
   */
  readonly modelErrorPercent?: number;

  /**
   * The fewest requests in 5 minutes for a rate or a p99 to mean anything; with fewer, neither goes off. At least 1.
   *
   * @default 10
   */
  readonly minimumRequests?: number;

  /**
   * The 99th percentile of what the model takes. Set it to what your callers bear: the default only tells a hung model from a slow one.
   * Also rolls back an update, on the new fleet alone.
   *
   * @default Duration.seconds(10), of async endpoints Duration.minutes(10)
   */
  readonly p99Latency?: Duration;

  /**
   * CPU over 15 minutes, in percent of all cores, on average over the instances.
   *
   * @default 90
   */
  readonly cpuPercent?: number;

  /**
   * Memory over 15 minutes, in percent.
   *
   * @default 90
   */
  readonly memoryPercent?: number;

  /**
   * Disk over 15 minutes, in percent. Not of serverless endpoints.
   *
   * @default 85
   */
  readonly diskPercent?: number;

  /**
   * GPU over 15 minutes, in percent of all GPUs. Of families that have any.
   *
   * @default 95
   */
  readonly gpuPercent?: number;

  /**
   * GPU memory over 15 minutes, in percent of all GPUs'. Of families that have any.
   *
   * @default 95
   */
  readonly gpuMemoryPercent?: number;

  /**
   * How much of maxConcurrency is in use over 15 minutes, in percent: at 100 requests are refused. Of serverless endpoints.
   *
   * @default 90
   */
  readonly concurrencyPercent?: number;

  /**
   * The age of the oldest request in the queue. Of async endpoints.
   *
   * @default Duration.minutes(30)
   */
  readonly oldestRequest?: Duration;

  /**
   * Requests in 5 minutes that failed for whatever reason, at least 1: nobody waits for their answers, so nobody else notices. Of async
   * endpoints.
   *
   * @default 1
   */
  readonly failures?: number;

  /**
   * How long a silence of the callers is suspicious, 5 minutes to 7 days: whole multiples of 5 minutes up to a day, of an hour beyond.
   *
   * @default - silence is normal
   */
  readonly noTraffic?: Duration;
}
