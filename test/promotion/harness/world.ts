import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateModelPackageCommand,
  type CreateModelPackageCommandInput,
  CreateModelPackageGroupCommand,
  type DescribeEndpointConfigOutput,
  type DescribeEndpointOutput,
  type ListEndpointConfigsOutput,
} from '@aws-sdk/client-sagemaker';
import { type ActiveFault, type FaultRule, type LocalSageMaker, startLocal } from '../../../lib/local';
import { Faults } from '../../../lib/local/faults';
import { random } from '../../../lib/local/faults/random';
import { Dispatch, InProcessHandler } from '../../../lib/local/server';
import { type Ports, type PromotionRequest, STANDARD_METRICS, type StagePlan } from '../../../lib/promotion';
import { namesOf } from '../../../lib/promotion/configurations';
import type { Engine } from '../../../lib/serving';
import { BucketInMemory } from './bucket-in-memory';
import { clients, onWire, type Wire } from './clients';
import { tinyArchive } from './tiny-archive';
import { TopicInMemory } from './topic-in-memory';

export const ENDPOINT = 'flights';
export const BUCKET = 'stage';
export const MODELS = 'models';
export const TOPIC = 'arn:aws:sns:us-east-1:000000000000:promotions';
const ROLE = 'arn:aws:iam::000000000000:role/local';
const START = Date.UTC(2026, 0, 1);
const REQUESTS_PER_SECOND = 6;
const TRAFFIC_EVERY = 30;
/** Latencies that the versions answer with, all as often, in microseconds. */
const LATENCIES = Array.from({ length: 20 }, (_, i) => 1000 + i / 2);

/** A quick promotion: shares of 5, 25 and 50 %, judged every minute. */
export const PLAN: StagePlan = {
  steps: [
    { kind: 'percent', percent: 5, bakeSeconds: 60 },
    { kind: 'percent', percent: 25, bakeSeconds: 60 },
    { kind: 'percent', percent: 50, bakeSeconds: 60 },
  ],
  metrics: STANDARD_METRICS,
  settleSeconds: 0,
  baselineSeconds: 300,
  deadlineSeconds: 3600,
  updateSeconds: 1200,
  guardrail: { waitSeconds: 60 },
};

/** A variant of a fleet, and its share of the requests. */
interface Answering {
  readonly name: string;
  readonly version: string;
  readonly share: number;
  readonly config: string;
}

/** What the endpoint said of itself at one moment. */
export interface Look {
  readonly at: number;
  readonly status: string;
  readonly config: string;
  /** Share of the requests, in percent, by the version that answers them. */
  readonly shares: Readonly<Record<string, number>>;
  /** What each variant of each fleet answers, shadows and those that a deployment brings included: a share of the requests, 0 to 1. */
  readonly fleets: readonly Answering[];
}

/** An endpoint under traffic on a clock that stands still until somebody waits; what each version answers is made up, what moves between them is real. */
export class World {
  readonly looks: Look[] = [];
  readonly topic = new TopicInMemory();
  private readonly configurations = new Map<string, DescribeEndpointConfigOutput>();
  private readonly packages = new Map<string, string>();
  /** Versions by the name that their promotion gives the model. */
  private readonly versions = new Map([['model-1', '1']]);
  private readonly draw: () => number;
  private readonly striking: Wire['handle'];
  private readonly sparing: Wire['handle'];
  private ended = false;

  private constructor(
    readonly local: LocalSageMaker,
    private readonly errorRates: Readonly<Record<string, number>>,
    seed: number,
    private readonly retries: boolean,
  ) {
    this.draw = random(seed);
    this.ports = { ...clients, now: () => local.clock.now() };
    const bucket = new BucketInMemory(BUCKET);
    const mine = [bucket, this.topic] as const;
    this.striking = besides(mine, new Dispatch(mine, local.faults, local.clock), local.requestHandler());
    this.sparing = besides(mine, new Dispatch(mine, new Faults(), local.clock), local.requestHandler({ faults: false }));
  }

  /**
   * @param errorRates share of requests that each version answers with a 500; version `1` is live at first
   * @param retries whether the promotions' clients try again by themselves, beside what the workflow does
   */
  static async create(errorRates: Readonly<Record<string, number>>, seed = 1, retries = false): Promise<World> {
    const local = await startLocal({
      clock: { start: START, speed: 0 },
      seed,
      timings: { start: 30, shift: 10, terminate: 10, alarmPoll: 10 },
      openModel: async () => ENGINE,
      warn: () => {},
    });
    const world = new World(local, errorRates, seed, retries);
    await world.spared(() => world.furnish(Object.keys(errorRates)));
    return world;
  }

