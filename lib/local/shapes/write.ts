/** JSON as AWS writes it: Dates as seconds since 1970, bytes as base64, members that are undefined left out. */
export function writeJson(value: unknown): string {
  return JSON.stringify(written(value) ?? {});
}

function written(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, written(member)]));
}
