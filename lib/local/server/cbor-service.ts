import { cbor, tag } from '@smithy/core/cbor';
import type { FaultPoint } from '../faults';
import type { JsonService } from './json-service';
import type { LocalRequest, LocalResponse, Service, ServiceError } from './service';

const PATH = /^\/service\/([^/]+)\/operation\/([^/]+)$/;
const LARGEST_REQUEST = 4 * 1024 * 1024;
const EPOCH_SECONDS = 1;

/** The Smithy RPC v2 CBOR protocol in front of a service that speaks AWS JSON: boto3 and the AWS CLI ask CloudWatch in it. */
export class CborService implements Service {
  readonly name: string;

  constructor(
    private readonly json: JsonService,
    private readonly targetPrefix: string,
  ) {
    this.name = json.name;
  }

  handles(request: LocalRequest): boolean {
    return request.headers['smithy-protocol'] === 'rpc-v2-cbor' && PATH.exec(request.path)?.[1] === this.targetPrefix;
  }

  point(request: LocalRequest): FaultPoint {
    return { service: this.name, operation: PATH.exec(request.path)![2] };
  }

  async handle(request: LocalRequest): Promise<LocalResponse> {
    const body = await request.read(LARGEST_REQUEST);
    const input = body.length === 0 ? {} : plain(cbor.deserialize(body));
    const output = await this.json.run(this.point(request).operation, input);
    return respond(200, tagged(output ?? {}));
  }

  refuse(error: ServiceError): LocalResponse {
    return respond(error.status, { __type: error.code, message: error.message, ...error.details });
  }
}

function respond(status: number, value: unknown): LocalResponse {
  return {
    status,
    headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' },
    body: Buffer.from(cbor.serialize(value)),
  };
}

/** As JSON has it: time stamps are seconds, blobs base64. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if ('tag' in value && 'value' in value && value.tag === EPOCH_SECONDS) return Number(value.value);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

/** As CBOR has it: time stamps are tagged. */
function tagged(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tagged);
  if (value instanceof Date) return tag({ tag: EPOCH_SECONDS, value: value.getTime() / 1000 });
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : [[name, tagged(member)]])));
}
