const CALLS_TO_JUDGE = 20;
const WEIGHT_OF_NEWEST = 1 / 16;
/** Loading blocks the thread that serves: a model that takes longer stays in the workers. Milliseconds. */
const LOAD_AT_MOST_MS = 250;

/** Whether a model is fast enough to answer on the thread that serves: by a moving average of what its calls took. */
export class Pace {
  private mean = 0;
  private calls = 0;
  private verdict: 'unknown' | 'fast' | 'slow';

  constructor(
    private readonly belowMs: number,
    loadMs: number,
  ) {
    this.verdict = belowMs <= 0 || loadMs > LOAD_AT_MOST_MS ? 'slow' : 'unknown';
  }

  /** Fast once enough calls say so; slow for good once the mean is over twice the bound. */
  get fast(): boolean {
    return this.verdict === 'fast';
  }

  took(ms: number): void {
    this.calls++;
    this.mean += (ms - this.mean) * Math.max(WEIGHT_OF_NEWEST, 1 / this.calls);
    if (this.verdict === 'unknown' && this.calls >= CALLS_TO_JUDGE && this.mean < this.belowMs) this.verdict = 'fast';
    if (this.verdict === 'fast' && this.mean >= 2 * this.belowMs) this.verdict = 'slow';
  }
}
