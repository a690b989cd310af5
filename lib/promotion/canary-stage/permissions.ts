import { ArnFormat, Stack } from 'aws-cdk-lib/core';
import type { HandedOver } from '../../endpoint/owner';
import { AWS_CALLS, type Grant, RESOURCES } from '../calls';
import { stemOf } from '../names';
import { alarmArn, fleetAlarmsArn } from './alarm-arn';
import { keysOf } from './records';
import type { StageFunction } from './stage-function';
import type { VersionPlace } from './version-places';

/** What the calls of a promotion are about, on one endpoint's stage. */
export interface StageResources {
  readonly handed: HandedOver;
  readonly groupName: string;
  readonly bucketName: string;
  readonly topicArn: string;
  readonly places: readonly VersionPlace[];
}

type Place = keyof typeof RESOURCES;

/** A stage made whatever its endpoint serves, so that no other's models and configurations need be read. */
const NARROWED: Partial<Record<Place, Place>> = { anyConfiguration: 'ownConfiguration', anyModel: 'ownModel' };

const WHY: Partial<Record<Place, string>> = {
  ownConfiguration: "the configurations of one endpoint's stage, made anew by each promotion",
  ownModel: "the models of one endpoint's stage, made anew by each promotion",
  modelPackage: 'the versions of one model package group',
  stageObjects: "one endpoint's lock and record",
  artifacts: 'the published versions of one store, and those beside the artifact of the template',
  ownAlarms: "alarms on one endpoint's stage, made anew by each promotion",
  scalableTargets:
    'a promotion that changes the instance type takes the live variant off scaling and puts it back; targets have ids that nobody knows before',
  trackingAlarms: 'the alarms that Application Auto Scaling makes for a policy that is put back, named by it',
  all: 'the service has no resources in IAM for these; a condition holds the namespace of what is written',
};

const SID: Partial<Record<Place, string>> = { all: 'Look' };

/** Only for an endpoint whose variant scales. */
const SCALING: readonly Place[] = ['scalableTargets', 'trackingAlarms'];

/**
 * Lets the workflow make the calls that it makes, each on this endpoint's resources only.
 *
 * @internal
 */
export function allowPromotions(workflow: StageFunction, resources: StageResources): void {
  const groups = new Map<string, { place: Place; condition?: Grant['condition']; actions: Set<string> }>();
  for (const { action, on, condition } of AWS_CALLS.flatMap(({ grants }) => grants)) {
    for (const found of on) {
      // The stage that asks for signatures names their keys itself.
      if (found === 'signingKey' || (SCALING.includes(found) && !resources.handed.scales)) continue;
      const place = NARROWED[found] ?? found;
      const key = `${place} ${JSON.stringify(condition ?? {})}`;
      const group = groups.get(key) ?? { place, condition, actions: new Set<string>() };
      groups.set(key, { ...group, actions: group.actions.add(action) });
    }
  }
  const sids = new Map<string, number>();
  for (const { place, condition, actions } of groups.values()) {
    const count = (sids.get(place) ?? 0) + 1;
    sids.set(place, count);
    const sid = `${SID[place] ?? `${place.charAt(0).toUpperCase()}${place.slice(1)}`}${count === 1 ? '' : count}`;
    const arns = arnsOf(workflow, place, resources);
    const wildcard = arns.some((arn) => arn.includes('*')) ? WHY[place] : undefined;
    workflow.allow(sid, [...actions].sort(), arns, conditionsOf(place, condition), wildcard);
  }
}

function conditionsOf(place: Place, condition: Grant['condition']): Record<string, unknown> | undefined {
  if (place !== 'scalableTargets') return condition && { StringEquals: condition };
  const variants = {
    'application-autoscaling:service-namespace': 'sagemaker',
    'application-autoscaling:scalable-dimension': 'sagemaker:variant:DesiredInstanceCount',
  };
  return { StringEquals: { ...condition, ...variants } };
}

function arnsOf(scope: StageFunction, place: Place, { handed, groupName, bucketName, topicArn, places }: StageResources): string[] {
  const { endpointName } = handed.served;
  const stack = Stack.of(scope);
  const inBucket = (key: string) =>
    stack.formatArn({
      service: 's3',
      region: '',
      account: '',
      resource: bucketName,
      resourceName: key,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  if (place === 'stageObjects') return keysOf(endpointName).map(inBucket);
  if (place === 'artifactBucket') return [...new Set(places.map(({ bucket }) => bucket.bucketArn))];
  if (place === 'artifacts') return places.map(({ bucket, prefix }) => bucket.arnForObjects(`${prefix}*`));
  if (place === 'ownAlarms') return [fleetAlarmsArn(scope, endpointName)];
  if (place === 'trackingAlarms') return [alarmArn(scope, `TargetTracking-endpoint/${endpointName}/*`)];
  const filled: Record<string, string> = {
    partition: stack.partition,
    region: stack.region,
    account: stack.account,
    endpoint: endpointName.toLowerCase(),
    stem: stemOf(endpointName).toLowerCase(),
    group: groupName.toLowerCase(),
    bucket: bucketName,
    role: handed.role.role.roleArn,
    topic: topicArn,
  };
  return [RESOURCES[place].replace(/\{(\w+)\}/g, (_, name: string) => filled[name] ?? unknown(name))];
}

function unknown(name: string): never {
  throw new Error(`lib/promotion/calls.ts names {${name}}, which this construct does not know`);
}
