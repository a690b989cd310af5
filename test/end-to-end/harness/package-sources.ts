import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../..');
const SOURCES = ['.ci', '.npmrc', 'lib', 'bin', 'docs', 'package.json', 'tsconfig.json', 'README.md', 'API.md', 'LICENSE'];

/** The sources as a release has them, in a folder of their own, with real copies of what is bundled: npm packs no links. @returns the folder */
export function packageSources(copy: string): string {
  mkdirSync(join(copy, 'node_modules'), { recursive: true });
  for (const name of SOURCES) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  const { bundledDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { bundledDependencies: string[] };
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    const [from, to] = [join(ROOT, 'node_modules', name), join(copy, 'node_modules', name)];
    if (bundledDependencies.includes(name)) cpSync(from, to, { recursive: true });
    else symlinkSync(from, to);
  }
  return copy;
}
