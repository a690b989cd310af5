import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const VENVS = resolve(__dirname, '../../../.fledge/venvs');

/** A Python environment below `.fledge/venvs`, made where it is not there yet or holds other versions, which takes a minute. @returns its folder */
export function virtualEnvironment(name: string, packages: readonly string[]): string {
  const venv = join(VENVS, name);
  const list = join(venv, 'installed.txt');
  const wanted = packages.join('\n');
  if (existsSync(list) && readFileSync(list, 'utf8') === wanted) return venv;
  process.stderr.write(`setting up ${venv}: ${packages.join(', ')}\n`);
  rmSync(venv, { recursive: true, force: true });
  execFileSync('python3', ['-m', 'venv', venv]);
  execFileSync(join(venv, 'bin/pip'), ['install', '--quiet', ...packages], { stdio: ['ignore', 'ignore', 'inherit'] });
  writeFileSync(list, wanted);
  return venv;
}
