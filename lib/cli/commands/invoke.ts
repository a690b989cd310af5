import { readFileSync } from 'node:fs';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { Command } from 'commander';
import { EXIT, UserError } from '../exit-codes';
import { wholeBetween } from '../options';
import { problemOf } from '../problem';
import { measure, noneRight } from '../rehearsal/measure';
import { throughClient } from '../rehearsal/narration';
import { Replay } from '../rehearsal/replay';
import { readTraffic, unknownOutcomes } from '../rehearsal/traffic';
import type { Session } from '../session';
import { counted } from '../sizes';
import { Terminal } from '../terminal';

const VARIABLE = 'AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME';

/** `fledge invoke`: requests to an endpoint. */
export function addInvoke(root: Command, session: Session): void {
  root
    .command('invoke')
    .description('send one request to an endpoint, or replay a traffic file and measure the answers')
    .argument('<endpoint>', 'name of the endpoint')
    .option('--url <url>', 'of a SageMaker on this machine', process.env[VARIABLE])
    .option('--body <text>', 'the request; @FILE reads it from a file, @- from standard input')
    .option('--content-type <type>', 'type of the request', 'application/json')
    .option('--accept <type>', 'wanted type of the answer', 'application/json')
    .option('--variant <name>', 'ask this production variant')
    .option('--traffic <file>', 'requests to replay: CSV with a header or JSON lines, .gz or not')
    .option('--no-header', "send the rows of CSV in the file's order, without the names of their columns before each")
    .option('--requests <n>', 'how many of them', wholeBetween(1, 1e9), 10_000)
    .option('--clients <n>', 'requests under way at once', wholeBetween(1, 1024), 16)
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExit codes: 0 every request was answered, 1 one was not, or another error, 2 wrong usage, 130 interrupted.')
    .action(async (endpoint: string, options: Options, command: Command) => {
      checkUsage(options, command);
      if (options.traffic === undefined) await invokeOnce(endpoint, options);
      else session.exitCode = await invokeMany(endpoint, options, options.traffic, session.signal);
    });
}

interface Options {
  readonly url?: string;
  readonly body?: string;
  readonly contentType: string;
  readonly accept: string;
  readonly variant?: string;
  readonly traffic?: string;
  readonly header: boolean;
  readonly requests: number;
  readonly clients: number;
  readonly json?: boolean;
}

function checkUsage({ body, traffic, url }: Options, command: Command): void {
  if ((body === undefined) === (traffic === undefined)) command.error('error: give either --body or --traffic');
  if (traffic !== undefined && !url)
    command.error('error: --traffic wants the --url of a SageMaker on this machine: no load is sent to AWS');
  if (body === '@') command.error('error: --body @ names no file: @FILE reads one, @- standard input');
  if (url !== undefined && !(/^https?:/.test(url) && URL.canParse(url)))
    command.error(`error: '${url}' is no URL of --url or ${VARIABLE}: it begins with http:// or https://`);
}

async function invokeOnce(endpoint: string, options: Options): Promise<void> {
  const body = bodyOf(options.body!);
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
        Body: body,
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

function bodyOf(given: string): Buffer {
  if (!given.startsWith('@')) return Buffer.from(given);
  const path = given.slice(1);
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    // Of a folder, Node does not say which.
    const problem = problemOf(Object.assign(error as Error, { path }));
    throw new UserError(`--body cannot be read: ${problem ?? (error as Error).message}`);
  }
}

async function invokeMany(endpoint: string, options: Options, file: string, signal: AbortSignal): Promise<number> {
  const { url, variant, requests, clients, header } = options;
  const terminal = new Terminal(options.json ?? false);
  const traffic = readTraffic(file, { header });
  const unknown = unknownOutcomes(file, traffic);
  if (unknown !== undefined) terminal.warn(`warning: ${unknown}`);
  const replay = new Replay({ url: url!, region: 'us-east-1', endpointName: endpoint, variant, ...traffic }, () =>
    terminal.now(`${replay.requests} of ${requests} requests, ${replay.failed} failed`),
  );
  try {
    const figures = await measure(replay, requests, clients, signal);
    const { failed, accuracy } = figures;
    terminal.now();
    terminal.result({ endpoint, ...figures, failures: replay.failures });
    if (!options.json) {
      const right = accuracy === null ? '' : `: accuracy ${(100 * accuracy).toFixed(1)} %`;
      terminal.say(`${counted(figures.requests, 'request')}, ${failed} failed${right}`);
      terminal.say(throughClient(figures));
      for (const failure of replay.failures) terminal.say(`  ${failure}`);
    }
    const alike = noneRight(figures, replay);
    if (alike !== undefined) terminal.warn(`warning: ${alike}`);
    if (failed === requests && traffic.header !== undefined && replay.failures.some((said) => said.startsWith('ModelError:')))
      terminal.warn('each request began with the names of its columns: a model that takes none wants --no-header');
    return failed === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await replay.stop();
  }
}
