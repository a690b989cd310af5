import { Bucket } from 'aws-cdk-lib/aws-s3';
import { App, Duration, Stack } from 'aws-cdk-lib/core';
import { Capacity, ModelArtifact, ModelEndpoint, Scaling, ServingImage } from 'cdk-fledge';

const app = new App();
const stack = new Stack(app, 'AsyncFromZero');

const digest = '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';
const models = Bucket.fromBucketName(stack, 'Models', 'our-models');

new ModelEndpoint(stack, 'Summaries', {
  artifact: ModelArtifact.fromBucket(models, `models/${digest}/`, digest),
  image: ServingImage.huggingface('4.51'),
  capacity: Capacity.async({
    instanceType: 'ml.g5.xlarge',
    min: 0,
    max: 4,
    maxConcurrentInvocationsPerInstance: 4,
    startupTimeout: Duration.minutes(15),
    retention: Duration.days(7),
  }),
  scaling: [Scaling.backlog({ perInstance: 5 })],
  alarms: { oldestRequest: Duration.hours(1) },
});

export { app };
