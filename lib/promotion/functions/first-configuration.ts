import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  AddTagsCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteTagsCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  ListEndpointConfigsCommand,
  ListModelsCommand,
  SageMakerClient,
  type Tag,
} from '@aws-sdk/client-sagemaker';
import { isAlreadyThere, isMissing, isTransient } from '../aws-errors';
import { deleteConfiguration, deleteModel } from '../configurations';
import { deleteGuardrailAlarms } from '../guardrail-alarms';
import { alarmNames, isMade, markOf, stemOf } from '../names';
import type { Ports } from '../ports';
import { answering, type CustomResourceEvent } from './custom-resource';
import { type FirstVersionsProperties, firstVersions } from './first-versions';
import { keptAsCreated, type Wanted } from './kept-as-created';

type Registry = Pick<Ports, 'sagemaker' | 'cloudwatch' | 'now'>;

/** What the template says of the configuration that an endpoint is created with. Documents are JSON: CloudFormation makes texts of all else. */
export interface FirstConfigurationProperties {
  readonly EndpointName: string;
  /** CreateModel's input without a name. */
  readonly Model: string;
  /** CreateEndpointConfig's input without names. */
  readonly Configuration: string;
}

/** How long a role that was just made may stay unknown to SageMaker. Milliseconds. */
const PATIENCE = 120_000;

/**
 * Makes the configuration that an endpoint is created with, and clears away what its stage made when the stage goes. An update changes nothing: from the first
 * promotion on, the stage owns what the endpoint serves, and a name that stays lets CloudFormation leave the endpoint alone. An endpoint of another name is another
 * custom resource.
 *
 * @returns the configuration's name
 * @throws Error for an update of what promotions carry on from version to version
 */
export async function firstConfiguration(ports: Registry, event: CustomResourceEvent<FirstConfigurationProperties>): Promise<string> {
  const { EndpointName, Model, Configuration } = event.ResourceProperties;
  if (event.RequestType === 'Delete') {
    await clearAway(ports, EndpointName);
    return event.PhysicalResourceId!;
  }
  const configuration = JSON.parse(Configuration) as Wanted['configuration'];
  const model = JSON.parse(Model) as Wanted['model'];
  if (event.RequestType === 'Update') {
    await keptAsCreated(ports, EndpointName, { model, configuration });
    return event.PhysicalResourceId!;
  }
  const stem = `${stemOf(EndpointName)}-${markOf(`${event.StackId} ${event.LogicalResourceId}`)}`;
  const { ProductionVariants, ...rest } = configuration;
  await made(ports, () => ports.sagemaker.send(new CreateModelCommand({ ...model, ModelName: `${stem}-model` })));
  const variants = ProductionVariants!.map((variant) => ({ ...variant, ModelName: `${stem}-model` }));
  const input = { ...rest, EndpointConfigName: `${stem}-first`, ProductionVariants: variants };
  await made(ports, () => ports.sagemaker.send(new CreateEndpointConfigCommand(input)));
  return input.EndpointConfigName;
}

/** Deletes every configuration and model that the stage made and the endpoint, if it is still there, does not serve; and the alarms of a promotion that died with the stage. */
async function clearAway(ports: Registry, endpointName: string): Promise<void> {
  const served = await servedBy(ports, endpointName);
  for (const name of await listed((NextToken) =>
    ports.sagemaker
      .send(new ListEndpointConfigsCommand({ NameContains: stemOf(endpointName), NextToken, MaxResults: 100 }))
      .then((page) => ({ names: page.EndpointConfigs!.map((one) => one.EndpointConfigName!), next: page.NextToken })),
  )) {
    if (!isMade(endpointName, name)) continue;
    if (name.endsWith('-live')) await deleteGuardrailAlarms(ports, alarmNames(name.slice(0, -'-live'.length)));
    if (!served.includes(name)) await deleteConfiguration(ports, name);
  }
  for (const name of await listed((NextToken) =>
    ports.sagemaker
      .send(new ListModelsCommand({ NameContains: stemOf(endpointName), NextToken, MaxResults: 100 }))
      .then((page) => ({ names: page.Models!.map((one) => one.ModelName!), next: page.NextToken })),
  )) {
    if (isMade(endpointName, name) && !served.includes(name)) await deleteModel(ports, name);
  }
}

