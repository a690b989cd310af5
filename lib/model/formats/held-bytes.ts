import { type Bytes, PartBytes } from './bytes';

/** Reads that go to the file, before all of it is taken into memory: to tell what it is takes few. */
const READS = 6;

/** A read above this takes the file into memory: as a buffer of its own it would pile up. */
const LARGE_READ = 128 * 1024;

/** Bytes up to which a file is taken into memory by the first read: it costs no more than that one. */
const SMALL = 64 * 1024;

/** Bytes up to which a file is taken into memory. */
const HELD = 8 * 2 ** 20;

/** Room for one file at a time, used again for the next: files' worth of dead buffers would pile up before they are collected. */
export class HeldRoom {
  private room: Buffer | undefined;

  /** The same bytes, good until the next are held. Those that are read in many places are taken into memory first, unless they are too many. */
  hold(bytes: Bytes): Bytes {
    return bytes.size > HELD ? bytes : new HeldBytes(bytes, () => (this.room ??= Buffer.allocUnsafeSlow(HELD)));
  }
}

class HeldBytes implements Bytes {
  readonly size: number;
  private reads = 0;
  private held: Buffer | undefined;

  constructor(
    private readonly source: Bytes,
    private readonly room: () => Buffer,
  ) {
    this.size = source.size;
  }

  read(offset: number, length: number): Buffer {
    const start = Math.min(Math.max(0, offset), this.size);
    const end = Math.min(Math.max(start, offset + length), this.size);
    if (this.held === undefined && this.size > SMALL && this.reads++ < READS && end - start <= LARGE_READ)
      return this.source.read(start, end - start);
    this.held ??= this.take();
    return this.held.subarray(start, end);
  }

  fill(target: Buffer, offset: number): number {
    return this.held === undefined ? this.source.fill(target, offset) : this.held.copy(target, 0, Math.min(Math.max(0, offset), this.size));
  }

  slice(offset: number, length = this.size - offset): Bytes {
    return new PartBytes(this, offset, length);
  }

  private take(): Buffer {
    const room = this.room().subarray(0, this.size);
    return room.subarray(0, this.source.fill(room, 0));
  }
}
