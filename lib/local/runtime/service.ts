import type { LocalContext } from '../context';
import type { FaultPoint } from '../faults';
import { type LocalRequest, type LocalResponse, requestId, type Service, ServiceError } from '../server';
import { writeJson } from '../shapes';
import { validationError } from './errors';
import { invokeEndpoint } from './invoke';
import { AsyncInvocations } from './invoke-async';
import { invokeWithResponseStream } from './invoke-stream';
import type { Route, Routes } from './route';
import { Sessions } from './sessions';

const PREFIX = '/endpoints/';

const OPERATIONS: Readonly<Record<string, string>> = {
  invocations: 'InvokeEndpoint',
  'invocations-response-stream': 'InvokeEndpointWithResponseStream',
  'async-invocations': 'InvokeEndpointAsync',
};

/** SageMaker Runtime: requests to the endpoints that are in service. */
export class RuntimeService implements Service {
  readonly name = 'SageMaker Runtime';
  readonly sessions: Sessions;
  readonly async: AsyncInvocations;

  constructor(
    private readonly context: LocalContext,
    private readonly routes: Routes,
  ) {
    this.sessions = new Sessions(context.clock);
    this.async = new AsyncInvocations(context, routes);
  }

  handles(request: LocalRequest): boolean {
    return request.path.startsWith(PREFIX);
  }

  point(request: LocalRequest): FaultPoint {
    const { endpoint, operation } = parsed(request.path);
    return { service: this.name, operation, endpoint };
  }

  async handle(request: LocalRequest): Promise<LocalResponse> {
    const { endpoint, operation } = parsed(request.path);
    if (operation !== 'Unknown' && request.method !== 'POST') {
      throw new ServiceError('UnknownOperationException', `${operation} is a POST, not a ${request.method}`, 405);
    }
    const routeOf = () => this.routeOf(endpoint);
    const route = routeOf();
    switch (operation) {
      case 'InvokeEndpoint':
        if (route.async !== undefined) throw validationError(`Endpoint ${endpoint} is an asynchronous endpoint: use InvokeEndpointAsync`);
        return invokeEndpoint(this.context, this.sessions, routeOf, request);
      case 'InvokeEndpointWithResponseStream':
        return invokeWithResponseStream(this.context, this.sessions, routeOf, request);
      case 'InvokeEndpointAsync':
        return this.async.accept(route, request);
      default:
        throw new ServiceError('UnknownOperationException', `SageMaker Runtime has no operation at ${request.method} ${request.path}`, 404);
    }
  }

  refuse(error: ServiceError): LocalResponse {
    return {
      status: error.status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.code, 'x-amzn-requestid': requestId() },
      body: writeJson({ Message: error.message, ...error.details }),
    };
  }

  async close(): Promise<void> {
    await this.async.close();
  }

  private routeOf(endpoint: string): Route {
    const route = this.routes.get(endpoint);
    if (route === undefined) throw validationError(`Endpoint ${endpoint} of account ${this.context.account} not found.`);
    return route;
  }
}

function parsed(path: string): { readonly endpoint: string; readonly operation: string } {
  const slash = path.indexOf('/', PREFIX.length);
  const endpoint = slash < 0 ? path.slice(PREFIX.length) : path.slice(PREFIX.length, slash);
  return { endpoint, operation: OPERATIONS[path.slice(slash + 1)] ?? 'Unknown' };
}
