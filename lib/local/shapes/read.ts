import { type ServiceModel, type Shape, shapeName } from './model';
import { wholePattern } from './pattern';

/** More than this many violations are counted, not told. */
const TOLD = 10;

/**
 * Reads a JSON value as the shape: time stamps become Dates, blobs Buffers, members the model does not know are dropped, as AWS does.
 *
 * @returns the value, and what is wrong with it in AWS's words; the value is only to be used when nothing is
 */
export function readShape(
  model: ServiceModel,
  shape: string,
  value: unknown,
): { readonly value: unknown; readonly violations: readonly string[] } {
  const reader = new Reader(model);
  const read = reader.read(shape, value, '');
  return { value: read, violations: reader.violations };
}

/** The message of AWS's ValidationException for these violations. */
export function violationMessage(violations: readonly string[]): string {
  const told = violations.slice(0, TOLD).join('; ');
  return `${violations.length} validation error${violations.length === 1 ? '' : 's'} detected: ${told}`;
}

/** A value that is not of its shape's type at all, which AWS answers before it looks at constraints. */
export class WrongType extends Error {
  constructor(path: string, wanted: string, value: unknown) {
    super(`${path === '' ? 'the request' : path} must be a ${wanted}, got ${JSON.stringify(value)}`);
    this.name = 'SerializationException';
  }
}

class Reader {
  readonly violations: string[] = [];

  constructor(private readonly model: ServiceModel) {}

  read(name: string, value: unknown, path: string): unknown {
    const shape = this.model.shapes[name];
    switch (shape.type) {
      case 'structure':
        return this.structure(shape, value, path);
      case 'list':
        return this.list(shape, value, path);
      case 'map':
        return this.map(shape, value, path);
      case 'string':
        return this.text(shape, value, path);
      case 'boolean':
        if (typeof value !== 'boolean') throw new WrongType(path, 'boolean', value);
        return value;
      case 'timestamp':
        return timestamp(value, path);
      case 'blob':
        if (typeof value !== 'string') throw new WrongType(path, 'base64 string', value);
        return this.sized(Buffer.from(value, 'base64'), shape, path);
      default:
        return this.number(shape, value, path);
    }
  }

  private structure(shape: Shape, value: unknown, path: string): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new WrongType(path, 'structure', value);
    const given = value as Record<string, unknown>;
    const read: Record<string, unknown> = {};
    for (const [name, reference] of Object.entries(shape.members ?? {})) {
      const at = path === '' ? camel(name) : `${path}.${camel(name)}`;
      const member = given[name];
      if (member !== undefined && member !== null) read[name] = this.read(shapeName(reference), member, at);
      else if (shape.required?.includes(name)) this.violate(null, at, 'Member must not be null');
    }
    return read;
  }

  private list(shape: Shape, value: unknown, path: string): unknown {
    if (!Array.isArray(value)) throw new WrongType(path, 'list', value);
    this.size(value.length, value, shape, path);
    return value.map((item, index) => this.read(shapeName(shape.member!), item, `${path}.${index + 1}.member`));
  }

  private map(shape: Shape, value: unknown, path: string): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new WrongType(path, 'map', value);
    const entries = Object.entries(value);
    this.size(entries.length, value, shape, path);
    return Object.fromEntries(
      entries.map(([key, item]) => {
        this.read(shapeName(shape.key!), key, `${path}.${key}.key`);
        return [key, this.read(shapeName(shape.value!), item, `${path}.${key}.member`)];
      }),
    );
  }

  private text(shape: Shape, value: unknown, path: string): unknown {
    if (typeof value !== 'string') throw new WrongType(path, 'string', value);
    this.sized(value, shape, path);
    if (shape.enum !== undefined && !shape.enum.includes(value))
      this.violate(value, path, `Member must satisfy enum value set: [${shape.enum.join(', ')}]`);
    const short = shape.max === undefined || value.length <= shape.max;
    if (shape.pattern !== undefined && short && !wholePattern(shape.pattern).test(value)) {
      this.violate(value, path, `Member must satisfy regular expression pattern: ${shape.pattern}`);
    }
    return value;
  }

  private number(shape: Shape, value: unknown, path: string): unknown {
    if (typeof value !== 'number') throw new WrongType(path, 'number', value);
    if (/^(integer|long)$/.test(shape.type) && !Number.isInteger(value)) throw new WrongType(path, 'whole number', value);
    if (shape.min !== undefined && value < shape.min)
      this.violate(value, path, `Member must have value greater than or equal to ${shape.min}`);
    if (shape.max !== undefined && value > shape.max)
      this.violate(value, path, `Member must have value less than or equal to ${shape.max}`);
    return value;
  }

  private sized<T extends string | Buffer>(value: T, shape: Shape, path: string): T {
    this.size(value.length, value, shape, path);
    return value;
  }

  private size(length: number, value: unknown, shape: Shape, path: string): void {
    if (shape.min !== undefined && length < shape.min)
      this.violate(value, path, `Member must have length greater than or equal to ${shape.min}`);
    if (shape.max !== undefined && length > shape.max)
      this.violate(value, path, `Member must have length less than or equal to ${shape.max}`);
  }

  private violate(value: unknown, path: string, constraint: string): void {
    const shown = value === null ? 'null' : `'${typeof value === 'string' ? value : JSON.stringify(value)}'`;
    this.violations.push(`Value ${shown} at '${path}' failed to satisfy constraint: ${constraint}`);
  }
}

/** Seconds since 1970, or RFC 3339 text, as JSON protocols allow. */
function timestamp(value: unknown, path: string): Date {
  const date = typeof value === 'number' ? new Date(value * 1000) : new Date(String(value));
  if (Number.isNaN(date.getTime())) throw new WrongType(path, 'time stamp', value);
  return date;
}

function camel(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
