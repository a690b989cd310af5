import type {
  CreateModelPackageGroupInput,
  CreateModelPackageGroupOutput,
  DeleteModelPackageGroupInput,
  DescribeModelPackageGroupInput,
  DescribeModelPackageGroupOutput,
  ListModelPackageGroupsInput,
  ListModelPackageGroupsOutput,
  ModelPackageGroupSummary,
} from '@aws-sdk/client-sagemaker';
import { arn, type LocalContext } from '../context';
import type { Table } from '../storage/state';
import { conflict, validation } from './errors';
import { page } from './paging';
import type { Tags } from './tags';

interface ModelPackageGroupRecord {
  readonly name: string;
  readonly arn: string;
  readonly created: number;
  readonly description?: string;
  /** Of the newest version; a version that was deleted is not given again. */
  readonly versions: number;
}

/** Model package groups: the versions of one model. */
export class ModelPackageGroups {
  /** Whether a group still has versions; said by the packages. */
  holds: (group: string) => boolean = () => false;
  private readonly table: Table<ModelPackageGroupRecord>;

  constructor(
    private readonly context: LocalContext,
    private readonly tags: Tags,
  ) {
    this.table = context.state.table('model-package-groups');
  }

  /** @throws ServiceError where there is no such group */
  get(nameOrArn: string): ModelPackageGroupRecord {
    const name = nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);
    const record = this.table.get(name) ?? this.table.values().find((other) => other.arn === nameOrArn);
    if (record === undefined) throw validation(`ModelPackageGroup ${this.arnOf(name)} does not exist.`);
    return record;
  }

  nextVersion(name: string): number {
    const record = this.get(name);
    this.table.set(name, { ...record, versions: record.versions + 1 });
    return record.versions + 1;
  }

  create(input: CreateModelPackageGroupInput): CreateModelPackageGroupOutput {
    const name = input.ModelPackageGroupName!;
    const groupArn = this.arnOf(name);
    if (this.table.has(name)) throw validation(`Model Package Group already exists: ${groupArn}`);
    this.tags.open(groupArn, input.Tags);
    const created = this.context.clock.now();
    this.table.set(name, { name, arn: groupArn, created, description: input.ModelPackageGroupDescription, versions: 0 });
    return { ModelPackageGroupArn: groupArn };
  }

  describe({ ModelPackageGroupName }: DescribeModelPackageGroupInput): DescribeModelPackageGroupOutput {
    return { ...summaryOf(this.get(ModelPackageGroupName!)), CreatedBy: {} } as DescribeModelPackageGroupOutput;
  }

  delete({ ModelPackageGroupName }: DeleteModelPackageGroupInput): void {
    const record = this.get(ModelPackageGroupName!);
    if (this.holds(record.name)) throw conflict(`Model Package Group cannot be deleted as it still contains Model Packages: ${record.arn}`);
    this.table.delete(record.name);
    this.tags.close(record.arn);
  }

  list(input: ListModelPackageGroupsInput): ListModelPackageGroupsOutput {
    const paged = page(this.table.values(), input, (record) => record, 'Ascending');
    return { ModelPackageGroupSummaryList: paged.rows.map(summaryOf), NextToken: paged.NextToken };
  }

  private arnOf(name: string): string {
    return arn(this.context, 'sagemaker', `model-package-group/${name.toLowerCase()}`);
  }
}

function summaryOf({ name, arn: groupArn, created, description }: ModelPackageGroupRecord): ModelPackageGroupSummary {
  return {
    ModelPackageGroupName: name,
    ModelPackageGroupArn: groupArn,
    ModelPackageGroupDescription: description,
    CreationTime: new Date(created),
    ModelPackageGroupStatus: 'Completed',
  };
}
