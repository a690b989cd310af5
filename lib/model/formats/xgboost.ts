import type { Bytes } from './bytes';
import { isUbjArray, readUbjson, type UbjObject, type UbjValue } from './ubjson';

export interface XgboostModel {
  /** `2.1.3`, where the file says it. */
  readonly version?: string;
  readonly booster: string;
  readonly objective: string;
  readonly features: number;
  readonly featureNames: string[];
  /** 0 or 1 where it is no multi-class model. */
  readonly classes: number;
  readonly trees: number;
  /** Split thresholds and leaf values, or linear weights. */
  readonly parameters: number;
}

export function startsLikeXgboostJson(head: Buffer): boolean {
  return /^\s*\{\s*"(learner|version)"\s*:/.test(head.toString('latin1', 0, 200)) && head.includes('learner');
}

export function startsLikeXgboostUbj(head: Buffer): boolean {
  return head.length > 17 && head[0] === 0x7b && head[1] === 0x4c && /^(learner|version)/.test(head.toString('latin1', 10, 17));
}

/** The binary form that XGBoost 3.1 no longer reads; old files without the `binf` mark cannot be told from other bytes. */
export function startsLikeXgboostBinary(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'binf';
}

/** Larger models are written as UBJSON; a JSON one of this size would take gigabytes to parse. */
const LARGEST_JSON = 128 * 1024 * 1024;

/** Reads a model saved as JSON. @throws Error when it is no XGBoost model, or over 128 MiB */
export function readXgboostJson(bytes: Bytes): XgboostModel {
  if (bytes.size > LARGEST_JSON) throw new Error(`a JSON model of ${bytes.size} bytes is not read; save it as .ubj`);
  return fromDocument(JSON.parse(bytes.read(0, bytes.size).toString('utf8')) as UbjValue);
}

/** Reads a model saved as UBJSON. @throws Error when it is no XGBoost model */
export function readXgboostUbj(bytes: Bytes): XgboostModel {
  return fromDocument(readUbjson(bytes));
}

/** XGBoost's model schema: doc/model.schema in its repository. */
function fromDocument(document: UbjValue): XgboostModel {
  const learner = at(document, 'learner');
  if (learner === undefined) throw new Error('it has no learner: a text dump cannot be loaded again; use save_model');
  const booster = at(learner, 'gradient_booster');
  const gbtree = at(booster, 'model') ?? at(booster, 'gbtree', 'model');
  const trees = at(gbtree, 'trees');
  const version = at(document, 'version');
  return {
    version: Array.isArray(version) ? version.join('.') : undefined,
    booster: text(at(booster, 'name')),
    objective: text(at(learner, 'objective', 'name')),
    features: Number(at(learner, 'learner_model_param', 'num_feature') ?? 0),
    featureNames: list(at(learner, 'feature_names')).map(String),
    classes: Number(at(learner, 'learner_model_param', 'num_class') ?? 0),
    trees: list(trees).length,
    parameters: list(trees).reduce<number>((sum, tree) => sum + length(at(tree, 'split_conditions')), 0) + length(at(gbtree, 'weights')),
  };
}

function at(value: UbjValue | undefined, ...keys: string[]): UbjValue | undefined {
  let current = value;
  for (const key of keys) {
    if (typeof current !== 'object' || current === null || Array.isArray(current)) return undefined;
    current = (current as UbjObject)[key];
  }
  return current;
}

function text(value: UbjValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function list(value: UbjValue | undefined): readonly UbjValue[] {
  return Array.isArray(value) ? value : [];
}

function length(value: UbjValue | undefined): number {
  return isUbjArray(value) ? value.count : list(value).length;
}
