import { ModelError } from '../model-error';
import { type ArchiveSyncOptions, archive, type ProcessAnswer } from './archive';

/** The process of `archiveSync`: its argument says what to pack, its standard output gets the answer, both as JSON. */

const { directory, options } = JSON.parse(process.argv[2]!) as { directory: string; options: ArchiveSyncOptions };
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));

archive(directory, { ...options, signal: stop.signal }).then(
  (result) => answer({ result }),
  (error: Error) => {
    const { code, path } = error instanceof ModelError ? error : {};
    answer({ failed: { code, path, message: error.message } });
  },
);

function answer(said: ProcessAnswer): void {
  process.stdout.write(JSON.stringify(said));
}
