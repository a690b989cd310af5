import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Engine } from '../../lib/serving';

const made: string[] = [];

/** A directory that holds one of the fixtures as model.onnx; `removeDirectories` takes it away. */
export function modelDirectory(fixture: string): string {
  const directory = emptyDirectory();
  copyFileSync(join(__dirname, 'fixtures', `${fixture}.onnx`), join(directory, 'model.onnx'));
  return directory;
}

/** A directory that holds these files. */
export function directoryOf(files: Readonly<Record<string, string>>): string {
  const directory = emptyDirectory();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serving-'));
  made.push(directory);
  return directory;
}

export function removeDirectories(): void {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export interface Heard {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Asks an engine as /invocations would. */
export async function ask(engine: Engine, body: unknown, contentType = 'application/json', accept?: string): Promise<Heard> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const answer = await engine.invoke({ body: bytes, contentType, accept });
  return { status: answer.status, contentType: answer.contentType, text: answer.body.toString() };
}

/** The error that an answer names. */
export function errorOf({ status, text }: Heard): string {
  return `${status} ${JSON.parse(text).error}`;
}
