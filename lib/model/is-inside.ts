import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

/** Whether a path, which need not exist yet, is `place` or lies in it, wherever links lead. */
export function isInside(path: string, place: string): boolean {
  const way = relative(realpathSync(place), realPath(resolve(path)));
  return way !== '..' && !way.startsWith(`..${sep}`);
}

/** Of what does not exist, by the nearest directory above it that does. */
function realPath(path: string): string {
  return existsSync(path) || dirname(path) === path ? realpathSync(path) : join(realPath(dirname(path)), basename(path));
}
