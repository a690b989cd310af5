import { availableParallelism } from 'node:os';
import type { ArchiveMode } from './choose-method';

/**
 * Megabits a second up to which saving bytes takes less time than sending them, for each processor that packs: on two of them `size` packs
 * 1 GiB of weights to 870 MB in 3.5 s, `speed` to 912 MB in 2.7 s, and `stored` leaves 1,074 MB.
 */
const PAYS = { size: 1_000, speed: 1_500 } as const;

/** The mode in which a model is up soonest over an uplink. @param megabits a second, above 0 @throws RangeError */
export function modeForUplink(megabits: number, processors = availableParallelism()): ArchiveMode {
  if (!(megabits > 0)) throw new RangeError(`an uplink has more than 0 Mbit/s, got ${megabits}`);
  if (megabits <= PAYS.size * processors) return 'size';
  return megabits <= PAYS.speed * processors ? 'speed' : 'stored';
}
