import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CreateFunctionCommand, GetDurableExecutionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { buildSync } from 'esbuild';
import { columnsOf } from '../../../lib/cli/rehearsal/columns';
import { Replay } from '../../../lib/cli/rehearsal/replay';
import { readTraffic } from '../../../lib/cli/rehearsal/traffic';
import { type LocalSageMaker, startLocal } from '../../../lib/local';
import { Cdk } from '../harness/cdk';
import { fledge, type Ran } from '../harness/fledge';
import { MiniStack } from '../harness/ministack';
import { Relay } from './relay';
import { type Synthesised, type Template, withStandIns } from './stand-ins';

const ROOT = resolve(__dirname, '../../..');
const FLIGHTS = join(ROOT, 'model-artifacts/flight-delay');
/** What functions find the local SageMaker by; the rest of AWS is MiniStack. */
const ITS_SERVICES = ['SAGEMAKER', 'SAGEMAKER_RUNTIME', 'CLOUDWATCH', 'APPLICATION_AUTO_SCALING'];

const STAND_IN = `arn:aws:lambda:${MiniStack.region}:${MiniStack.account}:function:stand-in`;
/** Of the repository's model, that the stack is deployed with. */
const VERSIONS = [1, 2];

interface Samples {
  readonly samples: readonly { readonly inputs: object; readonly outputs: { readonly probability: number } }[];
}

/** MiniStack and a local SageMaker side by side, the CDK CLI between them, and requests that go on. */
export class World {
  readonly s3: S3Client;
  readonly sagemaker: SageMakerClient;
  readonly lambda: LambdaClient;
  readonly relay: Relay;
  private readonly cdk: Cdk;
  private replay: Replay | undefined;
  private readonly assemblies: Record<number, Synthesised> = {};
  private constructor(
    readonly local: LocalSageMaker,
    readonly ministack: MiniStack,
    private readonly folder: string,
  ) {
    const { endpoint, ...rest } = ministack.client;
    this.s3 = new S3Client({ ...ministack.client, forcePathStyle: true });
    this.lambda = new LambdaClient({ endpoint, ...rest });
    this.sagemaker = new SageMakerClient({ ...rest, endpoint: local.url });
    this.relay = new Relay(local, ministack);
    this.cdk = new Cdk(folder, ministack.environment);
  }

