import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../lib/serving/command/free-port';
import { Background } from '../harness/background';
import { virtualEnvironment } from '../harness/virtual-environment';

/** Flask alone of moto's server extra: the rest of it serves services that nobody asks for here. */
const PACKAGES = ['moto==5.2.5', 'flask==3.1.2', 'flask-cors==6.0.1'];

/** moto's server on 127.0.0.1: an AWS in memory, written by others. */
export class Moto {
  private constructor(
    readonly url: string,
    private readonly server: Background,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Moto> {
    const venv = virtualEnvironment('moto', PACKAGES);
    const folder = mkdtempSync(join(tmpdir(), 'fledge-moto-'));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const env = { PATH: process.env.PATH, HOME: folder };
    const args = ['-H', '127.0.0.1', '-p', String(port)];
    const server = await Background.start(join(venv, 'bin/moto_server'), args, env, `${url}/moto-api/`, join(folder, 'log'));
    return new Moto(url, server, folder);
  }

  /** Forgets everything. */
  async reset(): Promise<void> {
    await fetch(`${this.url}/moto-api/reset`, { method: 'POST' });
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true });
  }
}
