/** What the replaying thread is given. */
export interface ReplayOrder {
  readonly url: string;
  readonly region: string;
  readonly endpointName: string;
  readonly contentType: string;
  readonly bodies: readonly string[];
  readonly outcomes: readonly string[] | undefined;
}

/** What it is told on the way. */
export type ReplayCommand =
  | {
      readonly kind: 'pace';
      /** Requests a second; 0 rests, Infinity goes as fast as the clients go. */
      readonly perSecond: number;
      /** Requests under way at once, at the most. */
      readonly clients: number;
    }
  | { readonly kind: 'stop' };

/** What one variant answered since the last report. */
export interface VariantTally {
  readonly requests: number;
  /** Answers that were no answer. */
  readonly failed: number;
  /** Of the requests with a known outcome, how many there were, and how many were answered otherwise. */
  readonly known: number;
  readonly wrong: number;
}

/** A report, a few times a second. */
export interface ReplayReport {
  readonly variants: Readonly<Record<string, VariantTally>>;
  /** Milliseconds from a request's sending to its answer, as the client saw it. */
  readonly latencies: Float64Array;
  /** The first message of each kind of failure. */
  readonly failures: readonly string[];
}
