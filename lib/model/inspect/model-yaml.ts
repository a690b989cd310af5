import { parse, YAMLParseError } from 'yaml';
import { ModelError } from '../model-error';
import type { Finding } from './finding';
import type { Signature, TensorSpec } from './signature';

/** What a scan's verdict leads to. */
export type ScanAction = 'refuse' | 'warn';

/** A file that is let in although the scan graded it: by its bytes, and with a reason that a reviewer can judge. */
export interface ScanException {
  /** SHA-256 of the file, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly reason: string;
}

/** `scan` of model.yaml. */
export interface ScanPolicy {
  /** What code that would do harm leads to. @default 'refuse' */
  readonly dangerous: ScanAction;
  /** What a class that no list knows leads to. @default 'warn' */
  readonly unknown: ScanAction;
  readonly allow: readonly ScanException[];
}

/** What the model's author says of it, in `model.yaml` beside it. */
export interface ModelYaml {
  readonly name: string;
  readonly version?: string;
  readonly title?: string;
  readonly description?: string;
  readonly framework?: string;
  readonly format?: string;
  /** The model's main file, where a directory holds several. */
  readonly file?: string;
  readonly signature?: Signature;
  /** How a missing value is written, by element type. */
  readonly missing: Readonly<Record<string, string>>;
  /** Numbers and words, by name: `{ auc: 0.745, on: '2013-07 to 2013-12' }`. */
  readonly metrics: Readonly<Record<string, string | number>>;
  readonly trainingData: Readonly<Record<string, string | number>>;
  /** Versions it was trained with, by package. */
  readonly libraries: Readonly<Record<string, string>>;
  /** An SPDX expression. */
  readonly licence?: string;
  readonly scan?: ScanPolicy;
}

export const MODEL_YAML = 'model.yaml';
/** The same, hidden: for containers that take any other file at the root for the model. */
export const HIDDEN_MODEL_YAML = '.model.yaml';

const KEYS = [
  'name',
  'version',
  'title',
  'description',
  'framework',
  'format',
  'file',
  'signature',
  'inputs',
  'outputs',
  'missing',
  'metrics',
  'trainingData',
  'libraries',
  'licence',
  'scan',
];

/** The characters of a name that also names files and AWS resources. */
const NAME = /^[a-zA-Z0-9](-?[a-zA-Z0-9_.])*$/;
const LARGEST = 1024 * 1024;

/**
 * Reads a model.yaml.
 *
 * @param path for messages
 * @throws ModelError `model-yaml-invalid`, which names the key and what it should be
 */
export function readModelYaml(text: string, path: string): { yaml: ModelYaml; findings: Finding[] } {
  const reader = new YamlReader(path);
  if (text.length > LARGEST) throw reader.wrong('', `it is ${text.length} characters long; at most ${LARGEST} are read`);
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw reader.wrong('', error instanceof YAMLParseError ? error.message.split('\n')[0]! : String(error));
  }
  const root = reader.map(document, '');
  return { yaml: reader.model(root), findings: unknownKeys(root) };
}

function unknownKeys(root: Record<string, unknown>): Finding[] {
  return Object.keys(root)
    .filter((key) => !KEYS.includes(key) && !key.startsWith('x-'))
    .map((key) => ({
      severity: 'warning',
      code: 'model-yaml-unknown-key',
      path: MODEL_YAML,
      message: `the key '${key}' is not one that model.yaml has, and is not read`,
      remedy: `${suggestion(key)}; a key of your own begins with x-`,
    }));
}

function suggestion(key: string): string {
  const plain = (word: string) =>
    word
      .toLowerCase()
      .replace(/[^a-z]/g, '')
      .replace('license', 'licence');
  const near = KEYS.find((known) => plain(known) === plain(key)) ?? KEYS.find((known) => plain(known).startsWith(plain(key).slice(0, 4)));
  return near === undefined ? `the keys are ${KEYS.join(', ')}` : `write ${near}`;
}

class YamlReader {
  constructor(private readonly path: string) {}

  wrong(key: string, what: string): ModelError {
    return new ModelError('model-yaml-invalid', this.path, `${this.path}: ${key === '' ? '' : `${key} `}${what}`);
  }

  map(value: unknown, key: string): Record<string, unknown> {
    if (value === undefined || value === null) return {};
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.wrong(key, `must hold keys and values, and is ${shown(value)}`);
  }

  model(root: Record<string, unknown>): ModelYaml {
    const name = this.text(root.name, 'name');
    if (name === undefined) throw this.wrong('name', 'is missing: it names the model, as in `name: flight-delay`');
    if (!NAME.test(name)) throw this.wrong('name', `must be letters, digits, '-', '_' and '.', and is ${shown(name)}`);
    return {
      name,
      version: this.text(root.version, 'version'),
      title: this.text(root.title, 'title'),
      description: this.text(root.description, 'description'),
      framework: this.text(root.framework, 'framework'),
      format: this.text(root.format, 'format'),
      file: this.text(root.file, 'file'),
      signature: this.signature(root),
      missing: this.texts(root.missing, 'missing'),
      metrics: this.scalars(root.metrics, 'metrics'),
      trainingData: this.scalars(root.trainingData, 'trainingData'),
      libraries: this.texts(root.libraries, 'libraries'),
      licence: this.text(root.licence, 'licence'),
      scan: root.scan === undefined ? undefined : this.scan(this.map(root.scan, 'scan')),
    };
  }

