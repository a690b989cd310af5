import { join } from 'node:path';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { App, Duration, Stack } from 'aws-cdk-lib/core';
import {
  CanaryJudge,
  CanaryStage,
  CanaryStep,
  Capacity,
  GoLive,
  ModelArtifact,
  ModelEndpoint,
  ModelStore,
  ServingImage,
} from '../../../lib';

/** The stack under test; MODEL_VERSION says which of the repository's models it deploys. Its times are the shortest that the constructs take: a promotion of minutes. */
const app = new App();
const stack = new Stack(app, 'Flights', { env: { account: '000000000000', region: 'us-east-1' } });

const endpoint = new ModelEndpoint(stack, 'FlightDelay', {
  endpointName: 'flights',
  artifact: ModelArtifact.fromDirectory(join(__dirname, '../../../model-artifacts/flight-delay', process.env.MODEL_VERSION!)),
  modelStore: new ModelStore(stack, 'Store'),
  // An image of its own would be built by Docker.
  image: ServingImage.fromEcrRepository(Repository.fromRepositoryName(stack, 'Images', 'serving'), 'onnx-1'),
  capacity: Capacity.instances({ instanceType: 'ml.c7g.large', min: 2, max: 4 }),
  enhancedMetricsPeriod: Duration.seconds(10),
});

const stage = new CanaryStage(stack, 'Canary', {
  endpoint,
  steps: [CanaryStep.percent(10, { bake: Duration.seconds(10) }), CanaryStep.percent(50, { bake: Duration.seconds(10) })],
  // A disturbance lasts for one bin: nobody disturbs this endpoint for a minute, and the judge would wait for minutes.
  judge: CanaryJudge.standard({ bin: Duration.seconds(10), block: Duration.seconds(10), settle: Duration.seconds(5) }),
  goLive: GoLive.allAtOnce({ bake: Duration.seconds(1) }),
  deadline: Duration.minutes(10),
  updateTimeout: Duration.minutes(10),
});

stage.topic.addSubscription(new SqsSubscription(new Queue(stack, 'Told', { queueName: 'told' }), { rawMessageDelivery: true }));
