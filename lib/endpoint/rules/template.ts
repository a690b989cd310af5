import { dirname } from 'node:path';

/**
 * One resource of a synthesised template, as CloudFormation will read it.
 *
 * @internal
 */
export interface TemplateResource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
  readonly template: Template;
}

/** @internal */
export type Properties = Readonly<Record<string, unknown>>;

/** One template file. */
export interface Template {
  readonly path: string;
  /** Account and region, as far as they are known at synth. */
  readonly environment?: string;
  readonly resources: Readonly<Record<string, TemplateResource>>;
}

/**
 * All templates of an app: a name written in one may be meant in another.
 *
 * @internal
 */
export class Templates {
  private readonly templates: Template[];

  /**
   * @param contents template bodies by their path
   * @param environments account and region by the same path: a name means nothing beyond them
   */
  constructor(contents: Readonly<Record<string, unknown>>, environments: Readonly<Record<string, string>> = {}) {
    this.templates = Object.entries(contents).map(([path, body]) => {
      const resources: Record<string, TemplateResource> = {};
      const template = { path, environment: environments[path], resources };
      for (const [logicalId, raw] of Object.entries(record(record(body).Resources))) {
        const { Type, Properties } = record(raw);
        if (typeof Type === 'string') resources[logicalId] = { logicalId, type: Type, properties: record(Properties), template };
      }
      return template;
    });
  }

  public all(): TemplateResource[] {
    return this.templates.flatMap(({ resources }) => Object.values(resources));
  }

  public ofType(type: string): TemplateResource[] {
    return this.all().filter((resource) => resource.type === type);
  }

  /**
   * The resource of a type that a value means: by `Ref`, by `Fn::GetAtt`, or by the name that the resource itself has, in the same template, or
   * else in the same account and region, there first in the same stage of the app.
   *
   * @param nameProperty where such a resource has its name
   */
  public meant(value: unknown, from: TemplateResource, type: string, nameProperty: string): TemplateResource | undefined {
    const referred = referent(value);
    if (referred !== undefined) {
      const found = from.template.resources[referred];
      return found?.type === type ? found : undefined;
    }
    const name = text(value);
    if (name === undefined) return undefined;
    const { path, environment } = from.template;
    const named = this.ofType(type).filter(
      ({ properties, template }) => text(properties[nameProperty]) === name && template.environment === environment,
    );
    return (
      named.find(({ template }) => template.path === path) ??
      named.find(({ template }) => dirname(template.path) === dirname(path)) ??
      named[0]
    );
  }
}

/**
 * The logical id behind `Ref` or `Fn::GetAtt`.
 *
 * @internal
 */
export function referent(value: unknown): string | undefined {
  const { Ref: ref, 'Fn::GetAtt': attribute } = record(value);
  if (typeof ref === 'string') return ref;
  if (typeof attribute === 'string') return attribute.split('.')[0];
  return Array.isArray(attribute) && typeof attribute[0] === 'string' ? attribute[0] : undefined;
}

/**
 * What is written out; undefined for an intrinsic, whose value only the deployment knows.
 *
 * @internal
 */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** @internal */
export function number(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : undefined;
}

/** @internal */
export function flag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

/** @internal */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** @internal */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Something inside, by its names; undefined where there is nothing. @internal */
export function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((inside, name) => record(inside)[name], value);
}
