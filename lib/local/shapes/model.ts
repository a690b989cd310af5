/** A service's operations and shapes, as `extract.py` takes them from botocore. */
export interface ServiceModel {
  readonly source: {
    readonly package: string;
    readonly licence: string;
    /** botocore's name of the service, e.g. `sagemaker`. */
    readonly service: string;
    readonly apiVersion: string;
    readonly serviceId: string;
    readonly signingName: string;
    readonly targetPrefix: string | null;
    readonly jsonVersion: string | null;
  };
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

export interface OperationModel {
  readonly http?: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: string;
  readonly output?: string;
  readonly errors: readonly string[];
}

export type ShapeType =
  | 'structure'
  | 'list'
  | 'map'
  | 'string'
  | 'integer'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | 'blob';

export interface Shape {
  readonly type: ShapeType;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, ShapeReference>>;
  readonly member?: ShapeReference;
  readonly key?: ShapeReference;
  readonly value?: ShapeReference;
  /** Length of strings, lists, maps and blobs; value of numbers. */
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** Exactly one member is set. */
  readonly union?: boolean;
  readonly error?: { readonly code?: string; readonly httpStatusCode: number };
}

export type ShapeReference = string | { readonly shape: string; readonly location?: string; readonly locationName?: string };

export function shapeName(reference: ShapeReference): string {
  return typeof reference === 'string' ? reference : reference.shape;
}
