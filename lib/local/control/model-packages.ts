import type {
  BatchDescribeModelPackageInput,
  BatchDescribeModelPackageOutput,
  ContainerDefinition,
  CreateModelPackageInput,
  CreateModelPackageOutput,
  DeleteModelPackageInput,
  DescribeModelPackageInput,
  DescribeModelPackageOutput,
  ListModelPackagesInput,
  ListModelPackagesOutput,
  ModelPackageSummary,
  UpdateModelPackageInput,
  UpdateModelPackageOutput,
} from '@aws-sdk/client-sagemaker';
import { arn, type LocalContext } from '../context';
import { writeJson } from '../shapes';
import type { Table } from '../storage/state';
import { conflict, validation } from './errors';
import type { ModelPackageGroups } from './model-package-groups';
import { page } from './paging';
import type { Tags } from './tags';

/** A model package: a version in a group, or a package by itself. */
interface ModelPackageRecord {
  readonly arn: string;
  /** The group's name, or the package's own where it has no group. */
  readonly name: string;
  readonly version?: number;
  readonly created: number;
  readonly modified: number;
  /** What was given at its creation and changed since; times as JSON has them. */
  readonly input: CreateModelPackageInput & { readonly ApprovalDescription?: string };
}

/** Model packages: model versions with their approval. */
export class ModelPackages {
  private readonly table: Table<ModelPackageRecord>;
  private readonly tokens: Table<string>;

  constructor(
    private readonly context: LocalContext,
    private readonly tags: Tags,
    private readonly groups: ModelPackageGroups,
  ) {
    this.table = context.state.table('model-packages');
    this.tokens = context.state.table('model-package-tokens');
    groups.holds = (group) => this.table.values().some(({ name, version }) => version !== undefined && name === group);
  }

  create(input: CreateModelPackageInput): CreateModelPackageOutput {
    const made = input.ClientToken === undefined ? undefined : this.tokens.get(input.ClientToken);
    if (made !== undefined) return { ModelPackageArn: made };
    const record = input.ModelPackageGroupName === undefined ? this.unversioned(input) : this.versioned(input, input.ModelPackageGroupName);
    if (this.table.has(record.arn)) throw conflict(`Model Package already exists: ${record.arn}`);
    this.tags.open(record.arn, input.Tags);
    this.table.set(record.arn, record);
    if (input.ClientToken !== undefined) this.tokens.set(input.ClientToken, record.arn);
    this.announce(record);
    return { ModelPackageArn: record.arn };
  }

  describe({ ModelPackageName }: DescribeModelPackageInput): DescribeModelPackageOutput {
    const record = this.get(ModelPackageName!);
    const { Tags: _, ClientToken: __, ...given } = record.input;
    return {
      CertifyForMarketplace: false,
      ...given,
      ...this.identity(record),
      ModelPackageDescription: record.input.ModelPackageDescription,
      ModelPackageStatusDetails: { ValidationStatuses: [] },
      LastModifiedTime: new Date(record.modified),
    } as DescribeModelPackageOutput;
  }

  update(input: UpdateModelPackageInput): UpdateModelPackageOutput {
    const record = this.get(input.ModelPackageArn!);
    const {
      ModelPackageArn: _,
      ClientToken: __,
      CustomerMetadataPropertiesToRemove: removed = [],
      AdditionalInferenceSpecificationsToAdd: added = [],
      ...changes
    } = input;
    if (input.ModelApprovalStatus !== undefined && record.version === undefined) {
      throw validation(`ModelApprovalStatus can only be changed for versioned model packages, and ${record.arn} is in no group.`);
    }
    const metadata = { ...record.input.CustomerMetadataProperties, ...input.CustomerMetadataProperties };
    for (const key of removed) delete metadata[key];
    const specifications = [...(record.input.AdditionalInferenceSpecifications ?? []), ...added];
    const changed: ModelPackageRecord = {
      ...record,
      modified: this.context.clock.now(),
      input: {
        ...record.input,
        ...(changes as Partial<CreateModelPackageInput>),
        CustomerMetadataProperties: Object.keys(metadata).length === 0 ? undefined : metadata,
        AdditionalInferenceSpecifications: specifications.length === 0 ? undefined : specifications,
      },
    };
    this.table.set(record.arn, changed);
    this.announce(changed, updatedFields(input));
    return { ModelPackageArn: record.arn };
  }

  delete({ ModelPackageName }: DeleteModelPackageInput): void {
    const record = this.get(ModelPackageName!);
    this.table.delete(record.arn);
    this.tags.close(record.arn);
  }

  list(input: ListModelPackagesInput): ListModelPackagesOutput {
    const group = input.ModelPackageGroupName === undefined ? undefined : this.groups.get(input.ModelPackageGroupName).name;
    const type = input.ModelPackageType ?? (group === undefined ? 'Unversioned' : 'Versioned');
    const rows = this.table
      .values()
      .filter(
        (record) =>
          (type === 'Both' || (type === 'Versioned') === (record.version !== undefined)) &&
          (group === undefined || record.name === group) &&
          (input.ModelApprovalStatus === undefined || record.input.ModelApprovalStatus === input.ModelApprovalStatus),
      );
    const paged = page(
      rows,
      input,
      ({ name, version = 0, created }) => ({ name: `${name}/${String(version).padStart(9, '0')}`, created }),
      'Ascending',
    );
    return { ModelPackageSummaryList: paged.rows.map((record) => this.identity(record)), NextToken: paged.NextToken };
  }