/** Names of the configuration and of the models that an endpoint serves; none where there is no endpoint, or it is going. */
async function servedBy(ports: Registry, endpointName: string): Promise<string[]> {
  try {
    const { EndpointConfigName, EndpointStatus } = await ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpointName }));
    if (EndpointStatus === 'Deleting') return [];
    const config = await ports.sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName }));
    return [EndpointConfigName!, ...(config.ProductionVariants ?? []).map(({ ModelName }) => ModelName!)];
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function listed(page: (token?: string) => Promise<{ names: string[]; next?: string }>): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const { names: found, next } = await page(token);
    names.push(...found);
    token = next;
  } while (token !== undefined);
  return names;
}

/** A create that may have been made by an earlier try, in a role that SageMaker may not know yet. */
async function made(ports: Registry, create: () => Promise<unknown>): Promise<void> {
  const since = ports.now();
  for (;;) {
    try {
      await create();
      return;
    } catch (error) {
      if (isAlreadyThere(error)) return;
      const isUnknownRole = /could not assume role|unable to assume|is invalid or cannot be assumed|access denied.*role/i.test(
        (error as Error).message,
      );
      if (!(isUnknownRole || isTransient(error)) || ports.now() - since > PATIENCE) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5000));
    }
  }
}

/** What the template tags an endpoint with. */
export interface EndpointTagsProperties {
  readonly EndpointArn: string;
  /** `[{ Key, Value }]`, as JSON. */
  readonly Tags: string;
}

/** Tags an endpoint as the template says. CloudFormation's own update of an endpoint would name the first configuration with the tags, and move it back there. */
export async function endpointTags(ports: Registry, event: CustomResourceEvent<EndpointTagsProperties>): Promise<string> {
  const { EndpointArn, Tags } = event.ResourceProperties;
  const wanted = tagsIn(Tags);
  if (event.RequestType === 'Delete') return event.PhysicalResourceId!;
  const gone = tagsIn(event.OldResourceProperties?.Tags).filter((old) => !wanted.some(({ Key }) => Key === old.Key));
  if (gone.length > 0)
    await ports.sagemaker.send(new DeleteTagsCommand({ ResourceArn: EndpointArn, TagKeys: gone.map(({ Key }) => Key!) }));
  if (wanted.length > 0) await ports.sagemaker.send(new AddTagsCommand({ ResourceArn: EndpointArn, Tags: wanted }));
  return `${EndpointArn}/tags`;
}

const tagsIn = (text = '[]'): Tag[] => JSON.parse(text) as Tag[];

const retries = { maxAttempts: 5 };
const ports = {
  sagemaker: new SageMakerClient(retries),
  cloudwatch: new CloudWatchClient(retries),
  cloudformation: new CloudFormationClient(retries),
  now: Date.now,
};

/** The Lambda function of `Custom::FirstVersions`, `Custom::FirstConfiguration` and `Custom::EndpointTags`. */
export const handler = (event: Asked): Promise<void> => answering<unknown>(event, () => carryOut(event));

type Asked = CustomResourceEvent<FirstConfigurationProperties | EndpointTagsProperties | FirstVersionsProperties>;

function carryOut(event: Asked): Promise<string> {
  if ('EndpointArn' in event.ResourceProperties) return endpointTags(ports, event as CustomResourceEvent<EndpointTagsProperties>);
  if ('GroupName' in event.ResourceProperties) return firstVersions(ports, event as CustomResourceEvent<FirstVersionsProperties>);
  return firstConfiguration(ports, event as CustomResourceEvent<FirstConfigurationProperties>);
}
