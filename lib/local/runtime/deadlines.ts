/** How often deadlines are looked at, in milliseconds: a limit of a minute may be late by this. */
const SWEEP_MS = 500;

/** Something that must happen before a time. */
export interface Deadline {
  /** `performance.now()` at which it is over. */
  readonly at: number;
  readonly missed: () => void;
}

/** Deadlines that are hardly ever missed: one timer for all, since one each costs more than a fast model. */
export class Deadlines {
  private readonly open = new Set<Deadline>();
  private timer: NodeJS.Timeout | undefined;

  /** @param seconds of real time from now */
  start(seconds: number, missed: () => void): Deadline {
    const deadline = { at: performance.now() + seconds * 1000, missed };
    this.open.add(deadline);
    this.timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    return deadline;
  }

  met(deadline: Deadline): void {
    this.open.delete(deadline);
  }

  private sweep(): void {
    const now = performance.now();
    for (const deadline of this.open) {
      if (deadline.at > now) continue;
      this.open.delete(deadline);
      deadline.missed();
    }
    if (this.open.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
