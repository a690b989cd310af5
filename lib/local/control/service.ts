import type { LocalContext } from '../context';
import type { FaultPoint } from '../faults';
import type { Routes } from '../runtime';
import { JsonService, type LocalRequest, type LocalResponse, type Service, type ServiceError } from '../server';
import type { ServiceModel } from '../shapes';
import sagemaker from '../shapes/sagemaker.json';
import { EndpointConfigs } from './endpoint-configs';
import { Endpoints } from './endpoints';
import type { ModelHost } from './model-host';
import { ModelPackageGroups } from './model-package-groups';
import { ModelPackages } from './model-packages';
import { Models } from './models';
import { Tags } from './tags';
import type { Timings } from './timings';

/** SageMaker's control plane. */
export class ControlService implements Service {
  readonly name = 'SageMaker';
  readonly endpoints: Endpoints;
  private readonly json: JsonService;

  constructor(
    private readonly context: LocalContext,
    routes: Routes,
    private readonly host: ModelHost,
    timings: Timings,
  ) {
    const tags = new Tags(context);
    const groups = new ModelPackageGroups(context, tags);
    const packages = new ModelPackages(context, tags, groups);
    const models = new Models(context, tags, packages);
    const configs = new EndpointConfigs(context, tags, models);
    const endpoints = new Endpoints(context, tags, configs, routes, host, timings);
    this.endpoints = endpoints;
    this.json = new JsonService(withLocalFiles(sagemaker as unknown as ServiceModel), {
      CreateModel: models.create.bind(models),
      DescribeModel: models.describe.bind(models),
      DeleteModel: models.delete.bind(models),
      ListModels: models.list.bind(models),
      CreateEndpointConfig: configs.create.bind(configs),
      DescribeEndpointConfig: configs.describe.bind(configs),
      DeleteEndpointConfig: configs.delete.bind(configs),
      ListEndpointConfigs: configs.list.bind(configs),
      CreateEndpoint: endpoints.create.bind(endpoints),
      DescribeEndpoint: endpoints.describe.bind(endpoints),
      UpdateEndpoint: endpoints.update.bind(endpoints),
      UpdateEndpointWeightsAndCapacities: endpoints.updateWeightsAndCapacities.bind(endpoints),
      DeleteEndpoint: endpoints.delete.bind(endpoints),
      ListEndpoints: endpoints.list.bind(endpoints),
      CreateModelPackageGroup: groups.create.bind(groups),
      DescribeModelPackageGroup: groups.describe.bind(groups),
      DeleteModelPackageGroup: groups.delete.bind(groups),
      ListModelPackageGroups: groups.list.bind(groups),
      CreateModelPackage: packages.create.bind(packages),
      DescribeModelPackage: packages.describe.bind(packages),
      UpdateModelPackage: packages.update.bind(packages),
      DeleteModelPackage: packages.delete.bind(packages),
      ListModelPackages: packages.list.bind(packages),
      BatchDescribeModelPackage: packages.batchDescribe.bind(packages),
      AddTags: tags.add.bind(tags),
      ListTags: tags.list.bind(tags),
      DeleteTags: tags.remove.bind(tags),
    });
  }

  handles(request: LocalRequest): boolean {
    return this.json.handles(request);
  }

  point(request: LocalRequest): FaultPoint {
    return this.json.point(request);
  }

  async handle(request: LocalRequest): Promise<LocalResponse> {
    const response = await this.json.handle(request);
    this.context.state.flush();
    return response;
  }

  refuse(error: ServiceError): LocalResponse {
    return this.json.refuse(error);
  }

  async close(): Promise<void> {
    this.endpoints.close();
    await this.host.closeAll();
  }
}

/** SageMaker takes models from S3 alone; here a path of this machine will do as well. */
function withLocalFiles(model: ServiceModel): ServiceModel {
  const url = { ...model.shapes.Url, pattern: '(https|s3)://([^/]+)/?(.*)|file:///.*' };
  return { ...model, shapes: { ...model.shapes, Url: url } };
}
