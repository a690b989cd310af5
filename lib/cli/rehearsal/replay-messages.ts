import type { KnownValue } from './known-value';

/** What the replaying thread is given. */
export interface ReplayOrder {
  readonly url: string;
  readonly region: string;
  readonly endpointName: string;
  readonly contentType: string;
  /** A line before each body. */
  readonly header: string | undefined;
  readonly bodies: readonly string[];
  readonly outcomes: readonly KnownValue[] | undefined;
  /** Production variant to ask. @default - as the endpoint's weights have it */
  readonly variant?: string;
}

/** What it is told on the way. */
export type ReplayCommand =
  | {
      /** So many requests, as fast as the clients go, and then no more. */
      readonly kind: 'burst';
      readonly requests: number;
      readonly clients: number;
    }
  | {
      readonly kind: 'pace';
      /** Requests a second; 0 rests. */
      readonly perSecond: number;
      /** Requests under way at once, at the most. */
      readonly clients: number;
    }
  | { readonly kind: 'stop' };

/** How a burst went. */
export interface Burst {
  /** From the first request's sending to the last answer. */
  readonly seconds: number;
  /** Of them, how long the sending thread was at work. */
  readonly activeSeconds: number;
}

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
  /** The first answer of all that was wrong, and what was right; undefined where it was told or there is none. */
  readonly wrongOne: string | undefined;
  /** Once the requests of a burst are all answered. */
  readonly burst: Burst | undefined;
}
