import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** What a server may take to end by itself. Milliseconds. */
const PATIENCE = 10_000;

/** A server of another make, run beside a test. It ends with the test's own process group, as by Ctrl-C. */
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
    const child = spawn(command, args, { env, stdio: ['ignore', output, output] });
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

  /** Ends it; what it started ends with it. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const force = setTimeout(() => this.process.kill('SIGKILL'), PATIENCE);
    await ended;
    clearTimeout(force);
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

const endOf = (log: string): string => readFileSync(log, 'utf8').slice(-3000);
