/** An event as EventBridge delivers it. */
export interface LocalEvent {
  /** e.g. `aws.sagemaker` */
  readonly source: string;
  /** e.g. `SageMaker Endpoint Deployment State Change` */
  readonly detailType: string;
  /** ARNs. */
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Takes the events that services send; the time is the clock's when it is called. */
export interface EventSink {
  put(event: LocalEvent): void;
}
