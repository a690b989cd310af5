import { resolve } from 'node:path';
import { type CreateEndpointConfigCommandInput, type ProductionVariant, SageMaker } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntime } from '@aws-sdk/client-sagemaker-runtime';
import { type LocalOptions, type LocalSageMaker, startLocal } from '../../lib/local';
import type { Answer, Engine, Invocation } from '../../lib/serving';

export const ROLE = 'arn:aws:iam::000000000000:role/model';
export const IMAGE = '000000000000.dkr.ecr.us-east-1.amazonaws.com/onnx:1';
export const START = Date.UTC(2026, 0, 1);

/** The flight-delay model of this version, as it lies in the repository. */
export function flightDelay(version: number): string {
  return `file://${resolve(__dirname, `../../model-artifacts/flight-delay/${version}`)}`;
}

/** Puts a version of flight-delay into the registry, approved. @returns its ARN */
export async function registeredVersion({ sagemaker }: Started, version: number): Promise<string> {
  await sagemaker.createModelPackageGroup({ ModelPackageGroupName: 'delay' }).catch(() => undefined);
  const { ModelPackageArn } = await sagemaker.createModelPackage({
    ModelPackageGroupName: 'delay',
    ModelApprovalStatus: 'Approved',
    InferenceSpecification: {
      Containers: [{ Image: IMAGE, ModelDataUrl: flightDelay(version) }],
      SupportedContentTypes: ['application/json'],
      SupportedResponseMIMETypes: ['application/json'],
    },
  });
  return ModelPackageArn!;
}

export interface Started {
  readonly local: LocalSageMaker;
  readonly sagemaker: SageMaker;
  readonly runtime: SageMakerRuntime;
  stop(): Promise<void>;
}

/** A local SageMaker whose clock stands still, and the SDK's own clients of it. */
export async function start(options: LocalOptions = {}): Promise<Started> {
  const local = await startLocal({ region: 'us-east-1', clock: { start: START, speed: 0 }, seed: 1, ...options });
  const client = {
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  };
  const sagemaker = new SageMaker(client);
  const runtime = new SageMakerRuntime(client);
  const stop = async () => {
    sagemaker.destroy();
    runtime.destroy();
    await local.close();
  };
  return { local, sagemaker, runtime, stop };
}

/** An engine that answers as told; the way to see what a model was given. */
export class ToldEngine implements Engine {
  readonly restarts = 0;
  readonly seen: Invocation[] = [];
  closed = false;

  constructor(private readonly answer: (invocation: Invocation) => Partial<Answer> | Promise<Partial<Answer>> = () => ({})) {}

  async invoke(invocation: Invocation): Promise<Answer> {
    this.seen.push(invocation);
    return { status: 200, contentType: 'application/json', body: Buffer.from('{}'), ...(await this.answer(invocation)) };
  }

  async ping(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

export function variant(name: string, model: string, more: Partial<ProductionVariant> = {}): ProductionVariant {
  return { VariantName: name, ModelName: model, InstanceType: 'ml.m5.large', InitialInstanceCount: 1, InitialVariantWeight: 1, ...more };
}

/** Creates a model with this data, or none at all. */
export async function createModel({ sagemaker }: Started, name: string, data?: string): Promise<void> {
  await sagemaker.createModel({ ModelName: name, ExecutionRoleArn: ROLE, PrimaryContainer: { Image: IMAGE, ModelDataUrl: data } });
}

export async function createConfig(
  { sagemaker }: Started,
  name: string,
  variants: ProductionVariant[],
  more: Partial<CreateEndpointConfigCommandInput> = {},
): Promise<void> {
  await sagemaker.createEndpointConfig({ EndpointConfigName: name, ProductionVariants: variants, ...more });
}

/** An endpoint in service on a configuration of the same name as its model. */
export async function serve(started: Started, endpoint: string, model: string, more: Partial<ProductionVariant> = {}): Promise<void> {
  await createModel(started, model);
  await createConfig(started, model, [variant('live', model, more)]);
  await started.sagemaker.createEndpoint({ EndpointName: endpoint, EndpointConfigName: model });
  await started.local.clock.jump(60_000);
}
