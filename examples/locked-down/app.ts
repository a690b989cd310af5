import { join } from 'node:path';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import { Capacity, DataCapture, ModelArtifact, ModelEndpoint, ModelStore, Rollout, Scaling, ServingImage } from 'cdk-fledge';

const app = new App();
const env = { account: '111122223333', region: 'eu-west-1' };
const platform = new Stack(app, 'Platform', { env });
const stack = new Stack(app, 'LockedDown', { env });

const encryptionKey = new Key(platform, 'Key', { enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN });
const modelStore = new ModelStore(platform, 'Models', { encryptionKey });
// SageMaker's network interfaces outlive an endpoint: the VPC belongs to a stack that stays.
const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['eu-west-1a', 'eu-west-1b'],
  privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  privateSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
});

new ModelEndpoint(stack, 'FlightDelay', {
  endpointName: 'flight-delay-locked-down',
  artifact: ModelArtifact.fromDirectory(join(__dirname, '..', '..', 'model-artifacts', 'flight-delay', '2')),
  image: ServingImage.onnx(),
  modelStore,
  encryptionKey,
  vpc,
  networkIsolation: true,
  capacity: Capacity.instances({ instanceType: 'ml.c7g.large', min: 4, max: 12 }),
  scaling: [Scaling.invocationsPerInstance({ perSecond: 40 })],
  rollout: Rollout.linear({ percent: 25, bake: Duration.minutes(10) }),
  dataCapture: DataCapture.sampled({ percent: 20, retention: Duration.days(90) }),
  alarms: { serverErrorPercent: 0.5, p99Latency: Duration.millis(200), noTraffic: Duration.hours(1) },
  logRetention: RetentionDays.TWO_YEARS,
});

export { app };
