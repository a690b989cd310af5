/** How far a model is on its way; an archive that existed counts as one file. */
export interface PublishProgress {
  /** Bytes of the model's files that are in S3, or will be without being sent. */
  readonly done: number;
  /** Bytes of the model's files. */
  readonly total: number;
  /** Bytes that went over the network. */
  readonly sent: number;
  /** Bytes a second over the network, in the last ten seconds. */
  readonly rate: number;
  /** At the speed of the last ten seconds; undefined until something was sent. */
  readonly secondsLeft?: number;
}

const WINDOW_MILLISECONDS = 10_000;

/** Turns counts into a rate and a time. */
export class Pace {
  private readonly marks: { readonly at: number; readonly done: number; readonly sent: number }[];
  private done = 0;
  private sent = 0;

  constructor(
    private readonly total: number,
    private readonly now: () => number = Date.now,
  ) {
    this.marks = [{ at: now(), done: 0, sent: 0 }];
  }

  /** @param done, sent: all so far, bytes */
  at(done: number, sent: number): PublishProgress {
    const at = this.now();
    // What needed no sending says nothing about how long the rest takes.
    const first = this.marks[0]!;
    if (sent === this.sent) this.marks.splice(0, this.marks.length, { ...first, done: first.done + done - this.done });
    else this.marks.push({ at, done, sent });
    this.done = done;
    this.sent = sent;
    while (this.marks.length > 2 && at - this.marks[1]!.at > WINDOW_MILLISECONDS) this.marks.shift();
    const start = this.marks[0]!;
    const seconds = Math.max(at - start.at, 1) / 1000;
    const pace = (done - start.done) / seconds;
    return {
      done,
      total: this.total,
      sent,
      rate: (sent - start.sent) / seconds,
      secondsLeft: pace > 0 ? (this.total - done) / pace : undefined,
    };
  }
}
