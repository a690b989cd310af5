/** A place where a fault can strike: a call, or a moment of a deployment. */
export interface FaultPoint {
  /** The service's name as in {@link Service.name}, e.g. `SageMaker`. */
  readonly service: string;
  /** An API operation, or a moment of SageMaker's own work: `StartInstances`, `RollBack`, `InvokeModel`. */
  readonly operation: string;
  readonly endpoint?: string;
  readonly variant?: string;
  readonly config?: string;
}

/**
 * What goes wrong.
 *
 * At any call: `throttle`, `error`, `dropped` (the connection is cut and nothing was done), `lost answer` (it was done, then the connection is cut),
 * `late` (done at once, answered after `seconds`). At an invocation, in the model behind it (operation `InvokeModel` of `SageMaker Runtime`): `model error`, `model slow` (`seconds` of real time).
 * At `StartInstances`: `capacity` (none to be had), `unhealthy` (the container never answers /ping), `stuck` (goes on for ever), `slow` (takes `seconds` more).
 * At `RollBack`: `fails` (UpdateRollbackFailed), `silent` (no FailureReason is left).
 */
export type FaultKind =
  | 'throttle'
  | 'error'
  | 'dropped'
  | 'lost answer'
  | 'late'
  | 'model error'
  | 'model slow'
  | 'capacity'
  | 'unhealthy'
  | 'stuck'
  | 'slow'
  | 'fails'
  | 'silent';

/** When and where something goes wrong, and what. A field that is left out matches everything. */
export interface FaultRule extends Partial<FaultPoint> {
  readonly kind: FaultKind;
  /**
   * The first matching point that is struck, counted from 1 since the rule was added.
   *
   * @default 1
   */
  readonly nth?: number;
  /**
   * How many matching points, one after another, are struck.
   *
   * @default - every one from `nth` on
   */
  readonly times?: number;
  /**
   * Strikes a matching point only with this probability, 0 to 1, drawn from the seeded generator.
   *
   * @default 1
   */
  readonly probability?: number;
  /** Seconds for `late` and `slow` (of the clock) and `model slow` (real ones). @default 1 */
  readonly seconds?: number;
  /** HTTP status of `error` (500) or of the model's answer for `model error` (500). */
  readonly status?: number;
  /** Error code of `error`. @default InternalFailure */
  readonly code?: string;
  /** What the error says. */
  readonly message?: string;
}

/** A rule in force. */
export interface ActiveFault {
  readonly rule: FaultRule;
  /** Points that matched so far. */
  readonly matched: number;
  /** Points that were struck so far. */
  readonly struck: number;
  remove(): void;
}
