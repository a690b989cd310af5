import type { FaultPoint } from '../faults';
import { readShape, type ServiceModel, violationMessage, WrongType, writeJson } from '../shapes';
import { requestId } from './request-id';
import { type LocalRequest, type LocalResponse, type Service, ServiceError } from './service';

const LARGEST_REQUEST = 4 * 1024 * 1024;

/** An operation: takes the input that the model admits, answers the output's members, or throws a ServiceError. */
export type Operation = (input: never) => unknown;

/** A service that speaks AWS JSON 1.0 or 1.1: one path, the operation in the header X-Amz-Target. */
export class JsonService implements Service {
  readonly name: string;
  private readonly prefix: string;
  private readonly contentType: string;

  /**
   * @param model constraints, and the target's prefix
   * @param operations by name; one that is in the model and not here is refused as unknown
   * @param validation error code for input that breaks a constraint, e.g. `ValidationException`
   */
  constructor(
    private readonly model: ServiceModel,
    private readonly operations: Readonly<Record<string, Operation>>,
    private readonly validation = 'ValidationException',
  ) {
    this.name = model.source.serviceId;
    this.prefix = `${model.source.targetPrefix}.`;
    this.contentType = `application/x-amz-json-${model.source.jsonVersion}`;
  }

  handles(request: LocalRequest): boolean {
    return request.headers['x-amz-target']?.toString().startsWith(this.prefix) ?? false;
  }

  point(request: LocalRequest): FaultPoint {
    return { service: this.name, operation: this.operationOf(request) };
  }

  async handle(request: LocalRequest): Promise<LocalResponse> {
    const name = this.operationOf(request);
    const body = await request.read(LARGEST_REQUEST);
    return this.respond(200, writeJson(await this.run(name, parsed(body))));
  }

  /** Checks the input as parsed from JSON, and answers the operation's output. */
  async run(name: string, given: unknown): Promise<unknown> {
    const operation = this.operations[name];
    if (operation === undefined) {
      const known = Object.keys(this.operations).join(', ');
      throw new ServiceError('UnknownOperationException', `${this.name} has no operation ${name} here; it has ${known}`, 404);
    }
    return operation(this.read(name, given) as never);
  }

  refuse(error: ServiceError): LocalResponse {
    return this.respond(error.status, writeJson({ __type: error.code, message: error.message, Message: error.message, ...error.details }));
  }

  private operationOf(request: LocalRequest): string {
    return request.headers['x-amz-target']!.toString().slice(this.prefix.length);
  }

  private read(operation: string, given: unknown): unknown {
    const shape = this.model.operations[operation].input;
    if (shape === undefined) return {};
    try {
      const { value, violations } = readShape(this.model, shape, given);
      if (violations.length > 0) throw new ServiceError(this.validation, violationMessage(violations));
      return value;
    } catch (error) {
      throw error instanceof WrongType ? new ServiceError('SerializationException', error.message) : error;
    }
  }

  private respond(status: number, body: string): LocalResponse {
    return { status, headers: { 'content-type': this.contentType, 'x-amzn-requestid': requestId() }, body };
  }
}

function parsed(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new ServiceError('SerializationException', `the request is not JSON: ${(error as Error).message}`);
  }
}
