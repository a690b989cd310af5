import {
  CreateModelPackageCommand,
  type CreateModelPackageCommandInput,
  DescribeModelPackageCommand,
  type DescribeModelPackageOutput,
  ListModelPackagesCommand,
} from '@aws-sdk/client-sagemaker';
import { copyFolder } from './hand-over-copy';
import { markOf } from './names';
import type { Notice } from './notices';
import { PACKAGE_METADATA } from './package-metadata';
import type { Ports } from './ports';
import { outcomeKey, promotionPrefix } from './record';
import type { Outcome } from './request';
import { Store } from './store';

/** The stage of the account that offers, and that of the account that takes. */
export interface HandOver {
  readonly from: {
    readonly endpointName: string;
    /** Whose notices are believed. */
    readonly topicArn: string;
    /** ARN of the model package group. */
    readonly groupArn: string;
    /** Bucket of the record. */
    readonly records: string;
    /** Bucket of the model archives. */
    readonly artifacts: string;
  };
  readonly to: {
    /** Name of the model package group. */
    readonly group: string;
    readonly records: string;
    readonly artifacts: string;
    /** The container that serves here. @default - the one that served there, which this account must be able to pull */
    readonly image?: string;
    readonly approval: 'Approved' | 'PendingManualApproval';
  };
}

/** `s3` must follow a bucket into its region. */
export interface HandOverPorts extends Pick<Ports, 'sagemaker' | 's3'> {
  /** In the region of the account that offers. */
  readonly theirs: Ports['sagemaker'];
}

/** Where the record of a promotion in another account is kept: apart from this account's own, and in the same shape. */
export const offeredFolder = (account: string): string => `offered/${account}/`;

/** SageMaker takes 1,024 characters. */
const LONGEST_DESCRIPTION = 1024;

/**
 * Takes a version over that another account promoted: its artifact, the record of its promotion, and its entry in the registry, in this order, so that whoever sees the
 * entry finds the rest. May be run twice.
 *
 * @returns the ARN of the version here; undefined for a notice that offers nothing
 * @throws Error for an offer that is not what it says
 */
export async function takeOver(ports: HandOverPorts, { from, to }: HandOver, notice: Notice): Promise<string | undefined> {
  const { news, endpointName, promotionId, modelPackageArn } = notice;
  if (news !== 'promoted' || endpointName !== from.endpointName) return undefined;
  const theirs = new Store(ports, from.records);
  const outcome = (await theirs.read<Outcome>(outcomeKey(endpointName, promotionId)))?.value;
  if (outcome?.verdict !== 'promoted' || outcome.modelPackageArn !== modelPackageArn) {
    throw new Error(`the notice says that ${modelPackageArn} was promoted by ${promotionId}, and the record in ${from.records} does not`);
  }
  const [arn, version] = [from.groupArn.replace(':model-package-group/', ':model-package/'), modelPackageArn.split('/').at(-1)];
  if (modelPackageArn !== `${arn}/${version}`)
    throw new Error(`${modelPackageArn} is not of the group ${from.groupArn}, which offers its versions here`);

  const modelPackage = await ports.theirs.send(new DescribeModelPackageCommand({ ModelPackageName: modelPackageArn }));
  const copied = (url: string) => copyArtifact(ports, url, from.artifacts, to.artifacts);
  const specification = await specificationHere(modelPackage, to.image, copied);
  const record = promotionPrefix(endpointName, promotionId);
  const folder = offeredFolder(accountOf(modelPackageArn));
  for (const part of ['record/', 'controls/', 'outcome.json']) {
    await copyFolder(
      ports,
      { bucket: from.records, prefix: `${record}${part}` },
      { bucket: to.records, prefix: `${folder}${record}${part}` },
    );
  }
  const metadata = metadataHere(modelPackage, modelPackageArn, `${folder}${record}`);
  const samples = metadata[PACKAGE_METADATA.samples];
  if (samples) await copyFolder(ports, { bucket: from.records, prefix: samples }, { bucket: to.records, prefix: samples });
  return register(ports, to, modelPackageArn, {
    InferenceSpecification: specification,
    CustomerMetadataProperties: metadata,
    ModelPackageDescription: descriptionOf(modelPackageArn, outcome),
  });
}

