/** How often deadlines are looked at, in milliseconds: a limit of a minute may be late by this. */
const SWEEP_MS = 500;

/** Something that must happen before a time. */
export interface Deadline {
  /** `performance.now()` at which it is over. */
  readonly at: number;
  readonly missed: () => void;
  readonly place: number;
}

/**
 * Deadlines that are hardly ever missed: one timer for all, since one each costs more than a fast model. Held in places that are used again: the
 * tables that a Set leaves behind as it changes keep what they held alive until a full collection, and make every small one take five times as long.
 */
export class Deadlines {
  private readonly places: (Deadline | undefined)[] = [];
  private readonly free: number[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** @param seconds of real time from now */
  start(seconds: number, missed: () => void): Deadline {
    const place = this.free.pop() ?? this.places.length;
    const deadline = { at: performance.now() + seconds * 1000, missed, place };
    this.places[place] = deadline;
    this.timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    return deadline;
  }

  met(deadline: Deadline): void {
    if (this.places[deadline.place] !== deadline) return;
    this.places[deadline.place] = undefined;
    this.free.push(deadline.place);
  }

  private sweep(): void {
    const now = performance.now();
    for (const deadline of this.places) {
      if (deadline === undefined || deadline.at > now) continue;
      this.met(deadline);
      deadline.missed();
    }
    if (this.free.length < this.places.length) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
