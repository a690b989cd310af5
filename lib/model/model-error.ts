/**
 * Anything that is wrong with a model's files. The message says what is wrong, where, and what to do about it;
 * `code` is stable and made for programs.
 */
export class ModelError extends Error {
  constructor(
    /** What is wrong, as a stable word: `empty-directory`, `several-models`, ... */
    readonly code: string,
    /** The file or directory that it is about, as the caller named it. */
    readonly path: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}
