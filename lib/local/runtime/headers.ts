import type { LocalRequest } from '../server';
import { readShape, type ServiceModel, violationMessage } from '../shapes';
import model from '../shapes/sagemaker-runtime.json';
import { validationError } from './errors';

const runtime = model as unknown as ServiceModel;

/** Beyond it, spellings are looked up anew: nobody can fill the memory with them. */
const MOST_SPELLINGS = 200;

interface HeaderMember {
  readonly member: string;
  readonly number: boolean;
  /** Whether the service model's constraints are worth checking: not for Content-Type and Accept, which every request has. */
  readonly special: boolean;
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
  private readonly members: ReadonlyMap<string, HeaderMember>;
  /** Headers as clients spell them, which is the same from one request to the next; undefined for those that mean nothing here. */
  private readonly spelled = new Map<string, HeaderMember | undefined>();

  constructor(operation: 'InvokeEndpoint' | 'InvokeEndpointAsync' | 'InvokeEndpointWithResponseStream') {
    this.shape = runtime.operations[operation].input!;
    const members = Object.entries(runtime.shapes[this.shape].members!).flatMap(([member, reference]): [string, HeaderMember][] => {
      if (typeof reference === 'string' || reference.location !== 'header') return [];
      const header = reference.locationName!.toLowerCase();
      return [[header, { member, number: runtime.shapes[reference.shape].type === 'integer', special: header.startsWith('x-') }]];
    });
    this.members = new Map(members);
  }

  /** @throws ServiceError ValidationError where a header breaks the service model's constraints */
  read(request: LocalRequest): InvocationHeaders {
    const given: Record<string, unknown> = {};
    let special = false;
    const { rawHeaders } = request;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const known = this.memberOf(rawHeaders[index]);
      if (known === undefined) continue;
      const value = rawHeaders[index + 1];
      given[known.member] = known.number ? Number(value) : value;
      special ||= known.special;
    }
    if (special) this.check(given);
    return given as InvocationHeaders;
  }

  private memberOf(spelling: string): HeaderMember | undefined {
    if (this.spelled.has(spelling)) return this.spelled.get(spelling);
    const member = this.members.get(spelling.toLowerCase());
    if (this.spelled.size < MOST_SPELLINGS) this.spelled.set(spelling, member);
    return member;
  }

  private check(given: Record<string, unknown>): void {
    // The endpoint's name comes by the path, the body beside the headers.
    const { violations } = readShape(runtime, this.shape, { EndpointName: 'in-the-path', ...given, Body: '' });
    if (violations.length > 0) throw validationError(violationMessage(violations));
  }
}
