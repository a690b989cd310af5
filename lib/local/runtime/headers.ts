import type { LocalRequest } from '../server';
import { readShape, type ServiceModel, violationMessage } from '../shapes';
import model from '../shapes/sagemaker-runtime.json';
import { validationError } from './errors';

const runtime = model as unknown as ServiceModel;

interface HeaderMember {
  readonly member: string;
  readonly header: string;
  readonly number: boolean;
}

/** What a request's headers say, named as in the API: ContentType, TargetVariant, InferenceId, ... */
export interface InvocationHeaders {
  readonly ContentType?: string;
  readonly Accept?: string;
  readonly CustomAttributes?: string;
  readonly TargetModel?: string;
  readonly TargetVariant?: string;
  readonly TargetContainerHostname?: string;
  readonly InferenceId?: string;
  readonly EnableExplanations?: string;
  readonly InferenceComponentName?: string;
  readonly SessionId?: string;
  readonly InputLocation?: string;
  readonly S3OutputPathExtension?: string;
  readonly Filename?: string;
  readonly RequestTTLSeconds?: number;
  readonly InvocationTimeoutSeconds?: number;
}

/** Reads the headers of one operation's requests. */
export class HeaderReader {
  private readonly shape: string;
  private readonly members: readonly HeaderMember[];

  constructor(operation: 'InvokeEndpoint' | 'InvokeEndpointAsync' | 'InvokeEndpointWithResponseStream') {
    this.shape = runtime.operations[operation].input!;
    this.members = Object.entries(runtime.shapes[this.shape].members!).flatMap(([member, reference]) => {
      if (typeof reference === 'string' || reference.location !== 'header') return [];
      return [{ member, header: reference.locationName!.toLowerCase(), number: runtime.shapes[reference.shape].type === 'integer' }];
    });
  }

  /** @throws ServiceError ValidationError where a header breaks the service model's constraints */
  read(request: LocalRequest): InvocationHeaders {
    const given: Record<string, unknown> = {};
    let special = false;
    for (const { member, header, number } of this.members) {
      const value = request.headers[header];
      if (value === undefined) continue;
      given[member] = number ? Number(value) : value;
      special ||= header.startsWith('x-');
    }
    if (special) this.check(given);
    return given as InvocationHeaders;
  }

  private check(given: Record<string, unknown>): void {
    // The endpoint's name comes by the path, the body beside the headers.
    const { violations } = readShape(runtime, this.shape, { EndpointName: 'in-the-path', ...given, Body: '' });
    if (violations.length > 0) throw validationError(violationMessage(violations));
  }
}
