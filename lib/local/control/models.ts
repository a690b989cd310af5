import type {
  ContainerDefinition,
  CreateModelInput,
  CreateModelOutput,
  DeleteModelInput,
  DescribeModelInput,
  DescribeModelOutput,
  ListModelsInput,
  ListModelsOutput,
} from '@aws-sdk/client-sagemaker';
import { arn, type LocalContext } from '../context';
import { modelDataUri } from '../models/place';
import type { Table } from '../storage/state';
import { alreadyExists, notFound, validation } from './errors';
import type { ModelPackages } from './model-packages';
import { page } from './paging';
import type { Tags } from './tags';

/** A SageMaker model: a container with its artifact and environment, immutable. */
export interface ModelRecord {
  readonly name: string;
  readonly arn: string;
  readonly created: number;
  /** As the caller gave it. */
  readonly input: CreateModelInput;
  /** The container that serves: the primary one, or what the model package says. */
  readonly container: ContainerDefinition;
}

/** CreateModel, DescribeModel, DeleteModel, ListModels. */
export class Models {
  private readonly table: Table<ModelRecord>;

  constructor(
    private readonly context: LocalContext,
    private readonly tags: Tags,
    private readonly packages: ModelPackages,
  ) {
    this.table = context.state.table('models');
  }

  /** @throws ServiceError where there is no such model */
  get(name: string): ModelRecord {
    const model = this.table.get(name);
    if (model === undefined) throw notFound('model', this.arnOf(name));
    return model;
  }

  async create(input: CreateModelInput): Promise<CreateModelOutput> {
    const name = input.ModelName!;
    const modelArn = this.arnOf(name);
    const container = this.containerOf(input);
    await this.checkData(container);
    if (this.table.has(name)) throw alreadyExists('model', modelArn);
    this.tags.open(modelArn, input.Tags);
    this.table.set(name, { name, arn: modelArn, created: this.context.clock.now(), input, container });
    return { ModelArn: modelArn };
  }

  describe({ ModelName }: DescribeModelInput): DescribeModelOutput {
    const { input, arn: modelArn, created } = this.get(ModelName!);
    const { Tags: _, ...given } = input;
    return { ...given, ModelArn: modelArn, CreationTime: new Date(created), EnableNetworkIsolation: input.EnableNetworkIsolation ?? false };
  }

  delete({ ModelName }: DeleteModelInput): void {
    const model = this.get(ModelName!);
    this.table.delete(model.name);
    this.tags.close(model.arn);
  }

  list(input: ListModelsInput): ListModelsOutput {
    const paged = page(this.table.values(), input, (model) => model);
    const summaries = paged.rows.map((model) => ({ ModelName: model.name, ModelArn: model.arn, CreationTime: new Date(model.created) }));
    return { Models: summaries, NextToken: paged.NextToken };
  }

  private arnOf(name: string): string {
    return arn(this.context, 'sagemaker', `model/${name.toLowerCase()}`);
  }

  private containerOf({ PrimaryContainer, Containers }: CreateModelInput): ContainerDefinition {
    if (PrimaryContainer !== undefined && Containers !== undefined)
      throw validation('Both PrimaryContainer and Containers cannot be provided at the same time.');
    const containers = Containers ?? (PrimaryContainer === undefined ? [] : [PrimaryContainer]);
    if (containers.length === 0) throw validation('Either PrimaryContainer or Containers must be provided.');
    if (containers.length > 1)
      throw validation(`a model of ${containers.length} containers cannot be served here: the local SageMaker runs one container a model`);
    const [container] = containers;
    if (container.ModelPackageName === undefined) {
      if (container.Image === undefined) throw validation('Image or ModelPackageName must be provided for a container.');
      return container;
    }
    if (container.Image !== undefined) throw validation('Image and ModelPackageName cannot both be provided for a container.');
    return { ...this.packages.containerOf(container.ModelPackageName), ...container };
  }

  private async checkData(container: ContainerDefinition): Promise<void> {
    const data = modelDataUri(container);
    if (data?.bucket === undefined) return;
    const found = data.prefix
      ? (await this.context.objects.list(data.bucket, data.key)).length > 0
      : (await this.context.objects.stat(data.bucket, data.key)) !== undefined;
    if (!found) throw validation(`Could not find model data at ${data.uri}.`);
  }
}
