import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../lib/serving/command/free-port';
import { Background } from './background';
import { virtualEnvironment } from './virtual-environment';

/** `cryptography` is what its KMS makes asymmetric keys with. */
const PACKAGES = ['ministack==1.5.33', 'cryptography==50.0.2'];

/** MiniStack on 127.0.0.1: CloudFormation, Lambda as processes of this machine, S3, EventBridge and the rest of what a stage is made of, without SageMaker. */
export class MiniStack {
  /** The account of every client whose access key is no account's number. */
  static readonly account = '000000000000';
  static readonly region = 'us-east-1';

  private constructor(
    readonly url: string,
    private readonly server: Background,
  ) {}

  /**
   * @param folder for its log and the files of its functions
   * @param environment what every function finds in its environment beside its own variables
   */
  static async start(folder: string, environment: Readonly<Record<string, string>>): Promise<MiniStack> {
    const venv = virtualEnvironment('ministack', PACKAGES);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const tmp = join(folder, 'tmp');
    mkdirSync(tmp, { recursive: true });
    const own = { BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port), IOT_MTLS_ENABLED: '0', TMPDIR: tmp };
    const env = { PATH: process.env.PATH, HOME: folder, ...environment, ...own };
    const server = await Background.start(join(venv, 'bin/ministack'), [], env, `${url}/_ministack/health`, join(folder, 'ministack.log'));
    return new MiniStack(url, server);
  }

  /** Options of any SDK client. */
  get client() {
    return { endpoint: this.url, region: MiniStack.region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  }

  /** Variables that lead the CDK CLI here. */
  get environment(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.url,
      AWS_REGION: MiniStack.region,
      AWS_DEFAULT_REGION: MiniStack.region,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  /**
   * Makes a function durable: MiniStack's CloudFormation leaves its DurableConfig out, and its Lambda wants `Enabled`, which AWS does not have and no SDK sends.
   *
   * @param config as AWS has it
   */
  async makeDurable(functionName: string, config: object): Promise<void> {
    const body = JSON.stringify({ DurableConfig: { ...config, Enabled: true } });
    const answer = await fetch(`${this.url}/2015-03-31/functions/${functionName}/configuration`, { method: 'PUT', body });
    if (!answer.ok) throw new Error(`${functionName} cannot be made durable: ${answer.status} ${await answer.text()}`);
  }

  /** Bodies of the messages that lie in a queue; they stay there. */
  async messages(queue: string): Promise<string[]> {
    const url = `${this.url}/${MiniStack.account}/${queue}`;
    const answer = await fetch(`${this.url}/_ministack/sqs/messages?${new URLSearchParams({ QueueUrl: url })}`);
    const bodies: string[] = [];
    JSON.parse(await answer.text(), (key, value) => {
      if (key === 'Body') bodies.push(value);
      return value;
    });
    return bodies;
  }

  /** Ends it and its functions. */
  stop(): Promise<void> {
    return this.server.stop();
  }
}
