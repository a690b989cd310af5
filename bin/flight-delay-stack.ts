import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { CanaryStage, Capacity, ModelArtifact, ModelEndpoint, ModelStore, Scaling } from '../lib';
import { packageRoot } from '../lib/model/entry-point';

export interface FlightDelayStackProps extends StackProps {
  /** A directory of model-artifacts/flight-delay. */
  readonly version: string;
  /**
   * What takes a new version live: `guardrails`, SageMaker's own within `cdk deploy`, or `canary`, a stage of its own. An endpoint goes from the one to the other as
   * from one version to the next.
   *
   * @default 'guardrails'
   */
  readonly rollout?: string;
}

/** The question "does this flight arrive more than 15 minutes late?", answered by one version of the model. */
export class FlightDelayStack extends Stack {
  public readonly endpoint: ModelEndpoint;

  constructor(scope: Construct, id: string, props: FlightDelayStackProps) {
    super(scope, id, props);
    const { rollout = 'guardrails' } = props;
    if (!['guardrails', 'canary'].includes(rollout))
      throw new Error(`rollout is guardrails or canary, as in -c rollout=canary, got '${rollout}'`);
    this.endpoint = new ModelEndpoint(this, 'FlightDelay', {
      endpointName: 'flight-delay',
      artifact: ModelArtifact.fromDirectory(directoryOf(props.version)),
      modelStore: rollout === 'canary' ? new ModelStore(this, 'Models') : undefined,
      capacity: Capacity.instances({ instanceType: 'ml.c6i.large', min: 2, max: 6 }),
      scaling: [Scaling.cpuUtilization({ percent: 60 })],
    });
    if (rollout === 'canary') new CanaryStage(this, 'Canary', { endpoint: this.endpoint });
    Tags.of(this.endpoint).add('model-version', props.version);
    new CfnOutput(this, 'EndpointName', { value: this.endpoint.endpointName });
  }
}

function directoryOf(version: string): string {
  const versions = join(packageRoot(__dirname), 'model-artifacts', 'flight-delay');
  const directory = join(versions, version);
  if (/^[\w.-]+$/.test(version) && existsSync(directory)) return directory;
  const known = readdirSync(versions, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []));
  throw new Error(
    `there is no version '${version}' of flight-delay: take one of ${known.join(', ')}, as in cdk synth -c version=${known.at(-1)}`,
  );
}
