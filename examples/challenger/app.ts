import { join } from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib/core';
import { Capacity, ModelArtifact, ModelEndpoint, Rollout } from 'cdk-fledge';

const app = new App();
const stack = new Stack(app, 'Challenger');

const versions = join(__dirname, '..', '..', 'model-artifacts', 'flight-delay');
const endpoint = new ModelEndpoint(stack, 'FlightDelay', {
  artifact: ModelArtifact.fromDirectory(join(versions, '1')),
  weight: 1,
  rollout: Rollout.canary({ instances: 1, bake: Duration.minutes(20) }),
});

// It answers only who asks for it by name, until it has a weight. Two instances, as a canary moves each variant in whole ones.
endpoint.addVariant('challenger', {
  artifact: ModelArtifact.fromDirectory(join(versions, '2')),
  capacity: Capacity.instances({ instanceType: 'ml.c6i.large', min: 2 }),
  weight: 0,
});

export { app };
