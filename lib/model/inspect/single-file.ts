import { describe } from './describe';
import { counted } from './describe/description';
import type { Finding } from './finding';
import type { ModelTree } from './model-tree';
import { HIDDEN_MODEL_YAML, MODEL_YAML } from './model-yaml';
import { opened, type Subject, several } from './subject';

/** `model-00002-of-00005.safetensors` */
const SHARD = /^(.*)-(\d{5})-of-(\d{5})(\.[a-z]+)$/;

/** The one file of a directory that is the model; undefined when none is. @throws ModelError `several-models`, `damaged` */
export function singleFile(tree: ModelTree, chosen: string | undefined): Subject | undefined {
  const candidates =
    chosen === undefined ? tree.files.filter(({ path }) => mayBeModel(path)) : tree.files.filter(({ path }) => path === chosen);
  const described = candidates.flatMap((file) => {
    const description = opened(tree, file, (bytes) => describe(bytes, file.path));
    return description === undefined ? [] : [{ ...description, file: file.path }];
  });
  const parts = new Set(described.flatMap(({ file, parts: names = [] }) => names.map((name) => beside(file, name))));
  const whole = described.filter(({ file }) => !parts.has(file));
  const models = whole.some(({ role }) => role === 'model') ? whole.filter(({ role }) => role === 'model') : whole;
  const [first] = models;
  if (first === undefined) return undefined;
  if (models.length === 1) return withParts(tree, first);
  const shards = oneInShards(tree, models);
  if (shards !== undefined) return shards;
  throw several(
    tree,
    models.map(({ file }) => file),
  );
}

/** Handlers, their libraries, and what describes a model are none. */
function mayBeModel(path: string): boolean {
  return path !== MODEL_YAML && path !== HIDDEN_MODEL_YAML && !path.startsWith('code/');
}

function beside(file: string, name: string): string {
  return [...file.split('/').slice(0, -1), ...name.split('/').filter((part) => part !== '.')].join('/');
}

function withParts(tree: ModelTree, subject: Subject): Subject {
  const missing = (subject.parts ?? []).filter((name) => !tree.files.some(({ path }) => path === beside(subject.file, name)));
  const findings = missing.map(
    (name): Finding => ({
      severity: 'error',
      code: 'external-data-missing',
      path: beside(subject.file, name),
      message: `${subject.file} keeps weights in ${name}, which is not there`,
      remedy: 'copy it beside the model: both are needed',
    }),
  );
  return { ...subject, findings: [...subject.findings, ...findings] };
}

/** Shards that are numbered as parts of one; which of them are missing is a finding. */
function oneInShards(tree: ModelTree, models: readonly Subject[]): Subject | undefined {
  const shards = models.map(({ file }) => SHARD.exec(file));
  const [first] = shards;
  if (first === null || first === undefined) return undefined;
  if (!shards.every((shard) => shard !== null && shard[1] === first[1] && shard[3] === first[3])) return undefined;
  const tensors = models.map(({ dtypes = {} }) => Object.entries(dtypes).map(([type, count]) => ({ type, shape: [count] })));
  return {
    ...models[0]!,
    ...counted(tensors.flat()),
    findings: [...models.flatMap(({ findings }) => findings), ...missingShards(tree, first)],
  };
}

function missingShards(tree: ModelTree, [, stem, , total, ending]: RegExpExecArray): Finding[] {
  const names = Array.from({ length: Number(total) }, (_, i) => `${stem}-${String(i + 1).padStart(5, '0')}-of-${total}${ending}`);
  return names.filter((name) => !tree.files.some(({ path }) => path === name)).map(shardMissing);
}

export function shardMissing(name: string): Finding {
  return {
    severity: 'error',
    code: 'shard-missing',
    path: name,
    message: `the weights are in several files, and ${name} is not there`,
    remedy: 'download or copy it too: all of them are needed',
  };
}
