import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const CDK = resolve(__dirname, '../../../node_modules/.bin/cdk');

/** The pinned CDK CLI in a folder of its own, with nothing of this machine's configuration. */
export class Cdk {
  private readonly env: NodeJS.ProcessEnv;

  constructor(
    private readonly folder: string,
    environment: Readonly<Record<string, string>>,
  ) {
    this.env = { PATH: process.env.PATH, HOME: folder, CI: '1', CDK_DISABLE_CLI_TELEMETRY: '1', ...environment };
  }

  async bootstrap(account: string, region: string): Promise<void> {
    await this.run('bootstrap', `aws://${account}/${region}`);
  }

  /** @returns the resources that CloudFormation touched, by their paths, each with what happened to it last */
  async deploy(assembly: string): Promise<Record<string, string>> {
    const said = await this.run('deploy', '--app', assembly, '--all', '--require-approval', 'never', '--progress', 'events');
    return eventsOf(said);
  }

  async destroy(assembly: string): Promise<Record<string, string>> {
    return eventsOf(await this.run('destroy', '--app', assembly, '--all', '--force', '--progress', 'events'));
  }

  private async run(...args: string[]): Promise<string> {
    try {
      const { stdout, stderr } = await promisify(execFile)(CDK, args, { cwd: this.folder, env: this.env, maxBuffer: 1 << 26 });
      return stdout + stderr;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`cdk ${args[0]} failed:\n${stdout}${stderr}`);
    }
  }
}

/** `Stack | 3/9 | 1:23:31 AM | CREATE_COMPLETE | AWS::S3::Bucket | Store/Models/Bucket (StoreModelsBucket1234)` */
function eventsOf(said: string): Record<string, string> {
  const events: Record<string, string> = {};
  for (const line of said.split('\n')) {
    const [, , , status, type, place] = line.split('|').map((part) => part.trim());
    if (place !== undefined && /^[A-Z]+_[A-Z_]+$/.test(status) && type !== 'AWS::CloudFormation::Stack') events[place] = status;
  }
  return events;
}
