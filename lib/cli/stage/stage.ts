import { DescribeEndpointCommand, ListTagsCommand } from '@aws-sdk/client-sagemaker';
import { awsPorts, type Ports, STAGE_TAGS, Store } from '../../promotion';
import { UserError } from '../exit-codes';

/** A stage as the command reaches it: on AWS, or on a SageMaker on this machine. */
export interface Stage {
  readonly endpoint: string;
  readonly ports: Ports;
  readonly store: Store;
  /** Name or ARN of its model package group; undefined where only the bucket was given. */
  readonly group: string | undefined;
}

/**
 * Finds a stage by its endpoint's tags.
 *
 * @param bucket spares the look at the endpoint, which may be gone while its record is kept
 * @throws UserError where there is no such endpoint, or it is none of a stage
 */
export async function openStage(endpoint: string, bucket?: string): Promise<Stage> {
  const ports = awsPorts();
  // A script's variable that is not set names none.
  const given = bucket === '' ? undefined : bucket;
  const tags = given === undefined ? await tagsOf(ports, endpoint) : new Map<string, string>();
  const name = given ?? tags.get(STAGE_TAGS.bucket);
  if (name === undefined)
    throw new UserError(
      `${endpoint} is an endpoint without a stage: it has no tag ${STAGE_TAGS.bucket}; deploy a CanaryStage, or name the bucket with --bucket`,
    );
  return { endpoint, ports, store: new Store(ports, name), group: tags.get(STAGE_TAGS.group) };
}

/** ARN of the endpoint's stage group; asks the endpoint's tags where they were not asked before. @throws UserError */
export async function groupOf({ ports, endpoint, group }: Stage): Promise<string> {
  const found = group ?? (await tagsOf(ports, endpoint)).get(STAGE_TAGS.group);
  if (found === undefined) throw new UserError(`${endpoint} has no tag ${STAGE_TAGS.group}: its stage's model package group is not known`);
  if (found.startsWith('arn:')) return found;
  const { EndpointArn } = await describe(ports, endpoint);
  return EndpointArn!.replace(/:endpoint\/.*$/, `:model-package-group/${found.toLowerCase()}`);
}

/** @throws UserError where there is no such endpoint */
async function describe(ports: Ports, endpoint: string) {
  try {
    return await ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpoint }));
  } catch (error) {
    if (!/could not find/i.test((error as Error).message)) throw error;
    const region = await ports.sagemaker.config.region();
    const url = process.env.AWS_ENDPOINT_URL_SAGEMAKER ?? process.env.AWS_ENDPOINT_URL;
    throw new UserError(`there is no endpoint ${endpoint} in ${region}${url ? ` at ${url}` : ''}`);
  }
}

async function tagsOf(ports: Ports, endpoint: string): Promise<Map<string, string>> {
  const { EndpointArn } = await describe(ports, endpoint);
  const tags = new Map<string, string>();
  let NextToken: string | undefined;
  do {
    const page = await ports.sagemaker.send(new ListTagsCommand({ ResourceArn: EndpointArn, NextToken }));
    for (const { Key, Value } of page.Tags ?? []) tags.set(Key!, Value!);
    NextToken = page.NextToken;
  } while (NextToken);
  return tags;
}
