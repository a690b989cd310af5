import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stack, Validations } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

/** The cdk-nag packs that have a rule of the same name each. */
const PACKS = ['NIST.800.53.R4', 'NIST.800.53.R5', 'HIPAA.Security', 'PCI.DSS.321', 'Serverless'];

/**
 * Says why a rule of the NIST, HIPAA, PCI and Serverless packs does not hold at a construct.
 *
 * @internal
 */
export function acknowledge(scope: IConstruct, rule: string, reason: string): void {
  Validations.of(scope).acknowledge(...PACKS.map((pack) => ({ id: `${pack}-${rule}`, reason })));
}

/**
 * Says why the wildcards of a statement are as narrow as they can be: each finding by its own id, so that a wildcard added later is found.
 *
 * @internal
 */
export function acknowledgeWildcards(scope: IConstruct, statement: PolicyStatement, reason: string): void {
  const resources: string[] = statement.resources.map((resource) => flatten(Stack.of(scope).resolve(resource)));
  const findings = [
    ...statement.actions.filter((action) => action.includes('*')).map((action) => `Action::${action}`),
    ...resources.filter((resource) => resource.includes('*')).map((resource) => `Resource::${resource}`),
  ];
  Validations.of(scope).acknowledge(...findings.map((finding) => ({ id: `AwsSolutions-IAM5[${finding}]`, reason })));
}

/** As cdk-nag writes a reference in a finding's id. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, 'Fn::ImportValue': imported, Ref: ref } = value as Record<string, unknown>;
  if (join !== undefined) {
    const [delimiter, parts] = join as [string, unknown[]];
    return parts.map(flatten).join(delimiter);
  }
  if (attribute !== undefined) return `<${(attribute as unknown[]).map(flatten).join('.')}>`;
  if (imported !== undefined) return flatten(imported);
  if (ref !== undefined) return `<${ref}>`;
  return JSON.stringify(value);
}
