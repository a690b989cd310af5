import { join } from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib/core';
import { Capacity, ModelArtifact, ModelEndpoint, Rollout, RolloutJudge } from 'cdk-fledge';

const app = new App();
const stack = new Stack(app, 'JudgedRollout');

new ModelEndpoint(stack, 'FlightDelay', {
  endpointName: 'flight-delay-judged',
  artifact: ModelArtifact.fromDirectory(join(__dirname, '..', '..', 'model-artifacts', 'flight-delay', '2')),
  capacity: Capacity.instances({ instanceType: 'ml.c7g.large', min: 4 }),
  rollout: Rollout.canary({
    percent: 50,
    bake: Duration.hours(1),
    // Errors twice as often, or requests slower by a tenth twice as often, are bad; what is not shown to be less bad goes back.
    judge: RolloutJudge.standard({ margin: 2, latencyTolerance: 0.1, falseRollback: 0.05, falsePromotion: 0.05, failClosed: true }),
  }),
});

export { app };
