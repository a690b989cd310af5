import { PublishError } from './publish-error';

/** How an object goes up in parts. */
export interface PartOptions {
  /** Bytes a part, 5 MiB to 5 GiB. @default - 16 MiB, more where 10,000 parts would not hold the archive */
  readonly partSize?: number;
  /** Parts on their way at once, 1 to 64; so many and one more are held in memory. @default 4 */
  readonly concurrency?: number;
}

const MIB = 2 ** 20;
const PART_SIZE = 16 * MIB;
const LEAST_PART = 5 * MIB;
const LARGEST_PART = 5 * 1024 * MIB;
/** S3 takes 10,000; some are left for an archive that becomes longer than its files. */
const MOST_PARTS = 9_900;
const CONCURRENCY = 4;
const MOST_CONCURRENCY = 64;

/** The size of a part of an object that has about `bytes` bytes: equal models are cut at equal places, on any machine. @throws PublishError `invalid` */
export function partSize(bytes: number, { partSize: asked }: PartOptions): number {
  if (asked === undefined) return Math.max(PART_SIZE, MIB * Math.ceil(bytes / MOST_PARTS / MIB));
  if (Number.isInteger(asked) && asked >= LEAST_PART && asked <= LARGEST_PART) return asked;
  throw new PublishError('invalid', `a part is 5 MiB to 5 GiB (${LEAST_PART} to ${LARGEST_PART} bytes), got ${asked}`);
}

/** How many parts go up at once. @throws PublishError `invalid` */
export function partsAtOnce({ concurrency = CONCURRENCY }: PartOptions): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MOST_CONCURRENCY) return concurrency;
  throw new PublishError('invalid', `concurrency is a whole number from 1 to ${MOST_CONCURRENCY}, got ${concurrency}`);
}