  private text(value: unknown, key: string): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    throw this.wrong(key, `must be a word, and is ${shown(value)}`);
  }

  private texts(value: unknown, key: string): Record<string, string> {
    return Object.fromEntries(Object.entries(this.map(value, key)).map(([name, item]) => [name, this.text(item, `${key}.${name}`) ?? '']));
  }

  private scalars(value: unknown, key: string): Record<string, string | number> {
    return Object.fromEntries(
      Object.entries(this.map(value, key)).map(([name, item]) => {
        if (typeof item === 'number' || typeof item === 'string') return [name, item];
        if (item === null || typeof item === 'boolean') return [name, String(item)];
        throw this.wrong(`${key}.${name}`, `must be a number or a text, and is ${shown(item)}`);
      }),
    );
  }

  /** `signature: { inputs, outputs }`, or the two keys by themselves. */
  private signature(root: Record<string, unknown>): Signature | undefined {
    if (root.signature !== undefined && (root.inputs !== undefined || root.outputs !== undefined)) {
      throw this.wrong('signature', 'is given, and inputs or outputs too: keep one of the two');
    }
    const prefix = root.signature === undefined ? '' : 'signature.';
    const { inputs, outputs } = root.signature === undefined ? root : this.map(root.signature, 'signature');
    if (inputs === undefined && outputs === undefined) return undefined;
    return { inputs: this.tensors(inputs ?? [], `${prefix}inputs`), outputs: this.tensors(outputs ?? [], `${prefix}outputs`) };
  }

  private tensors(value: unknown, key: string): TensorSpec[] {
    if (!Array.isArray(value)) throw this.wrong(key, `must be a list, and is ${shown(value)}`);
    return value.map((item, index) => this.tensor(this.map(item, `${key}[${index}]`), `${key}[${index}]`));
  }

  private tensor(item: Record<string, unknown>, key: string): TensorSpec {
    const name = this.text(item.name, `${key}.name`);
    const type = this.text(item.type, `${key}.type`);
    if (name === undefined) throw this.wrong(`${key}.name`, 'is missing');
    if (type === undefined) throw this.wrong(`${key}.type`, `is missing for ${shown(name)}: float32, int64, string, ...`);
    return item.shape === undefined ? { name, type } : { name, type, shape: this.shape(item.shape, `${key}.shape`) };
  }

  /** A size, or -1, null or a word where any goes. */
  private shape(value: unknown, key: string): number[] {
    if (!Array.isArray(value)) throw this.wrong(key, `must be a list of sizes such as [N, 1], and is ${shown(value)}`);
    return value.map((size) => {
      if (typeof size === 'string' || size === null) return -1;
      if (typeof size === 'number' && Number.isInteger(size) && size >= -1) return size;
      throw this.wrong(key, `holds ${shown(size)}, which is neither a size nor a word for any size`);
    });
  }

  private scan(value: Record<string, unknown>): ScanPolicy {
    const allow = value.allow ?? [];
    if (!Array.isArray(allow)) throw this.wrong('scan.allow', `must be a list, and is ${shown(allow)}`);
    const stray = Object.keys(value).find((key) => !['dangerous', 'unknown', 'allow'].includes(key));
    if (stray !== undefined) throw this.wrong(`scan.${stray}`, 'is not known: dangerous, unknown and allow are');
    return {
      dangerous: this.action(value.dangerous, 'scan.dangerous', 'refuse'),
      unknown: this.action(value.unknown, 'scan.unknown', 'warn'),
      allow: allow.map((item, index) => this.exception(this.map(item, `scan.allow[${index}]`), `scan.allow[${index}]`)),
    };
  }

  private action(value: unknown, key: string, fallback: ScanAction): ScanAction {
    if (value === undefined) return fallback;
    if (value === 'refuse' || value === 'warn') return value;
    throw this.wrong(key, `must be refuse or warn, and is ${shown(value)}`);
  }

  private exception(item: Record<string, unknown>, key: string): ScanException {
    const sha256 = (this.text(item.sha256, `${key}.sha256`) ?? '').replace(/^sha256:/, '').toLowerCase();
    const reason = this.text(item.reason, `${key}.reason`) ?? '';
    if (!/^[0-9a-f]{64}$/.test(sha256))
      throw this.wrong(`${key}.sha256`, `must be the file's SHA-256, 64 hexadecimal digits, and is ${shown(item.sha256)}`);
    if (reason.trim() === '') throw this.wrong(`${key}.reason`, 'is missing: say why these bytes are safe');
    return { sha256, reason };
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
