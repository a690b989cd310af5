import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { LocalContext } from '../context';
import { type LocalRequest, type LocalResponse, ServiceError } from '../server';
import { parseS3Uri } from '../storage/objects';
import { ASYNC_TIMEOUT, askModel } from './ask-model';
import { validationError } from './errors';
import { HeaderReader, type InvocationHeaders } from './headers';
import { invocationOf } from './invoke';
import type { AsyncOutput, Route, Routes } from './route';
import { chooseVariant } from './traffic';

const headerReader = new HeaderReader('InvokeEndpointAsync');

/** Of a body in the request itself, in bytes. */
const INLINE_LIMIT = 128_000;

/** Of an object that is the request, in bytes. */
const OBJECT_LIMIT = 1024 ** 3;

/** How long a request may wait for the model where the caller names no other time, in seconds. */
const DEFAULT_TTL = 21_600;

interface Waiting {
  readonly given: InvocationHeaders;
  readonly inline: Buffer | undefined;
  readonly accepted: number;
  readonly output: string;
  readonly failure: string;
}

/** The queue of one endpoint. */
interface Queue {
  readonly waiting: Waiting[];
  working: number;
}

/** InvokeEndpointAsync: requests wait in a queue for the model, which reads them from S3 and answers there. */
export class AsyncInvocations {
  private readonly queues = new Map<string, Queue>();
  private readonly work = new Set<Promise<void>>();
  private closed = false;

  constructor(
    private readonly context: LocalContext,
    private readonly routes: Routes,
  ) {}

  async accept(route: Route, request: LocalRequest): Promise<LocalResponse> {
    if (route.async === undefined) throw validationError(`Endpoint ${route.endpoint} is not an asynchronous endpoint: use InvokeEndpoint`);
    const given = headerReader.read(request);
    const body = await request.read(INLINE_LIMIT);
    if ((given.InputLocation === undefined) === (body.length === 0)) {
      throw validationError('a request has either an InputLocation or a body of its own, and not both');
    }
    const id = given.InferenceId ?? randomUUID();
    const places = placesOf(route.async, given, id);
    this.enqueue(route.endpoint, { given, inline: body.length === 0 ? undefined : body, accepted: this.context.clock.now(), ...places });
    return {
      status: 202,
      headers: {
        'content-type': 'application/json',
        'x-amzn-requestid': randomUUID(),
        'x-amzn-sagemaker-outputlocation': places.output,
        'x-amzn-sagemaker-failurelocation': places.failure,
      },
      body: JSON.stringify({ InferenceId: id }),
    };
  }

  /** Requests of an endpoint that wait or are with the model: its ApproximateBacklogSize. */
  backlog(endpoint: string): number {
    const queue = this.queues.get(endpoint);
    return queue === undefined ? 0 : queue.waiting.length + queue.working;
  }

  /** Starts what waits, as far as the endpoint's instances allow; called when their number grows. */
  pump(endpoint: string): void {
    const queue = this.queues.get(endpoint);
    while (!this.closed && queue !== undefined && queue.waiting.length > 0 && queue.working < this.capacity(endpoint)) {
      this.start(endpoint, queue, queue.waiting.shift()!);
    }
  }

  /** Waits for what is with the model; what waits is dropped. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.work);
  }

  private enqueue(endpoint: string, waiting: Waiting): void {
    const queue = this.queues.get(endpoint) ?? { waiting: [], working: 0 };
    this.queues.set(endpoint, queue);
    queue.waiting.push(waiting);
    this.pump(endpoint);
  }

  private capacity(endpoint: string): number {
    const arms = this.routes.get(endpoint)?.arms ?? [];
    return arms.reduce((sum, { variant }) => sum + variant.instances * variant.traits.asyncConcurrency, 0);
  }

  private start(endpoint: string, queue: Queue, waiting: Waiting): void {
    queue.working += 1;
    const work: Promise<void> = this.answer(endpoint, waiting)
      .catch((error: unknown) =>
        this.context.warn(`an asynchronous answer of endpoint ${endpoint} was not written: ${(error as Error).message}`),
      )
      .finally(() => {
        queue.working -= 1;
        this.work.delete(work);
        this.pump(endpoint);
      });
    this.work.add(work);
  }

  private async answer(endpoint: string, waiting: Waiting): Promise<void> {
    try {
      const { body, contentType } = await this.invoke(endpoint, waiting);
      await this.write(waiting.output, body, contentType);
    } catch (error) {
      const { message } = error as Error;
      await this.write(waiting.failure, Buffer.from(message), 'text/plain');
    }
  }

  private async invoke(endpoint: string, { given, inline, accepted }: Waiting) {
    const arrived = performance.now();
    const ttl = given.RequestTTLSeconds ?? DEFAULT_TTL;
    if (this.context.clock.now() - accepted > ttl * 1000) throw new Error(`the request was not started within ${ttl} seconds`);
    const invocation = invocationOf(given, inline ?? (await this.readInput(given.InputLocation!)));
    const route = this.routes.get(endpoint);
    if (route === undefined) throw new Error(`endpoint ${endpoint} is gone`);
    const variant = chooseVariant(this.context, route, given);
    return askModel(this.context, variant, invocation, arrived, given.InvocationTimeoutSeconds ?? ASYNC_TIMEOUT);
  }

  private async readInput(location: string): Promise<Buffer> {
    const place = parseS3Uri(location);
    if (place === undefined) throw new Error(`${location} is no s3:// address`);
    return readAll(await this.context.objects.read(place.bucket, place.key), location);
  }

  private async write(location: string, body: Buffer, contentType: string): Promise<void> {
    const { bucket, key } = parseS3Uri(location)!;
    await this.context.objects.write(bucket, key, body, contentType);
  }
}

function placesOf(
  { outputPath, failurePath }: AsyncOutput,
  given: InvocationHeaders,
  id: string,
): { readonly output: string; readonly failure: string } {
  const extension = given.S3OutputPathExtension === undefined ? '' : `${given.S3OutputPathExtension.replace(/^\/|\/$/g, '')}/`;
  const below = (path: string) => `${path.replace(/\/$/, '')}/${extension}`;
  return {
    output: `${below(outputPath)}${given.Filename ?? `${id}.out`}`,
    failure: `${below(failurePath ?? outputPath)}${given.Filename ?? id}-error.out`,
  };
}

async function readAll(stream: Readable, location: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > OBJECT_LIMIT) throw new ServiceError('ValidationError', `${location} is larger than ${OBJECT_LIMIT} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}
