import { ArnFormat, Stack } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';
import { stemOf } from '../names';

/**
 * CloudWatch, unlike SageMaker, writes names in its ARNs as they are.
 *
 * @internal
 */
export const alarmArn = (scope: IConstruct, resourceName: string): string =>
  Stack.of(scope).formatArn({ service: 'cloudwatch', resource: 'alarm', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });

/**
 * The alarms that promotions set on an endpoint's new fleet: their names are in lower case.
 *
 * @internal
 */
export const fleetAlarmsArn = (scope: IConstruct, endpointName: string): string =>
  alarmArn(scope, `${stemOf(endpointName).toLowerCase()}-*`);
