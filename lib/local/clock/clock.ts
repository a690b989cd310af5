/** The time that everything in the local SageMaker lives by: waits, bakes, metric minutes, time stamps. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z, of this clock. */
  now(): number;
  /** Runs `action` once, `delay` milliseconds of this clock from now; delays below 0 count as 0. */
  schedule(delay: number, action: () => void): Scheduled;
  /** Resolves after `delay` milliseconds of this clock; rejects with the signal's reason once it is aborted. */
  sleep(delay: number, signal?: AbortSignal): Promise<void>;
  /** Marks work in real time (a model being loaded) that a jump must not overtake; hands the promise back. */
  during<T>(work: Promise<T>): Promise<T>;
}

/** Something the clock will do. */
export interface Scheduled {
  /** Milliseconds since 1970 at which it is due. */
  readonly at: number;
  cancel(): void;
}

/** How a {@link LocalClock} starts. */
export interface ClockOptions {
  /**
   * Milliseconds since 1970 at which the clock starts.
   *
   * @default - the machine's time
   */
  readonly start?: number;
  /**
   * Seconds of this clock in a second of the machine's. 0 stands still: only jumps move it.
   *
   * @default 1
   */
  readonly speed?: number;
}

interface Due extends Scheduled {
  readonly sequence: number;
  readonly action: () => void;
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** A clock that runs at a chosen speed, or jumps; what falls due on the way runs in order of its time. */
export class LocalClock implements Clock {
  private readonly due: Due[] = [];
  private readonly work = new Set<Promise<unknown>>();
  private since: number;
  private realSince: number;
  private pace: number;
  private jumping = 0;
  private sequence = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** @throws RangeError when the speed is negative or not finite */
  constructor(options: ClockOptions = {}) {
    this.since = options.start ?? Date.now();
    this.realSince = performance.now();
    this.pace = checkedSpeed(options.speed ?? 1);
  }

  now(): number {
    if (this.jumping > 0 || this.pace === 0) return this.since;
    return Math.floor(this.since + (performance.now() - this.realSince) * this.pace);
  }

  /** Seconds of this clock in a second of the machine's. */
  get speed(): number {
    return this.pace;
  }

  set speed(speed: number) {
    this.rebase(this.now());
    this.pace = checkedSpeed(speed);
    this.arm();
  }

  schedule(delay: number, action: () => void): Scheduled {
    this.sequence += 1;
    const due: Due = {
      at: this.now() + Math.max(0, delay),
      sequence: this.sequence,
      action,
      cancel: () => {
        const index = this.due.indexOf(due);
        if (index >= 0) this.due.splice(index, 1);
      },
    };
    if (this.closed) return due;
    this.due.splice(this.placeOf(due), 0, due);
    if (this.due[0] === due) this.arm();
    return due;
  }

  sleep(delay: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        scheduled.cancel();
        reject(signal!.reason);
      };
      const scheduled = this.schedule(delay, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  during<T>(work: Promise<T>): Promise<T> {
    this.work.add(work);
    const done = () => this.work.delete(work);
    work.then(done, done);
    return work;
  }

  /**
   * Moves the clock ahead by `milliseconds`, running everything that falls due on the way in order; what that starts in turn, and real work marked by
   * {@link during}, is waited for before the clock passes on.
   *
   * @throws RangeError for a negative or infinite jump
   */
  async jump(milliseconds: number): Promise<void> {
    if (!(milliseconds >= 0 && Number.isFinite(milliseconds)))
      throw new RangeError(`a jump is ahead by a finite time, got ${milliseconds} ms`);
    const target = this.now() + milliseconds;
    this.rebase(this.now());
    this.jumping += 1;
    try {
      for (await this.settle(); this.due.length > 0 && this.due[0].at <= target; await this.settle()) {
        const next = this.due.shift()!;
        this.since = Math.max(this.since, next.at);
        next.action();
      }
      this.since = Math.max(this.since, target);
    } finally {
      this.jumping -= 1;
      this.realSince = performance.now();
      this.arm();
    }
  }

  /** Forgets everything that is scheduled; later schedules never run. */
  close(): void {
    this.closed = true;
    this.due.length = 0;
    clearTimeout(this.timer);
  }

  private async settle(): Promise<void> {
    do {
      await Promise.allSettled(this.work);
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.work.size > 0);
  }

  private rebase(now: number): void {
    this.since = now;
    this.realSince = performance.now();
  }

  private placeOf(due: Due): number {
    let low = 0;
    let high = this.due.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.due[middle].at <= due.at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private arm(): void {
    clearTimeout(this.timer);
    if (this.closed || this.jumping > 0 || this.pace === 0 || this.due.length === 0) return;
    const wait = Math.ceil((this.due[0].at - this.now()) / this.pace);
    this.timer = setTimeout(() => this.fire(), Math.min(LONGEST_TIMER, Math.max(0, wait)));
    this.timer.unref();
  }

  private fire(): void {
    while (this.jumping === 0 && this.due.length > 0 && this.due[0].at <= this.now()) this.due.shift()!.action();
    this.arm();
  }
}

function checkedSpeed(speed: number): number {
  if (!(speed >= 0 && Number.isFinite(speed))) throw new RangeError(`a clock's speed is 0 or a positive number, got ${speed}`);
  return speed;
}
