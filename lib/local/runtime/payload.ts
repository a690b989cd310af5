import type { LocalContext } from '../context';
import { type LocalRequest, PayloadTooLarge, ServiceError } from '../server';
import type { Route } from './route';

const MEGABYTE = 1024 * 1024;

/** SageMaker's limits on a request's body, in bytes: real-time as newer pages say, serverless, and the service model's older one for real-time. */
export const REALTIME_LIMIT = 25 * MEGABYTE;
export const SERVERLESS_LIMIT = 4 * MEGABYTE;
export const MODEL_LIMIT = 6_291_456;

/**
 * A request's body, within the limit of its endpoint.
 *
 * @throws ServiceError with status 413 beyond it
 */
export async function readPayload(context: LocalContext, request: LocalRequest, route: Route): Promise<Buffer> {
  const limit = route.serverless ? SERVERLESS_LIMIT : REALTIME_LIMIT;
  try {
    const body = await request.read(limit);
    if (body.length > MODEL_LIMIT) warnOfSize(context, route.endpoint, body.length);
    return body;
  } catch (error) {
    if (!(error instanceof PayloadTooLarge)) throw error;
    const kind = route.serverless ? 'a serverless' : 'a real-time';
    throw new ServiceError(
      'RequestEntityTooLargeException',
      `the request is larger than the ${limit} bytes that ${kind} endpoint takes`,
      413,
    );
  }
}

const warned = new WeakMap<LocalContext, Set<string>>();

function warnOfSize(context: LocalContext, endpoint: string, size: number): void {
  const endpoints = warned.get(context) ?? new Set();
  if (endpoints.has(endpoint)) return;
  warned.set(context, endpoints.add(endpoint));
  context.warn(
    `a request of ${size} bytes to endpoint ${endpoint}: AWS's service model allows ${MODEL_LIMIT}, newer documentation ${REALTIME_LIMIT}`,
  );
}
