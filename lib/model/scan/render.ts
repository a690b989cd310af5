import { PickleBytes, PickleCall, PickleDict, PickleGlobal, PicklePersistent, PickleSequence, type Value } from '../formats/pickle';

const LONGEST = 200;
const DEEPEST = 4;
const MOST_ITEMS = 8;

/** A value as Python would write it, shortened: what a person needs to see what a call would have done. */
export function render(value: Value | undefined): string {
  const text = shown(value, 0);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/** `os.system('id')` */
export function renderCall(callee: Value, args: Value, keywords?: Value): string {
  const given = args instanceof PickleSequence ? list(args.items, 0) : `*${shown(args, 0)}`;
  const named = keywords instanceof PickleDict ? `, **${shown(keywords, 0)}` : '';
  const text = `${shown(callee, 0)}(${given}${named})`;
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function shown(value: Value | undefined, depth: number): string {
  if (value === undefined) return '?';
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value.slice(0, LONGEST).replace(/\n/g, '\\n')}'`;
  if (typeof value !== 'object') return String(value);
  if (value instanceof PickleGlobal) return value.path;
  if (depth >= DEEPEST) return '...';
  if (value instanceof PickleBytes) return bytes(value);
  if (value instanceof PickleSequence)
    return value.kind === 'tuple' ? `(${list(value.items, depth + 1)})` : `[${list(value.items, depth + 1)}]`;
  if (value instanceof PickleDict) return `{${pairs(value.entries, depth + 1)}}`;
  if (value instanceof PickleCall) {
    return `${shown(value.callee, depth + 1)}(${value.args instanceof PickleSequence ? list(value.args.items, depth + 1) : shown(value.args, depth + 1)})`;
  }
  if (value instanceof PicklePersistent) return `persistent(${shown(value.id, depth + 1)})`;
  return '?';
}

function list(items: readonly Value[] | undefined, depth: number): string {
  const all = items ?? [];
  const some = all.slice(0, MOST_ITEMS).map((item) => shown(item, depth));
  return all.length > MOST_ITEMS ? `${some.join(', ')}, ...` : some.join(', ');
}

function pairs(entries: readonly Value[] | undefined, depth: number): string {
  const some = (entries ?? []).slice(0, MOST_ITEMS * 2);
  return Array.from(
    { length: Math.floor(some.length / 2) },
    (_, i) => `${shown(some[2 * i], depth)}: ${shown(some[2 * i + 1], depth)}`,
  ).join(', ');
}

function bytes(value: PickleBytes): string {
  const head = value
    .content()
    .read(0, 40)
    .toString('latin1')
    .replace(/[^ -~]/g, '.');
  return `b'${head}'${value.length > 40 ? '...' : ''}`;
}

/** Texts and byte strings within a value, at most 200 of them. */
export function texts(value: Value | undefined): string[] {
  const found: string[] = [];
  const waiting: { value: Value | undefined; depth: number }[] = [{ value, depth: 0 }];
  for (let visited = 0; waiting.length > 0 && visited < 200; visited++) {
    const next = waiting.pop()!;
    if (typeof next.value === 'string') found.push(next.value);
    else if (next.value instanceof PickleBytes) found.push(next.value.content().read(0, 4096).toString('latin1'));
    if (next.depth >= DEEPEST || typeof next.value !== 'object' || next.value === null) continue;
    for (const child of children(next.value)) waiting.push({ value: child, depth: next.depth + 1 });
  }
  return found;
}

function children(value: Value): readonly Value[] {
  if (value instanceof PickleSequence) return (value.items ?? []).slice(0, 50);
  if (value instanceof PickleDict) return (value.entries ?? []).slice(0, 50);
  if (value instanceof PickleCall) return [value.args];
  return [];
}
