import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/**
 * A Python environment with what `requirements.txt` of a bench's folder lists, made once for each state of that file.
 *
 * @param cost what a user should know before it is made, such as `8 GB`
 * @returns the folder of its programs
 * @throws where there is no Python, or a package cannot be installed
 */
export function pythonEnvironment(bench: string, cost?: string): string {
  const requirements = join(bench, 'requirements.txt');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `cdk-fledge-bench-${basename(bench)}-${digest}`);
  const bin = join(folder, 'bin');
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    console.log(`making the Python environment of ${basename(bench)} in ${folder}${cost ? ` (${cost})` : ''}`);
    execFileSync('python3', ['-m', 'venv', folder]);
    execFileSync(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', '--requirement', requirements], {
      stdio: 'inherit',
    });
    writeFileSync(complete, '');
  }
  return bin;
}
