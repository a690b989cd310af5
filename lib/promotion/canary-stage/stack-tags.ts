import { type CfnStack, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

/**
 * CloudFormation puts a stack's own tags on all that it can tag, whatever the template says: on model packages, whose versions take none
 * (https://github.com/aws/aws-cdk/issues/33699), and on the endpoint, where another tag would be an update that names the first configuration.
 *
 * @internal
 */
export function refuseStackTags(scope: Construct, endpointName: string): void {
  scope.node.addValidation({
    validate: () => {
      const keys = stackTags(Stack.of(scope));
      if (keys.length === 0) return [];
      return [
        `the stack of ${endpointName}'s stage has tags of its own (${keys.join(', ')}), which CloudFormation puts on every resource: SageMaker refuses them on versions of a model package group, and another value would move the endpoint back to its first version. Tag the resources instead: leave tags out of the stack's props, set "@aws-cdk/core:explicitStackTags": true in the context of cdk.json, and use Tags.of(scope).add(key, value), where the stack is nested with excludeResourceTypes: ['AWS::CloudFormation::Stack']`,
      ];
    },
  });
}

/** Keys of the tags that CloudFormation is given beside the template; a nested stack has its parents' too. */
function stackTags(stack: Stack): string[] {
  const { nestedStackParent: parent, nestedStackResource: resource } = stack;
  const own = { ...stack.tags.tagValues(), ...(resource as CfnStack | undefined)?.tags.tagValues() };
  return [...new Set([...Object.keys(own), ...(parent === undefined ? [] : stackTags(parent))])].sort();
}
