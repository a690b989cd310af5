import { join } from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib/core';
import {
  Approval,
  CanaryJudge,
  CanaryStage,
  CanaryStep,
  Capacity,
  JudgedMetric,
  ModelArtifact,
  ModelEndpoint,
  ModelStore,
  OnDeadline,
  Scaling,
} from 'cdk-fledge';

const app = new App();
const stack = new Stack(app, 'FlightDelayStage');

// Versions stay in the store for as long as one of them may serve.
const modelStore = new ModelStore(stack, 'Models');

const endpoint = new ModelEndpoint(stack, 'FlightDelay', {
  endpointName: 'flight-delay-staged',
  // Another directory here is another version in the registry, and its promotion.
  artifact: ModelArtifact.fromDirectory(join(__dirname, '..', '..', 'model-artifacts', 'flight-delay', '1')),
  modelStore,
  capacity: Capacity.instances({ instanceType: 'ml.c6i.large', min: 2, max: 6 }),
  scaling: [Scaling.cpuUtilization({ percent: 60 })],
});

new CanaryStage(stack, 'Canary', {
  endpoint,
  steps: [CanaryStep.shadow(), CanaryStep.percent(5), CanaryStep.percent(25), CanaryStep.percent(50, { bake: Duration.minutes(15) })],
  judge: CanaryJudge.standard({ latencyTolerance: 0.2, metrics: [JudgedMetric.wrongAnswers()] }),
  approval: Approval.manual({ timeout: Duration.days(2) }),
  deadline: Duration.hours(12),
  onDeadline: OnDeadline.HOLD,
});

export { app };
