import { Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { App, Size, Stack, TimeZone } from 'aws-cdk-lib/core';
import { Capacity, ModelArtifact, ModelEndpoint, Scaling, ServingImage } from 'cdk-fledge';

const app = new App();
const stack = new Stack(app, 'Serverless');

// What `fledge publish` printed.
const digest = '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';
const models = Bucket.fromBucketName(stack, 'Models', 'our-models');

new ModelEndpoint(stack, 'FlightDelay', {
  artifact: ModelArtifact.fromBucket(models, `models/${digest}.tar.gz`, digest),
  image: ServingImage.sklearn('1.4'),
  capacity: Capacity.serverless({
    memory: Size.gibibytes(3),
    maxConcurrency: 50,
    provisionedConcurrency: 1,
    maxProvisionedConcurrency: 20,
  }),
  scaling: [
    Scaling.provisionedConcurrency({ percent: 70 }),
    Scaling.schedule({ schedule: Schedule.cron({ hour: '7', minute: '30' }), min: 5, timeZone: TimeZone.EUROPE_PARIS }),
    Scaling.schedule({ schedule: Schedule.cron({ hour: '20', minute: '0' }), min: 1, timeZone: TimeZone.EUROPE_PARIS }),
  ],
});

export { app };
