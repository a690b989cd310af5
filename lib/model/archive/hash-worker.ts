import { parentPort, workerData } from 'node:worker_threads';
import { FileHasher, type FileSpan, type HashedFile } from './file-hasher';
import { openMemory } from './slots';
import type { SharedMemory } from './web-assembly';

/** A worker thread's program: hashes the files in the slots that it is told, in that order, and answers with those that ended. */

export interface HashTask {
  readonly slot: number;
  readonly spans: readonly FileSpan[];
}

const slots = openMemory(workerData as SharedMemory);
const hasher = new FileHasher();

parentPort!.on('message', ({ slot, spans }: HashTask) => {
  const ended: HashedFile[] = hasher.add(slots.slot(slot).input, spans);
  parentPort!.postMessage(ended);
});
