import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { App, Stack, type StackProps } from 'aws-cdk-lib/core';
import { ModelArtifact } from '../../lib/endpoint';

export const DIGEST = '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/** A stack of the fixed account 111122223333 in eu-west-1, unless told otherwise. */
export function newStack(props: StackProps = { env: { account: '111122223333', region: 'eu-west-1' } }, id = 'Shop'): Stack {
  return new Stack(new App(), id, props);
}

export function importedBucket(stack: Stack, id = 'Imported'): IBucket {
  return Bucket.fromBucketName(stack, id, 'models-of-ours');
}

/** An archive published earlier. */
export function publishedArtifact(stack: Stack, digest = DIGEST): ModelArtifact {
  const bucket = (stack.node.tryFindChild('Imported') as IBucket | undefined) ?? importedBucket(stack);
  return ModelArtifact.fromBucket(bucket, `models/${digest}.tar.gz`, digest);
}

/** What JSON.parse gives. */
// biome-ignore lint/suspicious/noExplicitAny: templates are reached into at any depth
export type Json = any;

export interface TemplateResource {
  readonly Type: string;
  readonly Properties: Record<string, Json>;
  readonly DependsOn?: string[];
  readonly [attribute: string]: unknown;
}

/** The template as a person reads it: references written `<Name.Arn>`, logical ids without their hash. */
export class ReadableTemplate {
  public readonly resources: Record<string, TemplateResource>;
  public readonly raw: Json;

  constructor(stack: Stack) {
    this.raw = (stack.node.root as App).synth({ force: true }).getStackByName(stack.stackName).template;
    this.resources = readable(this.raw).Resources;
  }

  public all(type: string): TemplateResource[] {
    return Object.values(this.resources).filter((resource) => resource.Type === type);
  }

  public only(type: string): TemplateResource {
    const found = this.all(type);
    if (found.length !== 1) throw new Error(`expected one ${type}, found ${found.length}`);
    return found[0]!;
  }

  /** The statements of the policy that the execution role has, by Sid. */
  public executionStatements(): Record<string, Statement> {
    return bySid(this.only('AWS::IAM::ManagedPolicy').Properties.PolicyDocument.Statement);
  }

  /** The statements of the one key's policy, by Sid. */
  public keyStatements(): Record<string, Statement> {
    return bySid(this.only('AWS::KMS::Key').Properties.KeyPolicy.Statement);
  }
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource?: string | string[];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

export function bySid(statements: Statement[]): Record<string, Statement> {
  return Object.fromEntries(statements.map(({ Sid, ...statement }) => [Sid ?? 'none', statement]));
}

function readable(value: Json): Json {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return value;
  if ('Fn::Join' in value) return value['Fn::Join'][1].map((part: unknown) => text(readable(part))).join(value['Fn::Join'][0]);
  if ('Fn::GetAtt' in value) return `<${unhashed(value['Fn::GetAtt'][0])}.${value['Fn::GetAtt'][1]}>`;
  if ('Fn::Sub' in value) return String(value['Fn::Sub']).replace(/\$\{(.*?)\}/g, '<$1>');
  if ('Fn::FindInMap' in value) return `<${value['Fn::FindInMap'].map((part: unknown) => text(readable(part))).join(' ')}>`;
  if (Object.keys(value).length === 1 && 'Ref' in value) return `<${unhashed(value.Ref)}>`;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      unhashed(key),
      key === 'DependsOn' ? [inner].flat().map((id) => unhashed(id as string)) : readable(inner),
    ]),
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function unhashed(id: string): string {
  return id.replace(/(?<=[a-zA-Z])[0-9A-F]{8}(?=\.|$)/, '');
}
