import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Call, Ended } from './shipped-function-process';

/** Durable functions as they are shipped, run by AWS's own local runner, which waits in no time. */
export class ShippedFunctions {
  private constructor(private readonly process: ChildProcess) {}

  static async start(): Promise<ShippedFunctions> {
    const process = fork(join(__dirname, 'shipped-function-process.ts'), { execArgv: ['--import', 'tsx'] });
    await once(process, 'message');
    return new ShippedFunctions(process);
  }

  /** @param name below `dist/lambda` */
  async run(name: string, environment: Call['environment'], payload: object): Promise<Ended> {
    const call: Call = { bundle: join(__dirname, '../../../dist/lambda', name, 'index.js'), environment, payload };
    this.process.send(call);
    const [ended] = (await once(this.process, 'message')) as [Ended];
    return ended;
  }

  async stop(): Promise<void> {
    this.process.kill();
    await once(this.process, 'exit');
  }
}
