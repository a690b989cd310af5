/** One time for everything: runs at a chosen speed, or jumps. */
export * from './clock';
