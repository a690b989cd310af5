import { readFileSync } from 'node:fs';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { Command } from 'commander';
import { startLocal } from '../../local';
import { awsPorts } from '../../promotion';
import { UserError } from '../exit-codes';
import { LocalStage } from '../local-stage';
import { ended, wholeBetween } from '../options';
import { problemOf } from '../problem';
import { measure } from '../rehearsal/measure';
import { throughClient } from '../rehearsal/narration';
import { Replay } from '../rehearsal/replay';
import { readTraffic } from '../rehearsal/traffic';
import type { Session } from '../session';
import { counted } from '../sizes';
import { Terminal } from '../terminal';
import { addLocal } from './local';

/** `fledge serve`, `fledge local` and `fledge invoke`: a SageMaker on this machine, with a model or without one, and requests to it. */
export function addServingCommands(root: Command, session: Session): void {
  root
    .command('serve')
    .description('serve a model directory on 127.0.0.1 behind the SageMaker runtime API, until Ctrl-C')
    .argument('<directory>', 'a model directory')
    .option('--endpoint <name>', 'name of the endpoint', 'model')
    .option('--port <port>', '0 takes a free one', wholeBetween(0, 65_535), 8080)
    .option('--allow-code', "let the model's own Python code run")
    .option(
      '--command <command>',
      'a command of your shell that serves the model: /ping and /invocations at the port in SAGEMAKER_BIND_TO_PORT',
    )
    .action(async (directory: string, { port, ...options }: ServeOptions) => {
      const terminal = new Terminal(false);
      const command = options.command === undefined ? undefined : ['sh', '-c', options.command];
      const local = await startLocal({
        port,
        engines: { allowCode: options.allowCode ?? false, command },
        timings: { start: 0 },
        warn: (message) => terminal.warn(`warning: ${message}`),
      });
      try {
        Object.assign(process.env, local.environment());
        const stage = await LocalStage.open(awsPorts(), options.endpoint);
        const version = await stage.publish(directory);
        await stage.deploy(options.endpoint, version);
        terminal.say(
          `${version.inspection.name} ${version.inspection.version ?? ''} answers at ${local.url}/endpoints/${options.endpoint}/invocations`,
        );
        terminal.say(`fledge invoke ${options.endpoint} --url ${local.url} --body '...'        from another shell`);
        terminal.say(`export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=${local.url}        for any AWS SDK or CLI`);
        await ended(session.signal);
      } finally {
        await local.close();
      }
    });

  addLocal(root, session);

  root
    .command('invoke')
    .description('send one request to an endpoint, or replay a traffic file and measure the answers')
    .argument('<endpoint>', 'name of the endpoint')
    .option('--url <url>', 'of a SageMaker on this machine', process.env.AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME)
    .option('--body <text>', 'the request; @FILE reads it from a file, @- from standard input')
    .option('--content-type <type>', 'type of the request', 'application/json')
    .option('--accept <type>', 'wanted type of the answer', 'application/json')
    .option('--variant <name>', 'ask this production variant')
    .option('--traffic <file>', 'requests to replay: CSV with a header or JSON lines, .gz or not')
    .option('--requests <n>', 'how many of them', wholeBetween(1, 1e9), 10_000)
    .option('--clients <n>', 'requests under way at once', wholeBetween(1, 1024), 16)
    .option('--json', 'one JSON document on standard output')
    .action(async (endpoint: string, options: InvokeOptions) => {
      if ((options.body === undefined) === (options.traffic === undefined)) throw new UserError('give either --body or --traffic');
      if (options.traffic === undefined) await invokeOnce(endpoint, options);
      else await invokeMany(endpoint, options, options.traffic, session.signal);
    });
}

interface ServeOptions {
  readonly endpoint: string;
  readonly port: number;
  readonly allowCode?: boolean;
  readonly command?: string;
}

interface InvokeOptions {
  readonly url?: string;
  readonly body?: string;
  readonly contentType: string;
  readonly accept: string;
  readonly variant?: string;
  readonly traffic?: string;
  readonly requests: number;
  readonly clients: number;
  readonly json?: boolean;
}

async function invokeOnce(endpoint: string, options: InvokeOptions): Promise<void> {
  const body = options.body!;
  const source = body.startsWith('@') ? (body === '@-' ? 0 : body.slice(1)) : undefined;
  const local = options.url
    ? { endpoint: options.url, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
    : {};
  const client = new SageMakerRuntimeClient(local);
  try {
    const answer = await client.send(
      new InvokeEndpointCommand({
        EndpointName: endpoint,
        ContentType: options.contentType,
        Accept: options.accept,
        TargetVariant: options.variant,
        Body: source === undefined ? Buffer.from(body) : readFileSync(source),
      }),
    );
    const text = Buffer.from(answer.Body!).toString('utf8');
    const document = { variant: answer.InvokedProductionVariant, contentType: answer.ContentType, body: text };
    new Terminal(options.json ?? false).result(document);
    if (!options.json) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  } catch (error) {
    throw new UserError(
      `${endpoint} did not answer: ${problemOf(error, options.url) ?? `${(error as Error).name}: ${(error as Error).message}`}`,
    );
  } finally {
    client.destroy();
  }
}

async function invokeMany(endpoint: string, options: InvokeOptions, file: string, signal: AbortSignal): Promise<void> {
  if (!options.url) throw new UserError('--traffic wants the --url of a SageMaker on this machine: no load is sent to AWS');
  const terminal = new Terminal(options.json ?? false);
  const traffic = readTraffic(file);
  const replay = new Replay({ url: options.url, region: 'us-east-1', endpointName: endpoint, ...traffic }, () =>
    terminal.now(`${replay.requests} of ${options.requests} requests, ${replay.failed} failed`),
  );
  try {
    const figures = await measure(replay, options.requests, options.clients, signal);
    terminal.now();
    terminal.result({ endpoint, ...figures, failures: replay.failures });
    if (options.json) return;
    const accuracy = figures.accuracy === null ? '' : `: accuracy ${(100 * figures.accuracy).toFixed(1)} %`;
    terminal.say(`${counted(figures.requests, 'request')}, ${figures.failed} failed${accuracy}`);
    terminal.say(throughClient(figures));
    for (const failure of replay.failures) terminal.say(`  ${failure}`);
  } finally {
    await replay.stop();
  }
}
