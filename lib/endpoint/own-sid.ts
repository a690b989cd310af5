import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stack } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

/** By the construct whose policy it is: the Sid of each statement by its content. */
const given = new WeakMap<IConstruct, Map<string, { readonly asked?: string; readonly sid?: string }>>();

/**
 * A statement under a Sid that no other statement of this package has in the same policy, where endpoints share a role, a key or a store. IAM
 * refuses a policy with one Sid twice. The first keeps its Sid, the next get a number, the same statement gets the same.
 *
 * @param holder of the policy
 * @internal
 */
export function underOwnSid(holder: IConstruct, statement: PolicyStatement): PolicyStatement {
  const { sid: asked } = statement;
  const statements = given.get(holder) ?? new Map();
  given.set(holder, statements);
  const content = JSON.stringify(Stack.of(holder).resolve(statement.toStatementJson()));
  const alike = [...statements.values()].filter((one) => one.asked === asked).length;
  const { sid } = statements.get(content) ?? { sid: alike === 0 ? asked : `${asked}${alike + 1}` };
  statements.set(content, { asked, sid });
  return sid === asked ? statement : statement.copy({ sid });
}
