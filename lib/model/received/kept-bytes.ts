import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BufferBytes, type Bytes, FileBytes } from '../formats/bytes';
import { tooLarge } from './room';

/** Bytes up to which memory is the better place. */
const HELD = 8 * 2 ** 20;

/** Keeps bytes that come in order: few of them in memory, many in a temporary file. */
export class KeptBytes {
  private readonly held: Buffer[] = [];
  private size = 0;
  private file: { readonly folder: string; readonly path: string; readonly descriptor: number } | undefined;

  /** @param room the most that is kept */
  constructor(
    private readonly name: string,
    private readonly room: number,
  ) {}

  /** The bytes may be reused when it returns. @throws ModelError `too-large` */
  write(bytes: Uint8Array): void {
    this.size += bytes.length;
    if (this.size > this.room) throw tooLarge(this.name, this.size, this.room);
    if (this.size <= HELD) {
      this.held.push(Buffer.from(bytes));
      return;
    }
    this.file ??= this.spill();
    writeAll(this.file.descriptor, bytes);
  }

  /** All that was written, for the time of `use`. */
  open<T>(use: (bytes: Bytes) => T): T {
    if (this.file === undefined) return use(new BufferBytes(Buffer.concat(this.held)));
    const bytes = new FileBytes(this.file.path);
    try {
      return use(bytes);
    } finally {
      bytes.close();
    }
  }

  /** Removes the temporary file. */
  close(): void {
    if (this.file === undefined) return;
    closeSync(this.file.descriptor);
    rmSync(this.file.folder, { recursive: true, force: true });
    this.file = undefined;
  }

  private spill() {
    const folder = mkdtempSync(join(tmpdir(), 'fledge-'));
    const path = join(folder, 'received');
    const descriptor = openSync(path, 'wx', 0o600);
    for (const bytes of this.held.splice(0)) writeAll(descriptor, bytes);
    return { folder, path, descriptor };
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