/** Its first words tell whether a version is here already. */
const offeredBy = (modelPackageArn: string): string => `offered by ${modelPackageArn}`;

const descriptionOf = (modelPackageArn: string, { reason }: Outcome): string =>
  `${offeredBy(modelPackageArn)}: promoted there, ${reason}`.slice(0, LONGEST_DESCRIPTION);

async function register(
  { sagemaker }: Pick<Ports, 'sagemaker'>,
  { group, approval }: HandOver['to'],
  modelPackageArn: string,
  version: Partial<CreateModelPackageCommandInput>,
): Promise<string> {
  let NextToken: string | undefined;
  do {
    const page = await sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: group, MaxResults: 100, NextToken }));
    const known = page.ModelPackageSummaryList?.find(({ ModelPackageDescription: text = '' }) =>
      text.startsWith(`${offeredBy(modelPackageArn)}:`),
    );
    if (known) return known.ModelPackageArn!;
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  const made = await sagemaker.send(
    new CreateModelPackageCommand({
      ...version,
      ModelPackageGroupName: group,
      ModelApprovalStatus: approval,
      // Two deliveries at once are one version.
      ClientToken: `offer-${markOf(modelPackageArn)}`,
    }),
  );
  return made.ModelPackageArn!;
}

/** The specification with this account's artifacts and image. */
async function specificationHere(
  { InferenceSpecification: specification, ModelPackageArn }: DescribeModelPackageOutput,
  image: string | undefined,
  copied: (url: string) => Promise<string>,
): Promise<NonNullable<CreateModelPackageCommandInput['InferenceSpecification']>> {
  const containers = specification?.Containers ?? [];
  if (containers.length === 0) throw new Error(`${ModelPackageArn} has no container to serve`);
  const Containers = [];
  for (const { Image, ImageDigest, ModelDataUrl, ModelDataSource, ModelDataETag: _, ...rest } of containers) {
    const source = ModelDataSource?.S3DataSource;
    Containers.push({
      ...rest,
      Image: image ?? Image!,
      ImageDigest: image === undefined ? ImageDigest : undefined,
      ModelDataUrl: ModelDataUrl && (await copied(ModelDataUrl)),
      ModelDataSource: source && {
        S3DataSource: { ...source, S3Uri: await copied(source.S3Uri!), ETag: undefined, ManifestEtag: undefined },
      },
    });
  }
  return { ...specification, Containers };
}

/** @returns where it lies here */
async function copyArtifact(ports: Pick<Ports, 's3'>, url: string, from: string, to: string): Promise<string> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
  if (bucket !== from || key === undefined)
    throw new Error(`the artifact lies at ${url}, not in ${from}, which is all that this account may read`);
  // With what lies beside it: an attestation is named by the same digest.
  const prefix = key.replace(/(\.tar\.gz|\/)$/, '');
  const count = await copyFolder(ports, { bucket: from, prefix }, { bucket: to, prefix });
  if (count === 0) throw new Error(`there is no artifact at ${url}`);
  return `s3://${to}/${key}`;
}

/** Size and number of instances are this account's own: what its live version is served on. */
function metadataHere({ CustomerMetadataProperties }: DescribeModelPackageOutput, offered: string, record: string): Record<string, string> {
  const { [PACKAGE_METADATA.instanceType]: _, [PACKAGE_METADATA.instanceCount]: __, ...kept } = CustomerMetadataProperties ?? {};
  return { ...kept, [PACKAGE_METADATA.offered]: offered, [PACKAGE_METADATA.record]: record };
}

const accountOf = (arn: string): string => arn.split(':')[4]!;
