import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib/core';
import { ModelArtifact, ModelEndpoint } from 'cdk-fledge';

const app = new App();
const stack = new Stack(app, 'FirstEndpoint');

new ModelEndpoint(stack, 'FlightDelay', {
  artifact: ModelArtifact.fromDirectory(join(__dirname, '..', '..', 'model-artifacts', 'flight-delay', '2')),
});

export { app };
