/** A decompressor met the end of what it may write. */
export class LimitReached extends Error {}

/** A compressed stream says what no writer writes. */
export class BrokenStream extends Error {}

/** What a decompressor writes and copies from: grows as needed, up to a limit. */
export class Output {
  length = 0;
  private buffer: Buffer;

  constructor(
    private readonly limit: number,
    expected: number,
    /** Time in `performance.now()`'s milliseconds, looked at every 64 KiB. */
    private readonly until = Number.POSITIVE_INFINITY,
  ) {
    this.buffer = Buffer.allocUnsafe(Math.max(16, Math.min(limit, expected)));
  }

  /** @throws LimitReached */
  byte(value: number): void {
    if (this.length === this.buffer.length) this.grow(1);
    this.buffer[this.length++] = value;
    if ((this.length & 0xffff) === 0) this.lookAtTheClock();
  }

  at(distance: number): number {
    return this.buffer[this.length - distance]!;
  }

  /** Repeats `count` bytes from `distance` back. @throws BrokenStream before the beginning, LimitReached */
  copy(distance: number, count: number): void {
    if (distance > this.length || distance < 1) throw new BrokenStream('a copy from before the beginning');
    const allowed = Math.min(count, this.limit - this.length);
    if (this.length + allowed > this.buffer.length) this.grow(allowed);
    if ((this.length & 0xffff) + allowed > 0xffff) this.lookAtTheClock();
    for (let i = 0; i < allowed; i++, this.length++) this.buffer[this.length] = this.buffer[this.length - distance]!;
    if (allowed < count) throw new LimitReached();
  }

  /** @throws LimitReached */
  append(bytes: Buffer): void {
    const allowed = Math.min(bytes.length, this.limit - this.length);
    if (this.length + allowed > this.buffer.length) this.grow(allowed);
    bytes.copy(this.buffer, this.length, 0, allowed);
    this.length += allowed;
    if (allowed < bytes.length) throw new LimitReached();
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private lookAtTheClock(): void {
    if (performance.now() > this.until) throw new LimitReached();
  }

  private grow(count: number): void {
    if (this.length + count > this.limit) throw new LimitReached();
    const grown = Buffer.allocUnsafe(Math.min(this.limit, Math.max(this.buffer.length * 2, this.length + count)));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}
