const LOOPBACK = /^(?:127\.0\.0\.1|\[::1\]|(?:[^:/]+\.)?localhost)(?::\d+)?$/i;

/**
 * The Host that a request names, where it is not this machine: a page of the web whose name was made to lead to 127.0.0.1 would come by it.
 *
 * @param rawHeaders names and values in turn
 */
export function foreignHost(rawHeaders: readonly string[]): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    const host = rawHeaders[index + 1];
    return LOOPBACK.test(host) ? undefined : host;
  }
  return undefined;
}
