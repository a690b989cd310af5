import { createHash, type Hash } from 'node:crypto';
import { EMPTY_SHA256, type ManifestEntry, sortByPath } from '../digest';
import { ModelError } from '../model-error';
import type { TarHeader, TarVisitor } from './tar-reader';

/** Collects a manifest from a tar stream, and refuses what is not safe to unpack. */
export class Listing implements TarVisitor {
  private readonly files = new Map<string, ManifestEntry>();
  private readonly directories = new Set<string>();
  private current: { readonly path: string; readonly header: TarHeader; readonly hash: Hash } | undefined;

  constructor(private readonly archive: string) {}

  member(header: TarHeader): void {
    const path = this.safeName(header.path);
    if (header.type === 'link') throw this.unsafe(`${header.path} is a link: pack what it leads to (tar -czh --hard-dereference)`);
    if (header.type === 'other') throw this.unsafe(`${header.path} is neither a file nor a directory`);
    if (this.files.has(path) || (header.type === 'file' && this.directories.has(path))) throw this.unsafe(`${path} is in it twice`);
    for (const parent of parents(path)) {
      if (this.files.has(parent)) throw this.unsafe(`${parent} is in it as a file and as a directory`);
      this.directories.add(parent);
    }
    if (header.type === 'directory') this.directories.add(path);
    else this.current = { path, header, hash: createHash('sha256') };
  }

  data(bytes: Buffer): void {
    this.current?.hash.update(bytes);
  }

  memberEnd(): void {
    if (this.current === undefined) return;
    const { path, header, hash } = this.current;
    this.files.set(path, { path, mode: header.mode & 0o100 ? 0o755 : 0o644, size: header.size, sha256: hash.digest('hex') });
    this.current = undefined;
  }

  /** @throws ModelError `empty-directory` */
  manifest(): ManifestEntry[] {
    if (this.files.size === 0)
      throw new ModelError('empty-directory', this.archive, `${this.archive} holds no files: it needs at least the model`);
    const full = new Set([...this.files.keys(), ...this.directories].flatMap(parents));
    const empty = [...this.directories].filter((directory) => directory !== '' && !full.has(directory));
    return sortByPath([...this.files.values(), ...empty.map((path) => ({ path: `${path}/`, mode: 0o755, size: 0, sha256: EMPTY_SHA256 }))]);
  }

  /** The name below the archive's root, without `./` and a closing `/`. */
  private safeName(name: string): string {
    if (name.startsWith('/')) throw this.unsafe(`${name} starts at the root of the file system`);
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw this.unsafe(`${name} leads out of it`);
    if (name.includes('\0') || name.includes('\ufffd')) throw this.unsafe(`the name ${JSON.stringify(name)} is not valid UTF-8`);
    return parts.join('/');
  }

  private unsafe(what: string): ModelError {
    return new ModelError('unsafe-archive', this.archive, `${this.archive} is not safe to unpack: ${what}; make it again without that`);
  }
}

/** The directories above a path, without the root. */
function parents(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
