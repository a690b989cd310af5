/** The judge: counts of both arms in, a verdict with a stated error rate out; pure functions. */
export type * from './types';
