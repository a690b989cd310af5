import type { NamedTensor } from '../../formats/safetensors';
import type { Finding } from '../finding';
import type { Fact, Framework, ModelFormat } from '../inspection';
import type { Signature } from '../signature';

/** What one file's bytes say. */
export interface Description {
  readonly framework: Framework;
  readonly format: ModelFormat;
  /** `data`: arrays, tables or plain values, a model only where nothing else is. */
  readonly role: 'model' | 'data';
  readonly parameters?: number;
  readonly dtypes?: Readonly<Record<string, number>>;
  readonly signature?: Signature;
  readonly packages?: Readonly<Record<string, string>>;
  readonly python?: string;
  /** Other files that this one cannot do without, relative to it. */
  readonly parts?: readonly string[];
  readonly runsCode: boolean;
  readonly facts: readonly Fact[];
  readonly findings: readonly Finding[];
}

/** Counts the elements of tensors by their type. */
export function counted(
  tensors: Iterable<{ readonly type: string; readonly shape: readonly number[] }>,
): Pick<Description, 'parameters' | 'dtypes'> {
  const dtypes: Record<string, number> = {};
  let parameters = 0;
  for (const { type, shape } of tensors) {
    const elements = shape.reduce((product, size) => product * Math.max(size, 0), 1);
    dtypes[type] = (dtypes[type] ?? 0) + elements;
    parameters += elements;
  }
  return { parameters, dtypes };
}

/** Facts that have a value. */
export function facts(given: Readonly<Record<string, string | number | undefined>>): Fact[] {
  return Object.entries(given).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [{ name, value: String(value) }]));
}

/** A few of many, for a person to read. */
export function few(items: readonly string[], most = 12): string {
  return items.length <= most ? items.join(', ') : `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
}

export function tensors(list: readonly NamedTensor[]): NamedTensor[] {
  return list.map(({ name, type, shape }) => ({ name, type, shape: [...shape] }));
}