  static async start(): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'fledge-stage-'));
    const local = await startLocal({
      account: MiniStack.account,
      region: MiniStack.region,
      timings: { start: 0.5, shift: 0.2, terminate: 0.2, alarmPoll: 0.5 },
    });
    const environment = servicesOf(local);
    let world: World | undefined;
    try {
      // The function of an AwsCustomResource expects an SDK where Lambda has one.
      world = new World(local, await MiniStack.start(folder, { ...environment, NODE_PATH: join(ROOT, 'node_modules') }), folder);
      await Promise.all([world.cdk.bootstrap(MiniStack.account, MiniStack.region), world.standIn(), world.synthAll()]);
      return world;
    } catch (error) {
      await (world === undefined ? local.close() : world.stop());
      throw error;
    }
  }

  /** What `cdk synth` wrote for each version of the model. */
  get synthesised(): Readonly<Record<number, Synthesised>> {
    return this.assemblies;
  }

  private async synthAll(): Promise<void> {
    for (const version of VERSIONS) this.assemblies[version] = await this.synth(version);
  }

  private async synth(version: number): Promise<Synthesised> {
    const assembly = join(this.folder, `assembly-${version}`);
    mkdirSync(assembly, { recursive: true });
    const env = {
      PATH: process.env.PATH,
      HOME: this.folder,
      CDK_OUTDIR: assembly,
      CDK_VALIDATION: 'false',
      CDK_CONTEXT_JSON: JSON.stringify({ 'aws:cdk:enable-path-metadata': true }),
      MODEL_VERSION: String(version),
    };
    await promisify(execFile)(process.execPath, ['--import', 'tsx', join(__dirname, 'app.ts')], { cwd: ROOT, env });
    const file = join(assembly, 'Flights.template.json');
    const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
    writeFileSync(file, JSON.stringify(withStandIns(template, STAND_IN)));
    return { assembly, template };
  }

  /** Deploys, and makes durable what the template says is durable. @returns what CloudFormation touched */
  async deploy({ assembly, template }: Synthesised): Promise<Record<string, string>> {
    const touched = await this.cdk.deploy(assembly);
    for (const { Properties } of Object.values(template.Resources)) {
      const { DurableConfig, FunctionName } = (Properties ?? {}) as { DurableConfig?: object; FunctionName?: string };
      if (DurableConfig !== undefined) await this.ministack.makeDurable(FunctionName!, DurableConfig);
    }
    return touched;
  }

  destroy({ assembly }: Synthesised): Promise<Record<string, string>> {
    return this.cdk.destroy(assembly);
  }

  /** Sends real requests to the endpoint, one after the other of the repository's traffic, until the world stops. */
  traffic(endpointName: string, perSecond: number): void {
    const traffic = readTraffic(join(FLIGHTS, 'traffic.csv.gz'), columnsOf(join(FLIGHTS, '1')));
    this.replay = new Replay({ url: this.local.url, region: this.local.region, endpointName, ...traffic }, () => {});
    this.replay.pace(perSecond, 16);
  }

  private get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, HOME: this.folder, ...this.ministack.environment, ...servicesOf(this.local) };
  }

  /** Ends the requests. */
  async quiet(): Promise<void> {
    await this.replay?.stop();
    this.replay = undefined;
  }

  /** What the endpoint answers to the first recorded sample of a version, and what that version's recorded answer is. */
  async answer(endpointName: string, version: number): Promise<{ readonly probability: number; readonly recorded: number }> {
    const [{ inputs, outputs }] = (JSON.parse(readFileSync(join(FLIGHTS, String(version), 'samples.json'), 'utf8')) as Samples).samples;
    const answer = await fetch(`${this.local.url}/endpoints/${endpointName}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ instances: [inputs] }),
    });
    const { predictions } = (await answer.json()) as { predictions: { probability: number }[] };
    return { probability: predictions[0].probability, recorded: outputs.probability };
  }

  /** Runs the command as whoever looks after the stage does. */
  fledge(...argv: string[]): Promise<Ran> {
    return fledge(this.environment, ...argv);
  }

  /** Registers a version of the model, which waits for approval. */
  async publish(version: number, group: string, bucket: string, stageBucket: string): Promise<void> {
    const directory = join(FLIGHTS, String(version));
    const { code, out, err } = await this.fledge(
      'publish',
      directory,
      '--bucket',
      bucket,
      '--group',
      group,
      '--stage-bucket',
      stageBucket,
      '--json',
    );
    if (code !== 0) throw new Error(err);
    const { key } = JSON.parse(out) as { key: string };
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    await this.local.objects.write(bucket, key, Buffer.from(await Body!.transformToByteArray()));
  }

  /** Waits for a durable execution's end. @throws Error with its reason where it did not succeed, and when it takes longer */
  async result(DurableExecutionArn: string, seconds: number): Promise<string> {
    for (const until = Date.now() + seconds * 1000; Date.now() < until; ) {
      const { Status, Result, Error: error } = await this.lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
      if (Status === 'SUCCEEDED') return Result!;
      if (Status !== 'RUNNING') throw new Error(`${DurableExecutionArn} is ${Status}: ${JSON.stringify(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error(`${DurableExecutionArn} did not end within ${seconds} s`);
  }

  async stop(): Promise<void> {
    await this.quiet();
    this.relay.close();
    for (const client of [this.s3, this.lambda, this.sagemaker]) client.destroy();
    await this.ministack.stop();
    await this.local.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Creates the function that stands in for CloudFormation's own handlers. */
  private async standIn(): Promise<void> {
    const code = join(this.folder, 'stand-in');
    buildSync({
      entryPoints: [join(__dirname, 'stand-in-function.ts')],
      outfile: join(code, 'index.js'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'warning',
    });
    await promisify(execFile)('python3', ['-m', 'zipfile', '-c', `${code}.zip`, join(code, 'index.js')]);
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'stand-in',
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: `arn:aws:iam::${MiniStack.account}:role/stand-in`,
        Timeout: 120,
        Code: { ZipFile: readFileSync(`${code}.zip`) },
      }),
    );
  }
}

function servicesOf(local: LocalSageMaker): Record<string, string> {
  const variables = local.environment();
  return Object.fromEntries(ITS_SERVICES.map((name) => `AWS_ENDPOINT_URL_${name}`).map((name) => [name, variables[name]!]));
}
