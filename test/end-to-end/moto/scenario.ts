import * as scaling from '@aws-sdk/client-application-auto-scaling';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as sagemaker from '@aws-sdk/client-sagemaker';

/** An operation and its input. `whole` walks through all pages; `settled` asks until the endpoint is no more being changed. */
export type Call = readonly [operation: string, input: object, how?: 'whole' | 'settled'];

/** Calls one after the other, on a server that knows nothing yet. */
export type Scenarios = Readonly<Record<string, readonly Call[]>>;

/** What a server answered: the output without what no two servers share, or the error. */
export type Answer =
  | { readonly output: unknown }
  | { readonly error: string; readonly status: number | undefined; readonly message: string };

export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

const MODULES = [sagemaker, cloudwatch, scaling] as unknown as Record<string, new (input: object) => unknown>[];
const CLIENTS = [sagemaker.SageMakerClient, cloudwatch.CloudWatchClient, scaling.ApplicationAutoScalingClient];

interface Client {
  send(command: unknown): Promise<Record<string, unknown>>;
  destroy(): void;
}

/** The SDK's own clients of one server. */
export class Clients {
  private readonly clients: Client[];

  constructor(endpoint: string) {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    this.clients = CLIENTS.map((Kind) => new Kind({ endpoint, region: REGION, credentials, maxAttempts: 1 }) as unknown as Client);
  }

  async answers(calls: readonly Call[]): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (const [operation, input, how] of calls) {
      const ask = (more: object = {}) => this.send(operation, { ...input, ...more });
      answers.push(await (how === 'whole' ? allPages(ask) : how === 'settled' ? settled(ask) : answer(ask)));
    }
    return answers;
  }

  close(): void {
    for (const client of this.clients) client.destroy();
  }

  private send(operation: string, input: object): Promise<Record<string, unknown>> {
    const service = MODULES.findIndex((module) => `${operation}Command` in module);
    return this.clients[service].send(new MODULES[service][`${operation}Command`](input));
  }
}

type Ask = (more?: object) => Promise<Record<string, unknown>>;

async function answer(ask: Ask): Promise<Answer> {
  try {
    const { $metadata, ...output } = await ask();
    return { output: comparable(output) };
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { error: name, status: $metadata?.httpStatusCode, message };
  }
}

/** The pages, each without its token: tokens are the server's own. */
async function allPages(ask: Ask): Promise<Answer> {
  const pages: unknown[] = [];
  let NextToken: unknown;
  do {
    const { $metadata, NextToken: next, ...page } = await ask(NextToken === undefined ? {} : { NextToken });
    pages.push(comparable(page));
    NextToken = next;
  } while (NextToken !== undefined && pages.length < 20);
  return { output: pages };
}

async function settled(ask: Ask): Promise<Answer> {
  for (;;) {
    const status = String((await ask()).EndpointStatus);
    if (!/ing$/.test(status)) return answer(ask);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** When a server did something: no two share it. Times that a call gave stay. */
const OWN_TIMES =
  /^(CreationTime|LastModifiedTime|ResolutionTime|AlarmConfigurationUpdatedTimestamp|StateUpdatedTimestamp|StateTransitionedTimestamp)$/;

/** Ids that a server makes up. */
const OWN_IDS = /(?<=:scalable-target\/)[\w-]{36}$|(?<=:scalingPolicy:|:scheduledAction:)[0-9a-f-]{36}(?=:)/;

function comparable(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(OWN_IDS, 'an id');
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, OWN_TIMES.test(name) && member instanceof Date ? 'a time' : comparable(member)]),
  );
}
