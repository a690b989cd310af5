import { accessSync, constants, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../model/make-directory';
import { lockDirectory, UnusableDirectory } from './directory-lock';

/** Named values that outlive the process where a state directory was given. Values must survive JSON. */
export class Table<T> {
  private readonly rows: Map<string, T>;

  /** @internal use {@link State.table} */
  constructor(
    rows: Iterable<readonly [string, T]>,
    private readonly changed: () => void,
  ) {
    this.rows = new Map(rows);
  }

  get(key: string): T | undefined {
    return this.rows.get(key);
  }

  has(key: string): boolean {
    return this.rows.has(key);
  }

  set(key: string, row: T): void {
    this.rows.set(key, row);
    this.changed();
  }

  delete(key: string): boolean {
    const had = this.rows.delete(key);
    if (had) this.changed();
    return had;
  }

  /** In the order in which they were first set. */
  values(): T[] {
    return [...this.rows.values()];
  }

  entries(): [string, T][] {
    return [...this.rows.entries()];
  }

  get size(): number {
    return this.rows.size;
  }
}

/** The tables of all services, one JSON file each, replaced as a whole so that a crash leaves the old or the new one. */
export class State {
  private readonly tables = new Map<string, Table<unknown>>();
  private readonly dirty = new Set<string>();
  private readonly unlock: () => void = () => {};

  /**
   * @param directory where the files are; created where it is missing. Without one nothing outlives the process.
   * @throws the file system's error where it cannot be made, or not be written to; UnusableDirectory where another process has it
   */
  constructor(readonly directory?: string) {
    if (directory === undefined) return;
    makeDirectory(directory, 0o700);
    accessSync(directory, constants.W_OK);
    this.unlock = lockDirectory(directory);
  }

  /**
   * The table of this name, with what an earlier process left in it.
   *
   * @throws Error when its file cannot be read
   */
  table<T>(name: string): Table<T> {
    const known = this.tables.get(name);
    if (known !== undefined) return known as Table<T>;
    const table = new Table<T>(this.load<T>(name), () => this.dirty.add(name));
    this.tables.set(name, table as Table<unknown>);
    return table;
  }

  /** Writes what changed since the last flush. Call it before a change is answered. */
  flush(): void {
    if (this.directory === undefined) this.dirty.clear();
    for (const name of this.dirty) {
      const path = join(this.directory!, `${name}.json`);
      try {
        writeFileSync(`${path}.new`, JSON.stringify(this.tables.get(name)!.entries()), { mode: 0o600 });
        renameSync(`${path}.new`, path);
      } catch (error) {
        rmSync(`${path}.new`, { force: true });
        throw error;
      }
      this.dirty.delete(name);
    }
  }

  /** As {@link flush} for a change that no call made. What cannot be written stays to be written, and the next call says why it cannot. */
  flushIfPossible(): void {
    try {
      this.flush();
    } catch {
      // Tables that were not written are still marked.
    }
  }

  /** Writes what is left, and gives the directory free. */
  close(): void {
    try {
      this.flush();
    } finally {
      this.unlock();
    }
  }

  private load<T>(name: string): [string, T][] {
    if (this.directory === undefined) return [];
    const path = join(this.directory, `${name}.json`);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    try {
      return JSON.parse(text) as [string, T][];
    } catch (error) {
      throw new UnusableDirectory(`${path} is not readable as JSON: ${(error as Error).message}; remove it to start empty`);
    }
  }
}
