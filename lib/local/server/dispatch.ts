import { Readable } from 'node:stream';
import type { Clock } from '../clock';
import type { FaultKind, FaultRule, Faults } from '../faults';
import { foreignHost } from './host';
import { type LocalRequest, type LocalResponse, type Service, ServiceError } from './service';

const CALL_FAULTS: readonly FaultKind[] = ['throttle', 'error', 'dropped', 'lost answer', 'late'];

/** What the server does with a request: an answer, or a connection cut without one. */
export type Outcome = LocalResponse | 'cut';

/** Finds the service that a request is for, and lets the faults in force strike before and after it. */
export class Dispatch {
  constructor(
    private readonly services: readonly Service[],
    private readonly faults: Faults,
    private readonly clock: Clock,
  ) {}

  async handle(request: LocalRequest): Promise<Outcome> {
    const foreign = foreignHost(request.rawHeaders);
    if (foreign !== undefined) return forbidden(foreign);
    const service = this.serviceOf(request);
    if (service === undefined) return unknown(request);
    if (!this.faults.active) return answer(service, request);
    const fault = this.faults.strike(service.point(request), CALL_FAULTS);
    if (fault === undefined) return answer(service, request);
    switch (fault.kind) {
      case 'dropped':
        return 'cut';
      case 'lost answer':
        forget(await answer(service, request));
        return 'cut';
      case 'late': {
        const response = await answer(service, request);
        await this.clock.sleep((fault.seconds ?? 1) * 1000);
        return response;
      }
      default:
        return service.refuse(errorOf(fault), request);
    }
  }

  private serviceOf(request: LocalRequest): Service | undefined {
    for (const service of this.services) if (service.handles(request)) return service;
    return undefined;
  }
}

async function answer(service: Service, request: LocalRequest): Promise<LocalResponse> {
  try {
    return await service.handle(request);
  } catch (error) {
    if (error instanceof ServiceError) return service.refuse(error, request);
    const message = error instanceof Error ? error.message : String(error);
    return service.refuse(new ServiceError('InternalFailure', message, 500), request);
  }
}

/** Lets go of the file or the engine that a body nobody reads would come from. */
function forget({ body }: LocalResponse): void {
  if (body instanceof Readable) body.destroy();
  else if (typeof body === 'object' && !Buffer.isBuffer(body)) breakOff(body).catch(() => {});
}

/** A generator that was never begun would not end either. */
async function breakOff(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) return;
}

function errorOf(fault: FaultRule): ServiceError {
  if (fault.kind === 'throttle') return new ServiceError('ThrottlingException', fault.message ?? 'Rate exceeded', fault.status ?? 400);
  return new ServiceError(fault.code ?? 'InternalFailure', fault.message ?? 'an injected fault', fault.status ?? 500);
}

function forbidden(host: string): LocalResponse {
  return {
    status: 403,
    headers: { 'content-type': 'text/plain' },
    body: `this server answers to 127.0.0.1 and localhost alone, not to ${host}`,
  };
}

function unknown(request: LocalRequest): LocalResponse {
  const target = request.headers['x-amz-target'];
  const asked = target === undefined ? `${request.method} ${request.path}` : `${target}`;
  const message = `the local SageMaker has no service for ${asked}`;
  return {
    status: 404,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify({ __type: 'UnknownOperationException', message }),
  };
}
