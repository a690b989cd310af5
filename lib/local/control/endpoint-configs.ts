import type {
  CreateEndpointConfigInput,
  CreateEndpointConfigOutput,
  DeleteEndpointConfigInput,
  DescribeEndpointConfigInput,
  DescribeEndpointConfigOutput,
  ListEndpointConfigsInput,
  ListEndpointConfigsOutput,
} from '@aws-sdk/client-sagemaker';
import { arn, type LocalContext } from '../context';
import type { Table } from '../storage/state';
import { checkConfig } from './config-rules';
import { alreadyExists, notFound } from './errors';
import type { ModelRecord, Models } from './models';
import { page } from './paging';
import type { Tags } from './tags';

/** An endpoint configuration, immutable. */
export interface EndpointConfigRecord {
  readonly name: string;
  readonly arn: string;
  readonly created: number;
  readonly input: CreateEndpointConfigInput;
}

/** CreateEndpointConfig, DescribeEndpointConfig, DeleteEndpointConfig, ListEndpointConfigs. */
export class EndpointConfigs {
  private readonly table: Table<EndpointConfigRecord>;

  constructor(
    private readonly context: LocalContext,
    private readonly tags: Tags,
    private readonly models: Models,
  ) {
    this.table = context.state.table('endpoint-configs');
  }

  /** @throws ServiceError where there is no such configuration */
  get(name: string): EndpointConfigRecord {
    const config = this.table.get(name);
    if (config === undefined) throw notFound('endpoint configuration', this.arnOf(name));
    return config;
  }

  /**
   * The models of a configuration's variants, by their names.
   *
   * @throws ServiceError where one is not there any more
   */
  modelsOf({ input }: EndpointConfigRecord): Record<string, ModelRecord> {
    const variants = [...(input.ProductionVariants ?? []), ...(input.ShadowProductionVariants ?? [])];
    return Object.fromEntries(variants.map(({ ModelName }) => [ModelName!, this.models.get(ModelName!)]));
  }

  create(input: CreateEndpointConfigInput): CreateEndpointConfigOutput {
    const name = input.EndpointConfigName!;
    const configArn = this.arnOf(name);
    if (this.table.has(name)) throw alreadyExists('endpoint configuration', configArn);
    checkConfig(input);
    const config = { name, arn: configArn, created: this.context.clock.now(), input };
    this.modelsOf(config);
    this.tags.open(configArn, input.Tags);
    this.table.set(name, config);
    return { EndpointConfigArn: configArn };
  }

  describe({ EndpointConfigName }: DescribeEndpointConfigInput): DescribeEndpointConfigOutput {
    const { input, arn: configArn, created } = this.get(EndpointConfigName!);
    const { Tags: _, ...given } = input;
    return { ...given, EndpointConfigArn: configArn, CreationTime: new Date(created) } as DescribeEndpointConfigOutput;
  }

  /** SageMaker does not ask whether an endpoint uses it: that endpoint serves on, and cannot be patched. */
  delete({ EndpointConfigName }: DeleteEndpointConfigInput): void {
    const config = this.get(EndpointConfigName!);
    this.table.delete(config.name);
    this.tags.close(config.arn);
  }

  list(input: ListEndpointConfigsInput): ListEndpointConfigsOutput {
    const paged = page(this.table.values(), input, (config) => config);
    const summaries = paged.rows.map(({ name, arn: configArn, created }) => ({
      EndpointConfigName: name,
      EndpointConfigArn: configArn,
      CreationTime: new Date(created),
    }));
    return { EndpointConfigs: summaries, NextToken: paged.NextToken };
  }

  private arnOf(name: string): string {
    return arn(this.context, 'sagemaker', `endpoint-config/${name.toLowerCase()}`);
  }
}
