import { createHash } from 'node:crypto';

/** One line of a manifest: a file, or a directory without anything in it. */
export interface ManifestEntry {
  /** Path below the directory, with `/`; an empty directory's ends in `/`. */
  readonly path: string;
  /** 0o644, or 0o755 for a directory and for a file that its owner may run. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the bytes, 64 hexadecimal digits; of no bytes for a directory. */
  readonly sha256: string;
}

/** What a model's files are, whatever their dates, owner, place and packing. */
export interface ContentDigest {
  /** SHA-256 of the manifest's text, 64 hexadecimal digits. */
  readonly digest: string;
  /** Sorted by the bytes of the path. */
  readonly manifest: readonly ManifestEntry[];
  /** Bytes of all files together. */
  readonly bytes: number;
  /** How many files, empty directories not counted. */
  readonly files: number;
}

/** SHA-256 of no bytes: what a manifest says of an empty directory. */
export const EMPTY_SHA256 = createHash('sha256').digest('hex');

/** The manifest as text: one JSON object a line, keys in this order, lines ended by a line feed. */
export function manifestText(manifest: readonly ManifestEntry[]): string {
  return manifest.map(({ path, mode, size, sha256 }) => `${JSON.stringify({ path, mode: mode.toString(8), size, sha256 })}\n`).join('');
}

/** The entries of `manifestText`. @throws SyntaxError, TypeError where the text is none */
export function readManifest(text: string): ManifestEntry[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { path, mode, size, sha256 } = JSON.parse(line) as { path: string; mode: string; size: number; sha256: string };
    return { path, mode: Number.parseInt(mode, 8), size, sha256 };
  });
}

/** The digest of a manifest whose entries are sorted by the bytes of their path. */
export function digestOf(manifest: readonly ManifestEntry[]): ContentDigest {
  return {
    digest: createHash('sha256').update(manifestText(manifest)).digest('hex'),
    manifest,
    bytes: manifest.reduce((sum, entry) => sum + entry.size, 0),
    files: manifest.filter((entry) => !entry.path.endsWith('/')).length,
  };
}
