import type { Bytes } from './bytes';

export interface LightgbmModel {
  readonly version: string;
  readonly objective: string;
  readonly classes: number;
  readonly featureNames: string[];
  readonly trees: number;
}

export function startsLikeLightgbm(head: Buffer): boolean {
  return /^tree\r?\nversion=/.test(head.toString('latin1', 0, 40));
}

/** The header's lines stand before the first tree; models of thousands of features have long ones. */
const LONGEST_HEADER = 16 * 1024 * 1024;

/** Reads the header of a LightGBM text model. */
export function readLightgbm(bytes: Bytes): LightgbmModel {
  const lines = new Map<string, string>();
  const head = bytes.read(0, LONGEST_HEADER).toString('utf8');
  const end = head.indexOf('\nTree=0');
  for (const line of head.slice(0, end < 0 ? undefined : end).split(/\r?\n/)) {
    const equals = line.indexOf('=');
    if (equals > 0) lines.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const words = (key: string) => (lines.get(key) ?? '').split(' ').filter((word) => word !== '');
  return {
    version: lines.get('version') ?? '',
    objective: lines.get('objective') ?? '',
    classes: Number(lines.get('num_class') ?? 1),
    featureNames: words('feature_names'),
    trees: words('tree_sizes').length,
  };
}
