import { type Outcome, PACKAGE_METADATA, Store } from '../../lib/promotion';
import { AWS_CALLS, type AwsCall, RESOURCES } from '../../lib/promotion/calls';
import { autoscale, onOtherInstances } from './harness/autoscaled';
import { clients } from './harness/clients';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, ENDPOINT, MODELS, PLAN, TOPIC, type World } from './harness/world';

afterEach(closeWorlds);

interface Sent {
  readonly client: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Every command that the clients send while some work is done. */
async function sentDuring(work: () => Promise<unknown>): Promise<Sent[]> {
  const sent: Sent[] = [];
  const name = 'overhear';
  const stacks = Object.values(clients).map((client) => client.middlewareStack as (typeof clients.sagemaker)['middlewareStack']);
  for (const stack of stacks)
    stack.add(
      (next, context) => (args) => {
        const client = String(context.clientName).replace('Client', '');
        sent.push({ client, operation: String(context.commandName).replace('Command', ''), input: { ...args.input } });
        return next(args);
      },
      { name, step: 'initialize' },
    );
  try {
    await work();
  } finally {
    for (const stack of stacks) stack.remove(name);
  }
  return sent;
}

async function withSamples(on: World): Promise<void> {
  await on.spared(async () => {
    await on.register('2', { CustomerMetadataProperties: { [PACKAGE_METADATA.samples]: 'samples.json' } });
    await new Store(on.ports, BUCKET).write('samples.json', { samples: [{ inputs: { hour: 7 }, outputs: { delayed: 0.5 } }] });
  });
}

/** A promotion with all that there is to it, one that changes the instances of what is scaled, one that is taken back, and one that asks for a signature which KMS does not vouch for. */
async function promotions(): Promise<Sent[]> {
  const good = await world();
  await withSamples(good);
  const bad = await world({ 1: 0.001, 2: 0.3, 3: 0.001 });
  const moved = await world();
  await onOtherInstances(moved);
  await autoscale(moved);
  const ends: Outcome[] = [];
  const sent = await sentDuring(async () => {
    ends.push(await run(good, '2', { steps: [{ kind: 'shadow', bakeSeconds: 120 }, ...PLAN.steps] }));
    ends.push(await run(moved));
    ends.push(await run(bad));
    ends.push(await run(bad, '3', { artifact: { signedBy: [KEY] } }));
  });
  expect(ends.map(({ verdict }) => verdict)).toEqual(['promoted', 'promoted', 'rolled back', 'rolled back']);
  return sent;
}

const named = ({ client, operation }: Pick<AwsCall, 'client' | 'operation'>): string => `${client} ${operation}`;

/** What a command is on, as an ARN. */
function arnsOf({ operation, input }: Sent): string[] {
  const text = (member: string) => String(input[member]);
  const sagemaker = (kind: string, member: string) =>
    input[member] === undefined ? [] : [`arn:aws:sagemaker:us-east-1:000000000000:${kind}/${text(member).toLowerCase()}`];
  if (input.KeyId !== undefined) return [text('KeyId')];
  const alarm = (name: unknown) => `arn:aws:cloudwatch:us-east-1:000000000000:alarm:${name}`;
  if (input.AlarmName !== undefined) return [alarm(input.AlarmName)];
  if (input.AlarmNames !== undefined) return (input.AlarmNames as string[]).map(alarm);
  if (operation.startsWith('Describe') && input.ServiceNamespace !== undefined) return ['*'];
  if (input.ServiceNamespace !== undefined) return ['arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/0'];
  if (operation === 'ListObjectsV2') return [`arn:aws:s3:::${text('Bucket')}`];
  if (input.Key !== undefined) return [`arn:aws:s3:::${text('Bucket')}/${text('Key')}`];
  if (input.TopicArn !== undefined) return [text('TopicArn')];
  const found = [
    ...sagemaker('endpoint', 'EndpointName'),
    ...sagemaker('endpoint-config', 'EndpointConfigName'),
    ...sagemaker('model', 'ModelName'),
    ...(input.ModelPackageName === undefined ? [] : [text('ModelPackageName')]),
  ];
  return found.length === 0 ? ['*'] : found;
}

const KEY = 'arn:aws:kms:us-east-1:000000000000:key/1';

const PLACES: Readonly<Record<string, string>> = {
  partition: 'aws',
  region: 'us-east-1',
  account: '000000000000',
  endpoint: ENDPOINT,
  stem: ENDPOINT,
  group: 'models',
  bucket: BUCKET,
  artifacts: MODELS,
  artifactBucket: MODELS,
  key: KEY,
  topic: TOPIC,
  role: 'arn:aws:iam::000000000000:role/local',
};

function allows(call: AwsCall, arn: string): boolean {
  return call.grants
    .flatMap(({ on }) => on)
    .map((kind) => RESOURCES[kind].replace(/\{(\w+)\}/g, (_, place: string) => PLACES[place]))
    .some((pattern) => pattern === arn || (pattern.endsWith('*') && arn.startsWith(pattern.slice(0, -1))));
}

test('what a promotion must be allowed is what it asks of AWS, no less and no more', async () => {
  const sent = await promotions();
  expect([...new Set(sent.map(named))].sort()).toEqual(AWS_CALLS.map(named).sort());
  const calls = new Map(AWS_CALLS.map((call) => [named(call), call]));
  const beyond = sent.flatMap((one) =>
    arnsOf(one)
      .filter((arn) => !allows(calls.get(named(one))!, arn))
      .map((arn) => `${named(one)} on ${arn}`),
  );
  expect([...new Set(beyond)]).toEqual([]);
});

test('what is tagged when it is made takes the right to tag, and a model the right to hand on its role', () => {
  const actions = (operation: string) => AWS_CALLS.find((call) => call.operation === operation)!.grants.map(({ action }) => action);
  expect(actions('CreateModel')).toEqual(['sagemaker:CreateModel', 'sagemaker:AddTags', 'iam:PassRole']);
  expect(actions('CreateEndpointConfig')).toEqual(['sagemaker:CreateEndpointConfig', 'sagemaker:AddTags']);
});
