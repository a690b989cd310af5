import { DescribeModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { ModelError } from '../model/model-error';
import { readContent, type StoredModel } from './artifact-content';
import type { ArtifactDemand } from './artifact-demand';
import { verifySignature } from './artifact-signature';
import { isTransient, saying } from './aws-errors';
import { CANDIDATE } from './names';
import { packageData } from './package-data';
import { PACKAGE_METADATA } from './package-metadata';
import type { Ports } from './ports';
import type { PromotionRequest } from './request';
import { Store } from './store';

/** Requests with the answers that the model gave when it was trained. */
export interface RecordedSamples {
  /** The most that a number may differ. @default 0.0001 */
  readonly tolerance?: number;
  readonly samples: readonly RecordedSample[];
}

/** Named inputs and outputs of one row, sent as JSON. */
export interface RecordedSample {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** @returns what is wrong with the package or its artifact; empty when nothing is */
export async function artifactProblem(ports: Ports, request: PromotionRequest): Promise<string> {
  const modelPackage = await ports.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: request.modelPackageArn }));
  if (modelPackage.ModelApprovalStatus !== 'Approved') return `the model package is ${modelPackage.ModelApprovalStatus}, not Approved`;
  const data = packageData(modelPackage);
  if ('problem' in data) return data.problem;
  const { url } = data;
  const place = /^s3:\/\/([^/]+)\/(.+)$/.exec(url);
  if (!place) return `the model data is at ${url}, not in S3`;
  const digest = modelPackage.CustomerMetadataProperties?.[PACKAGE_METADATA.digest];
  if (digest && !url.includes(digest)) return `the model data at ${url} is not the approved content ${digest}`;
  return contentProblem(ports, { url, bucket: place[1], key: place[2], digest }, request.plan.artifact ?? {});
}

async function contentProblem(ports: Ports, model: StoredModel, demand: ArtifactDemand): Promise<string> {
  const { signedBy } = demand;
  try {
    const digest = await readContent(ports, model, demand).catch((error) => {
      // Beyond what can be read here, the signature alone must do.
      if (signedBy !== undefined && model.digest !== undefined && codeOf(error) === 'too-large') return model.digest;
      throw error;
    });
    if (signedBy === undefined) return '';
    if (digest === undefined) return `${model.url} has no digest that could be signed: publish the model with fledge publish`;
    await verifySignature(ports, model, digest, signedBy);
    return '';
  } catch (error) {
    if (codeOf(error) === 'too-large')
      return `${(error as Error).message}: sign it (fledge sign) and name the key in the plan's artifact.signedBy, or raise artifact.limitBytes`;
    if (error instanceof ModelError) return error.message;
    throw error;
  }
}

const codeOf = (error: unknown): string | undefined => (error instanceof ModelError ? error.code : undefined);

/** Sends the recorded requests to the candidate variant, which takes no other traffic yet. @returns what differs; empty when nothing does */
export async function samplesProblem(ports: Ports, request: PromotionRequest): Promise<string> {
  const modelPackage = await ports.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: request.modelPackageArn }));
  const key = modelPackage.CustomerMetadataProperties?.[PACKAGE_METADATA.samples];
  if (!key) return '';
  const recorded = (await new Store(ports, request.bucket).read<RecordedSamples>(key))?.value;
  if (!recorded) return `the recorded samples ${key} are not in ${request.bucket}`;
  for (const [i, { inputs, outputs }] of recorded.samples.entries()) {
    const answer = await ask(ports, request.endpointName, inputs);
    if ('error' in answer) return `sample ${i + 1} of ${recorded.samples.length}: ${answer.error}`;
    const wrong = difference(outputs, answer.outputs, recorded.tolerance ?? 1e-4);
    if (wrong) return `sample ${i + 1} of ${recorded.samples.length}: ${wrong}`;
  }
  return '';
}

async function ask(ports: Ports, endpointName: string, inputs: object): Promise<{ outputs: Record<string, unknown> } | { error: string }> {
  try {
    const { Body } = await ports.runtime.send(
      new InvokeEndpointCommand({
        EndpointName: endpointName,
        TargetVariant: CANDIDATE,
        ContentType: 'application/json',
        Accept: 'application/json',
        Body: Buffer.from(JSON.stringify({ instances: [inputs] })),
      }),
    );
    const answer = JSON.parse(Buffer.from(Body!).toString()) as { predictions?: Record<string, unknown>[] };
    return answer.predictions?.[0]
      ? { outputs: answer.predictions[0] }
      : { error: `the answer has no predictions: ${JSON.stringify(answer).slice(0, 200)}` };
  } catch (error) {
    if (isTransient(error) && (error as Error).name !== 'ModelError') throw error;
    return { error: saying(error) };
  }
}

function difference(expected: Readonly<Record<string, unknown>>, found: Readonly<Record<string, unknown>>, tolerance: number): string {
  for (const [name, value] of Object.entries(expected)) {
    const other = found[name];
    const equal =
      typeof value === 'number' && typeof other === 'number'
        ? Math.abs(value - other) <= tolerance
        : JSON.stringify(value) === JSON.stringify(other);
    if (!equal) return `${name} is ${JSON.stringify(other)}, recorded was ${JSON.stringify(value)}`;
  }
  return '';
}