  batchDescribe({ ModelPackageArnList }: BatchDescribeModelPackageInput): BatchDescribeModelPackageOutput {
    const output: Required<Pick<BatchDescribeModelPackageOutput, 'ModelPackageSummaries' | 'BatchDescribeModelPackageErrorMap'>> = {
      ModelPackageSummaries: {},
      BatchDescribeModelPackageErrorMap: {},
    };
    for (const packageArn of ModelPackageArnList!) {
      const record = this.table.get(packageArn);
      if (record === undefined) {
        output.BatchDescribeModelPackageErrorMap[packageArn] = {
          ErrorCode: 'ValidationException',
          ErrorResponse: missing(packageArn).message,
        };
      } else {
        const { Tags: _, ...identity } = { ...this.identity(record), Tags: undefined };
        output.ModelPackageSummaries[packageArn] = { ...identity, InferenceSpecification: record.input.InferenceSpecification } as never;
      }
    }
    return output;
  }

  /**
   * The container of a package, as CreateModel takes it.
   *
   * @throws ServiceError where the package is not there, has no container, or is a version that nobody approved
   */
  containerOf(nameOrArn: string): ContainerDefinition {
    const record = this.get(nameOrArn);
    if (record.version !== undefined && record.input.ModelApprovalStatus !== 'Approved') {
      throw validation(`Model Package ${record.arn} is not approved: its ModelApprovalStatus is ${record.input.ModelApprovalStatus}.`);
    }
    const container = record.input.InferenceSpecification?.Containers?.[0];
    if (container === undefined) throw validation(`Model Package ${record.arn} has no InferenceSpecification to serve.`);
    const { Image, ModelDataUrl, ModelDataSource, Environment, ContainerHostname } = container;
    return { Image, ModelDataUrl, ModelDataSource, Environment, ContainerHostname };
  }

  private versioned(input: CreateModelPackageInput, groupName: string): ModelPackageRecord {
    if (input.ModelPackageName !== undefined)
      throw validation('Both ModelPackageName and ModelPackageGroupName cannot be provided at the same time.');
    const { name } = this.groups.get(groupName);
    const version = this.groups.nextVersion(name);
    const approval = input.ModelApprovalStatus ?? 'PendingManualApproval';
    return this.record(name, version, { ...input, ModelPackageGroupName: name, ModelApprovalStatus: approval });
  }

  private unversioned(input: CreateModelPackageInput): ModelPackageRecord {
    if (input.ModelPackageName === undefined) throw validation('Either ModelPackageName or ModelPackageGroupName must be provided.');
    return this.record(input.ModelPackageName, undefined, input);
  }

  private record(name: string, version: number | undefined, input: CreateModelPackageInput): ModelPackageRecord {
    const now = this.context.clock.now();
    const plain: unknown = JSON.parse(writeJson(input));
    return { arn: this.arnOf(name, version), name, version, created: now, modified: now, input: plain as CreateModelPackageInput };
  }

  private arnOf(name: string, version?: number): string {
    return arn(this.context, 'sagemaker', `model-package/${name.toLowerCase()}${version === undefined ? '' : `/${version}`}`);
  }

  private get(nameOrArn: string): ModelPackageRecord {
    const packageArn = nameOrArn.startsWith('arn:')
      ? nameOrArn
      : arn(this.context, 'sagemaker', `model-package/${nameOrArn.toLowerCase()}`);
    const record = this.table.get(packageArn);
    if (record === undefined) throw missing(packageArn);
    return record;
  }

  private identity(record: ModelPackageRecord): ModelPackageSummary {
    return {
      ModelPackageName: record.version === undefined ? record.name : undefined,
      ModelPackageGroupName: record.version === undefined ? undefined : record.name,
      ModelPackageVersion: record.version,
      ModelPackageArn: record.arn,
      ModelPackageDescription: record.input.ModelPackageDescription,
      CreationTime: new Date(record.created),
      ModelPackageStatus: 'Completed',
      ModelApprovalStatus: record.input.ModelApprovalStatus,
    };
  }

  private announce(record: ModelPackageRecord, updated?: readonly string[]): void {
    this.context.events.put({
      source: 'aws.sagemaker',
      detailType: 'SageMaker Model Package State Change',
      resources: [record.arn],
      detail: JSON.parse(
        JSON.stringify({
          ...this.identity(record),
          InferenceSpecification: record.input.InferenceSpecification,
          ModelPackageStatusDetails: { ValidationStatuses: [], ImageScanStatuses: [] },
          CertifyForMarketplace: false,
          CustomerMetadataProperties: record.input.CustomerMetadataProperties,
          LastModifiedTime: new Date(record.modified),
          UpdatedModelPackageFields: updated,
        }),
      ) as Record<string, unknown>,
    });
  }
}

const NO_FIELDS = ['ModelPackageArn', 'ClientToken'];

/** What an update changed, as its event says. */
const updatedFields = (input: UpdateModelPackageInput): string[] =>
  Object.keys(input).filter((field) => input[field as keyof UpdateModelPackageInput] !== undefined && !NO_FIELDS.includes(field));

function missing(packageArn: string) {
  return validation(`Model Package ${packageArn} does not exist.`);
}
