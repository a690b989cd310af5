import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../harness/ports';
import { virtualEnvironment } from '../harness/virtual-environment';

/** Flask alone of moto's server extra: the rest of it serves services that nobody asks for here. */
const PACKAGES = ['moto==5.2.5', 'flask==3.1.2', 'flask-cors==6.0.1'];

/** moto's server on 127.0.0.1: an AWS in memory, written by others. */
export class Moto {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(): Promise<Moto> {
    const venv = virtualEnvironment('moto', PACKAGES);
    const port = await freePort();
    const child = spawn(join(venv, 'bin/moto_server'), ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    const moto = new Moto(`http://127.0.0.1:${port}`, child);
    try {
      await moto.answers();
      return moto;
    } catch (error) {
      await moto.stop();
      throw error;
    }
  }

  /** Forgets everything. */
  async reset(): Promise<void> {
    await fetch(`${this.url}/moto-api/reset`, { method: 'POST' });
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }

  private async answers(): Promise<void> {
    for (const until = Date.now() + 60_000; Date.now() < until; ) {
      if (this.process.exitCode !== null) throw new Error(`moto_server ended with ${this.process.exitCode} before it answered`);
      const up = await fetch(`${this.url}/moto-api/`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (up) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('moto_server did not answer within a minute');
  }
}
