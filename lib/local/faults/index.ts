/** What can be made to go wrong, where and when. */
export * from './faults';
export * from './random';
export * from './rules';
