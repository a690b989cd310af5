const CALLS_TO_JUDGE = 20;
const WEIGHT_OF_NEWEST = 1 / 16;
/** Whether a model is fast enough to answer on the thread that serves: by a moving average of what its calls took. */
export class Pace {
  private mean = 0;
  private calls = 0;
  private verdict: 'unknown' | 'fast' | 'slow';

  constructor(
    private readonly belowMs: number,
    possible: boolean,
  ) {
    this.verdict = possible && belowMs > 0 ? 'unknown' : 'slow';
  }

  /** Fast once enough calls say so; slow for good once the mean is over twice the bound. */
  get fast(): boolean {
    return this.verdict === 'fast';
  }

  took(ms: number): void {
    this.calls++;
    // One stall of the machine says nothing about the model, so no call counts for more than a few bounds.
    const counted = Math.min(ms, 4 * this.belowMs);
    this.mean += (counted - this.mean) * Math.max(WEIGHT_OF_NEWEST, 1 / this.calls);
    if (this.verdict === 'unknown' && this.calls >= CALLS_TO_JUDGE && this.mean < this.belowMs) this.verdict = 'fast';
    if (this.verdict === 'fast' && this.mean >= 2 * this.belowMs) this.verdict = 'slow';
  }
}
