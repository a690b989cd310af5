import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of dead buffers that may pile up. */
const PILE = 4 * 2 ** 20;

/**
 * Has dead buffers freed soon. V8 counts what buffers hold outside its heap for little and lets some 32 MiB of them pile up in each thread,
 * which would be most of an archive worker's memory. For threads of our own only: it changes V8's flags.
 *
 * @returns to be told of each dead buffer's bytes
 */
export function promptCollection(): (bytes: number) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  let pile = 0;
  return (bytes) => {
    pile += bytes;
    if (pile < PILE) return;
    pile = 0;
    collect({ type: 'minor' });
  };
}
