import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { digestOf, EMPTY_SHA256, type ManifestEntry, sortByPath } from '../../model/digest';
import { FileBytes } from '../../model/formats/bytes';
import { type TarEntry, tarEntries } from '../../model/formats/tar';

/** Bytes that a model may expand to: beyond it an archive is taken for a bomb. */
const LARGEST_MODEL = 200 * 1024 ** 3;

/**
 * Unpacks a .tar.gz into a directory. Nothing in it may lead out: links, devices, absolute paths and `..` are refused before a byte is written.
 *
 * @param directory empty, or not there yet
 * @returns the content digest of the files, 64 hexadecimal digits
 * @throws Error where the archive is damaged or not safe
 */
export async function unpack(archive: Readable, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const tar = `${directory}.tar`;
  try {
    await pipeline(archive, createGunzip(), bounded(), createWriteStream(tar, { mode: 0o600 }));
    return await unpackTar(tar, directory);
  } finally {
    await rm(tar, { force: true });
  }
}

async function unpackTar(tar: string, directory: string): Promise<string> {
  const entries = membersOf(tar);
  const manifest: ManifestEntry[] = [];
  for (const entry of entries) {
    const mode = entry.kind === 'directory' || (entry.mode & 0o100) !== 0 ? 0o755 : 0o644;
    const target = join(directory, entry.path);
    if (entry.kind === 'directory') {
      await mkdir(target, { recursive: true });
      const empty = !entries.some((other) => other !== entry && other.path.startsWith(entry.path));
      if (empty) manifest.push({ path: entry.path, mode, size: 0, sha256: EMPTY_SHA256 });
      continue;
    }
    await mkdir(dirname(target), { recursive: true });
    manifest.push({ path: entry.path, mode, size: entry.size, sha256: await copy(tar, entry, target, mode) });
  }
  return digestOf(sortByPath(manifest)).digest;
}

/** The members, by the path below the directory; a directory's ends in `/`. */
function membersOf(tar: string): TarEntry[] {
  const bytes = new FileBytes(tar);
  try {
    const members = new Map<string, TarEntry>();
    for (const entry of tarEntries(bytes)) {
      const plain = entry.path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
      if (plain === '' || plain === '.') continue;
      if (entry.kind !== 'file' && entry.kind !== 'directory')
        throw new Error(`the archive is not safe to unpack: ${entry.path} is a ${entry.kind}`);
      if (plain.startsWith('/') || plain.split('/').includes('..'))
        throw new Error(`the archive is not safe to unpack: ${entry.path} leads out of it`);
      const path = entry.kind === 'directory' ? `${plain}/` : plain;
      members.set(path, { ...entry, path });
    }
    return [...members.values()];
  } finally {
    bytes.close();
  }
}

async function copy(tar: string, { offset, size }: TarEntry, target: string, mode: number): Promise<string> {
  const sha256 = createHash('sha256');
  const hashing = new Transform({
    transform(part: Buffer, _, done) {
      sha256.update(part);
      done(null, part);
    },
  });
  // A stream's `end` is inclusive, so it cannot say that there is nothing to read.
  const source = size === 0 ? [] : createReadStream(tar, { start: offset, end: offset + size - 1, highWaterMark: 1 << 20 });
  await pipeline(source, hashing, createWriteStream(target, { mode }));
  return sha256.digest('hex');
}

function bounded(): Transform {
  let size = 0;
  return new Transform({
    transform(part: Buffer, _, done) {
      size += part.length;
      done(size > LARGEST_MODEL ? new Error(`the archive expands to more than ${LARGEST_MODEL} bytes`) : null, part);
    },
  });
}
