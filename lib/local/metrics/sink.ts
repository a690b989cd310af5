/** One request to a production variant or shadow variant, as CloudWatch's `AWS/SageMaker` metrics count it. */
export interface InvocationSample {
  /** Milliseconds of the local clock at which the answer went out. */
  readonly time: number;
  readonly endpoint: string;
  readonly variant: string;
  /** The endpoint configuration of the fleet that answered: the third dimension, which tells old and new fleet apart. */
  readonly config: string;
  readonly shadow: boolean;
  /** Asynchronous endpoints publish no Invocations and no OverheadLatency. */
  readonly kind: 'realtime' | 'serverless' | 'async';
  /** What the model answered, its own 4xx and 5xx included; 0 where it gave no answer (crash, timeout, not ready). */
  readonly status: number;
  /** Microseconds from the request's handing to the model until its answer. */
  readonly latency: number;
  /** Microseconds of everything else between the request's arrival and its answer. */
  readonly overhead: number;
  /** Instances of the variant at that moment, for InvocationsPerInstance; 0 where it has none (serverless). */
  readonly instances: number;
  /** Requests that were with the model at that moment, this one included. */
  readonly concurrency: number;
  /** How many such requests there were: for traffic that is simulated. @default 1 */
  readonly count?: number;
}

/** Takes what the runtime measured. Called once a request on the hot path: it must be quick and must not throw. */
export interface MetricSink {
  record(sample: InvocationSample): void;
}

/** What SageMaker asks of CloudWatch during a deployment (`cloudwatch:DescribeAlarms`). */
export interface AlarmStates {
  /** undefined where no alarm has this name. */
  stateOf(alarmName: string): 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | undefined;
}
