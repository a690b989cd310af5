import { ModelError } from '../model-error';
import { type ArchiveSyncOptions, archive } from './archive';
import { type ArchiveDigestOptions, archiveDigest } from './archive-digest';
import type { ProcessAnswer, ProcessTask } from './sync-process';

/** The process of callers that cannot wait: its argument says what to do, its standard output gets the answer, both as JSON. */

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));

run(JSON.parse(process.argv[2]!) as ProcessTask).then(
  (result) => answer({ result }),
  (error: Error) => {
    const { code, path } = error instanceof ModelError ? error : {};
    answer({ failed: { code, path, message: error.message } });
  },
);

function run({ task, path, options }: ProcessTask): Promise<unknown> {
  if (task === 'digest') return archiveDigest(path, options as ArchiveDigestOptions);
  return archive(path, { ...(options as ArchiveSyncOptions), signal: stop.signal });
}

function answer(said: ProcessAnswer): void {
  process.stdout.write(JSON.stringify(said));
}
