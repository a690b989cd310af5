import { EventStreamCodec } from '@smithy/core/event-streams';
import { streamed } from '../../serving';
import type { LocalContext } from '../context';
import { type LocalRequest, type LocalResponse, requestId } from '../server';
import { record, STREAM_TIMEOUT } from './ask-model';
import { modelError, modelTimeout, whose } from './errors';
import { HeaderReader } from './headers';
import { invocationOf } from './invoke';
import { readPayload } from './payload';
import type { Route } from './route';
import type { RunningVariant } from './running-variant';
import type { Sessions } from './sessions';
import { chooseVariant, mirror } from './traffic';

const headerReader = new HeaderReader('InvokeEndpointWithResponseStream');
const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
);

/** InvokeEndpointWithResponseStream: the answer in parts, as events, while the model still works. */
export async function invokeWithResponseStream(
  context: LocalContext,
  sessions: Sessions,
  routeOf: () => Route,
  request: LocalRequest,
): Promise<LocalResponse> {
  const arrived = performance.now();
  const given = headerReader.read(request);
  const invocation = invocationOf(given, await readPayload(context, request, routeOf()));
  const route = routeOf();
  const variant = sessions.variantOf(given.SessionId, route) ?? chooseVariant(context, route, given);
  if (route.mirrors.length > 0) mirror(context, route, invocation);
  variant.begin();
  const asked = performance.now();
  const done = (status: number) => {
    record(context, variant, status, performance.now() - asked, asked - arrived);
    variant.end();
  };
  try {
    const answer = await inTime(streamed(variant.engine, invocation), STREAM_TIMEOUT * 1000);
    if (answer === 'timed out') throw modelTimeout(whose(context, variant));
    if (answer.status < 200 || answer.status > 299) throw modelError(whose(context, variant), answer.status, await wholeText(answer.parts));
    return {
      status: 200,
      headers: streamHeaders(variant, answer.contentType, answer.customAttributes),
      body: events(answer.parts, asked + STREAM_TIMEOUT * 1000, (status) => done(status ?? answer.status)),
    };
  } catch (error) {
    done(originalStatus(error));
    throw error;
  }
}

/** The parts as events. A model that breaks off, or takes too long, ends the stream with an exception event. */
async function* events(parts: AsyncIterable<Buffer>, deadline: number, done: (status?: number) => void): AsyncIterable<Uint8Array> {
  const iterator = parts[Symbol.asyncIterator]();
  let failed: number | undefined;
  try {
    for (;;) {
      const next = await inTime(iterator.next(), deadline - performance.now());
      if (next === 'timed out') {
        failed = 0;
        yield exception('ModelInvocationTimeExceeded', 'the model did not finish its answer in time');
        return;
      }
      if (next.done) return;
      yield part(next.value);
    }
  } catch (error) {
    failed = 0;
    yield exception('StreamBroken', (error as Error).message);
  } finally {
    done(failed);
    // Not waited for: an iterator that hangs would hold the connection.
    void iterator.return?.();
  }
}

function part(body: Buffer): Uint8Array {
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: 'event' },
      ':event-type': { type: 'string', value: 'PayloadPart' },
      ':content-type': { type: 'string', value: 'application/octet-stream' },
    },
    body,
  });
}

function exception(errorCode: 'ModelInvocationTimeExceeded' | 'StreamBroken', message: string): Uint8Array {
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: 'exception' },
      ':exception-type': { type: 'string', value: 'ModelStreamError' },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: Buffer.from(JSON.stringify({ Message: message, ErrorCode: errorCode })),
  });
}

function streamHeaders(variant: RunningVariant, contentType: string, customAttributes: string | undefined): Record<string, string> {
  return {
    'content-type': 'application/vnd.amazon.eventstream',
    'x-amzn-sagemaker-content-type': contentType,
    'x-amzn-invoked-production-variant': variant.traits.name,
    'x-amzn-requestid': requestId(),
    ...(customAttributes === undefined ? {} : { 'x-amzn-sagemaker-custom-attributes': customAttributes }),
  };
}

function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T | 'timed out'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.max(0, milliseconds), 'timed out');
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function wholeText(parts: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const bytes of parts) all.push(bytes);
  return Buffer.concat(all).toString('utf8');
}

function originalStatus(error: unknown): number {
  const { details } = error as { readonly details?: { readonly OriginalStatusCode?: number } };
  return details?.OriginalStatusCode ?? 0;
}
