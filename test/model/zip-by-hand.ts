import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile {
  readonly name: string;
  readonly localName?: string;
  readonly content: Buffer;
  readonly deflate?: boolean;
  readonly flags?: number;
  readonly crc?: number;
}

export interface ZipOptions {
  readonly directory?: boolean;
  /** As torch writes them: sizes behind the files and not before them, and zip64's records at the end. */
  readonly torch?: boolean;
}

/** A zip written by hand, so that its two directories can disagree. */
export function zip(files: readonly ZipFile[], options: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, localName = name, content, deflate = false, flags = 0, crc = crc32(content) } of files) {
    const data = deflate ? deflateRawSync(content) : content;
    const fixed = Buffer.alloc(26);
    fixed.writeUInt16LE(20, 0);
    fixed.writeUInt16LE(flags, 2);
    fixed.writeUInt16LE(deflate ? 8 : 0, 4);
    fixed.writeUInt32LE(crc, 10);
    fixed.writeUInt32LE(data.length, 14);
    fixed.writeUInt32LE(content.length, 18);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fixed, Buffer.from(localName), data]);
    local.writeUInt16LE(localName.length, 26);
    if (options.torch) local.writeUInt16LE(flags | 8, 6);
    if (options.torch) local.fill(0, 14, 26);
    const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), fixed, Buffer.alloc(14), Buffer.from(name)]);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    parts.push(local);
    directory.push(central);
    at += local.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat(
    options.directory === false ? parts : [...parts, ...directory, ...(options.torch ? zip64(files.length, size, at) : []), end],
  );
}

function zip64(count: number, size: number, offset: number): Buffer[] {
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(count), at);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return [record, locator];
}
