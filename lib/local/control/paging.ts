import { validation } from './errors';

/** What all List operations of SageMaker take. */
export interface ListInput {
  readonly NextToken?: string;
  readonly MaxResults?: number;
  readonly NameContains?: string;
  readonly CreationTimeAfter?: Date;
  readonly CreationTimeBefore?: Date;
  readonly LastModifiedTimeAfter?: Date;
  readonly LastModifiedTimeBefore?: Date;
  readonly SortBy?: string;
  readonly SortOrder?: string;
}

/** What a listed thing is filtered and sorted by; times in milliseconds since 1970. */
export interface Listed {
  readonly name: string;
  readonly created: number;
  readonly modified?: number;
  readonly status?: string;
}

const DEFAULT_PAGE = 10;

/**
 * One page of the rows that fit the filters, and the token of the next. A token names the last row given, so that rows that come or go between two
 * pages neither repeat nor hide others.
 *
 * @throws ServiceError ValidationException for a token that is not one
 */
export function page<Row>(
  rows: readonly Row[],
  input: ListInput,
  listed: (row: Row) => Listed,
  defaultOrder: 'Ascending' | 'Descending' = 'Descending',
): { readonly rows: Row[]; readonly NextToken?: string } {
  const direction = (input.SortOrder ?? defaultOrder) === 'Ascending' ? 1 : -1;
  const keyOf = (row: Row): Key => [sortKey(listed(row), input.SortBy), listed(row).name];
  const after = input.NextToken === undefined ? undefined : readToken(input.NextToken);
  const fitting = rows
    .filter((row) => fits(listed(row), input))
    .filter((row) => after === undefined || compare(keyOf(row), after) * direction > 0)
    .sort((one, other) => compare(keyOf(one), keyOf(other)) * direction);
  const given = fitting.slice(0, input.MaxResults ?? DEFAULT_PAGE);
  if (given.length === fitting.length) return { rows: given };
  return { rows: given, NextToken: Buffer.from(JSON.stringify(keyOf(given[given.length - 1]))).toString('base64url') };
}

type Key = readonly [number | string, string];

function sortKey(listed: Listed, sortBy: string | undefined): number | string {
  switch (sortBy) {
    case 'Name':
      return listed.name;
    case 'Status':
      return listed.status ?? '';
    case 'LastModifiedTime':
      return listed.modified ?? listed.created;
    default:
      return listed.created;
  }
}

function compare(one: Key, other: Key): number {
  if (one[0] !== other[0]) return one[0] < other[0] ? -1 : 1;
  return one[1] < other[1] ? -1 : one[1] > other[1] ? 1 : 0;
}

function fits({ name, created, modified = created }: Listed, input: ListInput): boolean {
  return (
    (input.NameContains === undefined || name.toLowerCase().includes(input.NameContains.toLowerCase())) &&
    within(created, input.CreationTimeAfter, input.CreationTimeBefore) &&
    within(modified, input.LastModifiedTimeAfter, input.LastModifiedTimeBefore)
  );
}

function within(time: number, after: Date | undefined, before: Date | undefined): boolean {
  return (after === undefined || time >= after.getTime()) && (before === undefined || time < before.getTime());
}

function readToken(token: string): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(key) && key.length === 2 && typeof key[1] === 'string') return key as unknown as Key;
  } catch {
    // Not JSON: refused below.
  }
  throw validation(`Invalid pagination token: ${token}`);
}