  readonly ports: Ports;

  get clock() {
    return this.local.clock;
  }

  strike(rule: FaultRule): ActiveFault {
    return this.local.faults.add(rule);
  }

  request(version: string, over: Partial<PromotionRequest> = {}): PromotionRequest {
    const modelPackageArn = this.packages.get(version)!;
    const request = {
      promotionId: `to-${version}`,
      endpointName: ENDPOINT,
      bucket: BUCKET,
      modelPackageArn,
      plan: PLAN,
      topicArn: TOPIC,
      ...over,
    };
    this.versions.set(namesOf(request).model, version);
    return request;
  }

  /** Names of all endpoint configurations that stand. */
  async configs(): Promise<string[]> {
    const found = await this.ask<ListEndpointConfigsOutput>('ListEndpointConfigs', { MaxResults: 100 });
    return (found.EndpointConfigs ?? []).map((config) => config.EndpointConfigName!);
  }

  /** Names of the alarms that promotions of the endpoint set. */
  async alarms(): Promise<string[]> {
    const { MetricAlarms } = await this.ports.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `${ENDPOINT}-` }));
    return (MetricAlarms ?? []).map(({ AlarmName }) => AlarmName!);
  }

  async look(): Promise<Look> {
    const endpoint = await this.ask<DescribeEndpointOutput>('DescribeEndpoint', { EndpointName: ENDPOINT });
    const config = endpoint.EndpointConfigName!;
    const variants = await this.answering(config, endpoint.ProductionVariants);
    const mirrored = ((await this.configuration(config)).ShadowProductionVariants ?? []).map(({ VariantName, ModelName }) => ({
      name: VariantName!,
      version: this.versionOf(ModelName!),
      share: 1,
      config,
    }));
    const shares: Record<string, number> = {};
    for (const { version, share } of variants) shares[version] = (shares[version] ?? 0) + 100 * share;
    const { PendingDeploymentSummary: pending } = endpoint;
    const arriving = pending ? await this.answering(pending.EndpointConfigName!, pending.ProductionVariants) : [];
    // Of a fleet that is being brought in, the instances that get traffic count as current.
    const moved = Math.max(
      0,
      ...(pending?.ProductionVariants ?? []).map((one) => (one.CurrentInstanceCount ?? 0) / (one.DesiredInstanceCount || 1)),
    );
    const fleets = [
      ...variants.map((one) => ({ ...one, share: one.share * (1 - moved) })),
      ...arriving.map((one) => ({ ...one, share: one.share * moved })),
      ...mirrored,
    ];
    return { at: this.clock.now(), status: endpoint.EndpointStatus!, config, shares, fleets };
  }

  private async answering(
    config: string,
    variants: readonly { readonly VariantName?: string; readonly CurrentWeight?: number }[] = [],
  ): Promise<Answering[]> {
    const { ProductionVariants = [] } = await this.configuration(config);
    const total = variants.reduce((sum, { CurrentWeight = 0 }) => sum + CurrentWeight, 0);
    return variants.map(({ VariantName, CurrentWeight = 0 }) => {
      const { ModelName } = ProductionVariants.find((variant) => variant.VariantName === VariantName)!;
      return { name: VariantName!, version: this.versionOf(ModelName!), share: total === 0 ? 0 : CurrentWeight / total, config };
    });
  }

  /** Configurations never change: each is asked for once. */
  private async configuration(name: string): Promise<DescribeEndpointConfigOutput> {
    const found =
      this.configurations.get(name) ??
      (await this.ask<DescribeEndpointConfigOutput>('DescribeEndpointConfig', { EndpointConfigName: name }));
    this.configurations.set(name, found);
    return found;
  }

  /** What SageMaker answers, without the way through a client: looks are many. */
  private async ask<T>(operation: string, input: object): Promise<T> {
    const headers = { 'x-amz-target': `SageMaker.${operation}` };
    const asked = { method: 'POST', path: '/', headers, body: JSON.stringify(input) };
    const { response } = (await this.sparing(asked as never)) as { response: { body: AsyncIterable<Buffer> } };
    const parts: Buffer[] = [];
    for await (const part of response.body) parts.push(part);
    return JSON.parse(Buffer.concat(parts).toString()) as T;
  }

  async close(): Promise<void> {
    this.ended = true;
    await this.local.close();
  }

  /** Runs work whose calls no fault strikes. */
  spared<T>(work: () => Promise<T>): Promise<T> {
    return onWire({ handle: this.sparing, alive: () => true }, work);
  }

  /** Runs one process of a promotion: once it is dead, its calls never arrive. */
  process<T>(alive: () => boolean, work: () => Promise<T>): Promise<T> {
    return onWire({ handle: this.striking, alive, retries: this.retries }, work);
  }

  /** Publishes a version: its archive, and a model package that names it. */
  async register(version: string, over: Partial<CreateModelPackageCommandInput> & { readonly data?: string } = {}): Promise<void> {
    const key = `${version}.tar.gz`;
    await this.local.objects.write(MODELS, key, tinyArchive(version));
    const { data = `s3://${MODELS}/${key}`, ...rest } = over;
    const Containers = [{ Image: 'local/onnx:1', ModelDataUrl: data }];
    const InferenceSpecification = { Containers, SupportedContentTypes: ['text/csv'], SupportedResponseMIMETypes: ['text/csv'] };
    const made = await this.ports.sagemaker.send(
      new CreateModelPackageCommand({ ModelPackageGroupName: 'models', ModelApprovalStatus: 'Approved', InferenceSpecification, ...rest }),
    );
    this.packages.set(version, made.ModelPackageArn!);
  }

  /** Does something once some seconds are over. */
  later(seconds: number, work: () => Promise<unknown>): void {
    this.clock.schedule(seconds * 1000, () => void this.clock.during(this.spared(work)));
  }

  private async furnish(versions: readonly string[]): Promise<void> {
    const { sagemaker } = this.ports;
    await sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: 'models' }));
    for (const version of versions) await this.register(version);
    await sagemaker.send(
      new CreateModelCommand({
        ModelName: 'model-1',
        ExecutionRoleArn: ROLE,
        Containers: [{ ModelPackageName: this.packages.get(versions[0]) }],
      }),
    );
    const variant = {
      VariantName: 'live',
      ModelName: 'model-1',
      InstanceType: 'ml.c7g.large' as const,
      InitialInstanceCount: 2,
      InitialVariantWeight: 1,
    };
    await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: 'config-1', ProductionVariants: [variant] }));
    await sagemaker.send(new CreateEndpointCommand({ EndpointName: ENDPOINT, EndpointConfigName: 'config-1' }));
    await this.clock.jump(60_000);
    this.traffic();
    await this.clock.jump(400_000);
  }

  /** Requests of the next half minute, shared out as the endpoint's weights say; and a look at it. */
  private traffic(): void {
    this.clock.schedule(TRAFFIC_EVERY * 1000, () => {
      if (this.ended) return;
      void this.clock.during(this.spared(() => this.send()).finally(() => this.traffic()));
    });
  }

  private async send(): Promise<void> {
    const look = await this.look();
    this.looks.push(look);
    for (const one of look.fleets) if (one.share > 0) this.answer(one, look.at);
  }

  /** The half minute's requests to a variant: how many erred and how long they took is drawn, when each came is not. */
  private answer({ name, version, config, share }: Answering, at: number): void {
    const sample = {
      time: at - (TRAFFIC_EVERY * 1000) / 2,
      endpoint: ENDPOINT,
      variant: name,
      config,
      shadow: false,
      kind: 'realtime' as const,
      overhead: 100,
      instances: 2,
      concurrency: 1,
    };
    const counts = { 200: LATENCIES.map(() => 0), 500: LATENCIES.map(() => 0) };
    for (let i = 0; i < REQUESTS_PER_SECOND * TRAFFIC_EVERY * share; i++)
      counts[this.draw() < (this.errorRates[version] ?? 0) ? 500 : 200][Math.floor(this.draw() * LATENCIES.length)] += 1;
    for (const status of [200, 500] as const) {
      for (const [i, latency] of LATENCIES.entries()) {
        const count = counts[status][i];
        if (count > 0) this.local.metrics.record({ ...sample, status, latency, count });
      }
    }
  }

  private versionOf(modelName: string): string {
    return this.versions.get(modelName) ?? modelName;
  }
}

const ENGINE: Engine = {
  invoke: async () => ({ status: 200, contentType: 'application/json', body: Buffer.from('{"predictions":[{"delayed":0.5}]}') }),
  ping: async () => true,
  restarts: 0,
  close: async () => {},
};

/** The stage's bucket and its topic in memory, everything else from the local SageMaker. */
function besides([bucket]: readonly [BucketInMemory, TopicInMemory], dispatch: Dispatch, local: InProcessHandler): Wire['handle'] {
  const stage = new InProcessHandler(dispatch);
  const isMine = ({ path, headers }: { path: string; headers: Record<string, string> }) =>
    new RegExp(`^/${bucket.bucket}(/|$)`).test(path) || /\/sns\/aws4_request/.test(headers.authorization ?? '');
  return (request: Parameters<typeof isMine>[0]) => (isMine(request) ? stage : local).handle(request as never);
}
