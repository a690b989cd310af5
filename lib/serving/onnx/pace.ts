/** Calls that are judged together. */
const WINDOW = 32;

/**
 * Whether a model is fast enough to answer on the thread that serves. Judged by the median of its last calls, which a stall of the
 * machine or a few long requests do not move.
 */
export class Pace {
  fast = false;
  private readonly taken: number[] = [];

  /** @param belowMs the bound; once fast, a model is slow again above twice of it */
  constructor(private readonly belowMs: number) {}

  /** @param ms of one call */
  took(ms: number): void {
    this.taken.push(ms);
    if (this.taken.length < WINDOW) return;
    const median = this.taken.sort((a, b) => a - b)[WINDOW / 2]!;
    this.taken.length = 0;
    this.fast = median < (this.fast ? 2 * this.belowMs : this.belowMs);
  }
}
