import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** A server of another make, run beside a test and ended with all that it started. */
export class Background {
  private constructor(private readonly process: ChildProcess) {}

  /**
   * Resolves when `url` answers.
   *
   * @param log file for what it says
   * @throws Error with the end of its log when it ends or does not answer within a minute
   */
  static async start(command: string, args: readonly string[], env: NodeJS.ProcessEnv, url: string, log: string): Promise<Background> {
    const output = createWriteStream(log);
    await once(output, 'open');
    const child = spawn(command, args, { env, stdio: ['ignore', output, output], detached: true });
    const server = new Background(child);
    try {
      for (const until = Date.now() + 60_000; Date.now() < until; ) {
        if (child.exitCode !== null) throw new Error(`${basename(command)} ended with ${child.exitCode}:\n${endOf(log)}`);
        if (await answers(url)) return server;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`${basename(command)} did not answer at ${url} within a minute:\n${endOf(log)}`);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Ends it and its children. */
  async stop(): Promise<void> {
    const ended = this.process.exitCode === null && this.process.signalCode === null ? once(this.process, 'exit') : undefined;
    try {
      process.kill(-this.process.pid!, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await ended;
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

const endOf = (log: string): string => readFileSync(log, 'utf8').slice(-3000);
