import { type Bytes, readExactly } from './bytes';
import { Table } from './flatbuffer';

export interface CatboostModel {
  readonly formatVersion: string;
  readonly featureNames: string[];
  readonly trees: number;
  /** Leaf values. */
  readonly parameters: number;
  /** 1 for regression and two classes. */
  readonly dimension: number;
  readonly version?: string;
  readonly loss?: string;
}

export function startsLikeCatboost(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'CBM1';
}

/** Reads a CatBoost binary model: a FlatBuffer after its mark and length (catboost's model.fbs). @throws RangeError when it is damaged */
export function readCatboost(bytes: Bytes): CatboostModel {
  const size = readExactly(bytes, 4, 4).readUInt32LE();
  const core = Table.root(readExactly(bytes, 8, size));
  const trees = core.table(1);
  const info = new Map(core.tables(2).map((pair) => [pair.text(0), pair.text(1)]));
  const params = parse(info.get('params'));
  return {
    formatVersion: core.text(0),
    featureNames: [...(trees?.tables(5) ?? []), ...(trees?.tables(4) ?? [])]
      .map((feature) => ({ index: feature.int(2, -1), name: feature.text(feature.length(3) > 0 || feature.text(4) !== '' ? 4 : 2) }))
      .sort((a, b) => a.index - b.index)
      .map(({ name, index }) => (name === '' ? String(index) : name)),
    trees: trees?.length(2) ?? 0,
    parameters: trees?.length(8) ?? 0,
    dimension: trees?.int(0, 1) ?? 1,
    version: /v?(\d+\.\d+(\.\d+)?)/.exec(info.get('catboost_version_info') ?? '')?.[1],
    loss: params?.loss_function?.type,
  };
}

function parse(json: string | undefined): { loss_function?: { type?: string } } | undefined {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}
