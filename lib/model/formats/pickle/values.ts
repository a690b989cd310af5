import type { Bytes } from '../bytes';

/** What a pickle would have built, as far as that can be known without building it. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleBytes
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PicklePersistent
  | PickleUnknown;

/** bytes, bytearray or a long byte string: where they stand, unread. */
export class PickleBytes {
  constructor(
    private readonly source: Bytes,
    readonly offset: number,
    readonly length: number,
  ) {}

  content(): Bytes {
    return this.source.slice(this.offset, this.length);
  }
}

export class PickleSequence {
  items: Value[] | undefined;
  /** How many values it stands for once everything shared in it is written out; what hashing or copying it would visit. */
  weight = 1;

  constructor(
    readonly kind: 'list' | 'tuple' | 'set' | 'frozenset',
    items?: Value[],
  ) {
    this.items = items;
    if (items !== undefined) this.weigh(items);
  }

  weigh(added: readonly Value[]): void {
    this.weight += weightOf(added);
  }
}

export class PickleDict {
  /** Key, value, key, value, ... */
  entries: Value[] | undefined;
  /** As PickleSequence's. */
  weight = 1;

  weigh(added: readonly Value[]): void {
    this.weight += weightOf(added);
  }

  get(key: string): Value | undefined {
    const { entries } = this;
    if (entries === undefined) return undefined;
    for (let i = entries.length - 2; i >= 0; i -= 2) if (entries[i] === key) return entries[i + 1];
    return undefined;
  }
}

/** How many values these stand for. Names among them are marked: they are handed on. */
export function weightOf(added: readonly Value[]): number {
  let weight = added.length;
  for (const item of added) {
    if (typeof item !== 'object' || item === null) continue;
    if (item instanceof PickleSequence || item instanceof PickleDict) weight += item.weight - 1;
    else if (item instanceof PickleGlobal) item.isHandedOn = true;
  }
  return weight;
}

/** A name that the pickle imports. */
export class PickleGlobal {
  /** Whether it was put into something, an argument list too, and not only called. */
  isHandedOn = false;

  constructor(
    readonly module: string,
    readonly name: string,
    /** The opcode that asked for it. */
    readonly opcode: string,
    /** Where that opcode stands, in bytes from the start of the pickle's stream. */
    readonly offset: number,
  ) {}

  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** Something called with something, and what was then put into the result. */
export class PickleCall {
  /** What BUILD handed to `__setstate__` or `__dict__`. */
  state: Value | undefined;
  /** What APPEND, APPENDS and ADDITEMS added. */
  items: Value[] | undefined;
  /** What SETITEM and SETITEMS set: key, value, key, value, ... */
  entries: Value[] | undefined;
  /** The raw bytes of the array that this call describes, where joblib put them behind it. */
  raw: Bytes | undefined;
  /** What the pickle behind it holds, where joblib put an array of Python objects there. */
  nested: Value | undefined;

  constructor(
    readonly callee: Value,
    readonly args: Value,
    readonly keywords: Value | undefined,
    readonly opcode: string,
    readonly offset: number,
  ) {}
}

/** An object that lives outside the pickle: torch's storages. */
export class PicklePersistent {
  constructor(
    readonly id: Value,
    readonly offset: number,
  ) {}
}

/** A value that cannot be known: of a damaged pickle, or from outside it. */
export class PickleUnknown {
  constructor(readonly why: string) {}
}

/** The items of a list or tuple; none for anything else. */
export function items(value: Value | undefined): readonly Value[] {
  return value instanceof PickleSequence ? (value.items ?? []) : [];
}

/** What a call calls, as `module.name`; undefined where that is computed. */
export function calleePath(value: Value | undefined): string | undefined {
  return value instanceof PickleCall && value.callee instanceof PickleGlobal ? value.callee.path : undefined;
}

/** A number, whether it was written as a long or not. */
export function asNumber(value: Value | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : undefined;
}
