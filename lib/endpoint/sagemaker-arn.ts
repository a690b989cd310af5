import { Stack } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

/**
 * SageMaker writes names in its ARNs in lower case, and IAM compares them letter by letter.
 *
 * @internal
 */
export const sageMakerArn = (scope: IConstruct, resource: string, name: string): string =>
  Stack.of(scope).formatArn({ service: 'sagemaker', resource, resourceName: name.toLowerCase() });
