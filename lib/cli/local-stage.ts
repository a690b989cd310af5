import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateModelPackageGroupCommand,
  DescribeEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { type Inspection, inspect } from '../model';
import { publish } from '../model/publish';
import { type Ports, STAGE_TAGS } from '../promotion';
import { UserError } from './exit-codes';
import { register } from './register';
import { samplesOf, storeSamples } from './samples';

/** Bucket of artifacts, lock, controls and record. */
export const STAGE_BUCKET = 'fledge-stage';
/** The one production variant of an endpoint at rest. */
export const LIVE = 'live';

const ROLE = 'arn:aws:iam::000000000000:role/local';
const IMAGE = '000000000000.dkr.ecr.us-east-1.amazonaws.com/cdk-fledge/onnx:local';

/** A model version that was put into the local store and registered. */
export interface Published {
  readonly directory: string;
  readonly inspection: Inspection;
  /** SHA-256 of the manifest. */
  readonly digest: string;
  readonly archiveBytes: number;
  readonly modelPackageArn: string;
  readonly modelDataUrl: string;
}

/** The store and the registry of a local SageMaker, filled as a pipeline would fill AWS's. */
export class LocalStage {
  private constructor(
    private readonly ports: Ports,
    private readonly group: string,
    private readonly warn: (message: string) => void,
  ) {}

  /** @param warn told what may fail or surprise in a model that is published. @default - nobody is */
  static async open(ports: Ports, group: string, warn: (message: string) => void = () => {}): Promise<LocalStage> {
    await ports.s3.send(new CreateBucketCommand({ Bucket: STAGE_BUCKET }));
    const stage = new LocalStage(ports, group, warn);
    await ports.sagemaker
      .send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: group, Tags: stage.tags }))
      .catch((error: Error) => {
        if (!/already exist/i.test(error.message)) throw error;
      });
    return stage;
  }

  /** By which the command finds the stage again. */
  private get tags() {
    return [
      { Key: STAGE_TAGS.bucket, Value: STAGE_BUCKET },
      { Key: STAGE_TAGS.group, Value: this.group },
    ];
  }

  /** Inspects, packs and uploads a directory, and registers it as a model package. @throws UserError */
  async publish(directory: string, approval: 'Approved' | 'PendingManualApproval' = 'Approved'): Promise<Published> {
    if (!existsSync(directory) || !statSync(directory).isDirectory())
      throw new UserError(`${directory} is not a directory with a model in it`);
    const inspection = inspect(directory, { scan: false });
    for (const { severity, path, message, remedy } of inspection.findings)
      if (severity === 'warning') this.warn(`${join(directory, path ?? '')}: ${message}; ${remedy}`);
    const { s3, sagemaker } = this.ports;
    const { digest, uri, bytes } = await publish(directory, { client: s3, bucket: STAGE_BUCKET });
    const recorded = samplesOf(directory);
    const samples = recorded && (await storeSamples(s3, STAGE_BUCKET, recorded, digest));
    const modelPackageArn = await register(sagemaker, {
      group: this.group,
      uri,
      digest,
      image: IMAGE,
      samples,
      approve: approval === 'Approved',
    });
    return { directory, inspection, digest, archiveBytes: bytes, modelPackageArn, modelDataUrl: uri };
  }

  /** Puts a version live on a new endpoint; resolves when it serves. @throws UserError with SageMaker's reason */
  async deploy(endpointName: string, version: Published): Promise<void> {
    const { sagemaker } = this.ports;
    const name = `${endpointName.slice(0, 40)}-${version.digest.slice(0, 12)}`;
    await sagemaker.send(
      new CreateModelCommand({ ModelName: name, ExecutionRoleArn: ROLE, Containers: [{ ModelPackageName: version.modelPackageArn }] }),
    );
    const variant = {
      VariantName: LIVE,
      ModelName: name,
      InstanceType: 'ml.c7g.large' as const,
      InitialInstanceCount: 1,
      InitialVariantWeight: 1,
    };
    await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }));
    await sagemaker.send(new CreateEndpointCommand({ EndpointName: endpointName, EndpointConfigName: name, Tags: this.tags }));
    for (;;) {
      const endpoint = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpointName }));
      if (endpoint.EndpointStatus === 'InService') return;
      if (endpoint.EndpointStatus === 'Failed') throw new UserError(`${version.directory} does not come up: ${endpoint.FailureReason}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
