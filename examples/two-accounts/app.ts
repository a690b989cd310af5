import { join } from 'node:path';
import { App, Stack, type StackProps } from 'aws-cdk-lib/core';
import { CanaryStage, Capacity, ModelArtifact, ModelEndpoint, ModelStore, OnArrival, VersionOffer, VersionReceiver } from 'cdk-fledge';

const app = new App();
const STAGING = '111122223333';
const PRODUCTION = '222222222222';
const region = 'eu-west-1';

/** The same model behind a stage of its own in each account. */
class FlightDelay extends Stack {
  readonly endpoint: ModelEndpoint;
  readonly stage: CanaryStage;

  constructor(id: string, instances: number, props: StackProps) {
    super(app, id, props);
    this.endpoint = new ModelEndpoint(this, 'FlightDelay', {
      endpointName: 'flight-delay',
      artifact: ModelArtifact.fromDirectory(join(__dirname, '..', '..', 'model-artifacts', 'flight-delay', '1')),
      modelStore: new ModelStore(this, 'Models'),
      capacity: Capacity.instances({ instanceType: 'ml.c6i.large', min: instances }),
    });
    this.stage = new CanaryStage(this, 'Canary', { endpoint: this.endpoint });
  }
}

// Deployed first: its output `Offer` is what production is given below.
const staging = new FlightDelay('FlightDelayStaging', 2, { env: { account: STAGING, region } });
new VersionOffer(staging, 'ToProduction', { stage: staging.stage, account: PRODUCTION });

const production = new FlightDelay('FlightDelayProduction', 4, { env: { account: PRODUCTION, region } });
new VersionReceiver(production, 'FromStaging', {
  stage: production.stage,
  endpoint: production.endpoint,
  offer: {
    endpointName: 'flight-delay',
    topicArn: `arn:aws:sns:${region}:${STAGING}:FlightDelayStaging-CanaryNotices-1A2B3C4D`,
    modelPackageGroupArn: `arn:aws:sagemaker:${region}:${STAGING}:model-package-group/flight-delay`,
    recordBucketName: 'flightdelaystaging-canaryrecords-1a2b3c4d',
    recordKeyArn: `arn:aws:kms:${region}:${STAGING}:key/0f9e8d7c-0000-0000-0000-000000000001`,
    artifactBucketName: 'flightdelaystaging-models-1a2b3c4d',
    artifactKeyArn: `arn:aws:kms:${region}:${STAGING}:key/0f9e8d7c-0000-0000-0000-000000000002`,
  },
  // Somebody in production approves it, with staging's record before them: `fledge explain flight-delay VERSION`.
  onArrival: OnArrival.WAIT_FOR_APPROVAL,
});

export { app };
