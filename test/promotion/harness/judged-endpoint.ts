import { DescribeAlarmsCommand, PutMetricAlarmCommand, type PutMetricAlarmCommandInput } from '@aws-sdk/client-cloudwatch';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  type DeploymentConfig,
  DescribeEndpointCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { Duration } from 'aws-cdk-lib/core';
import { Capacity, ModelEndpoint, Rollout, RolloutJudge, type RolloutJudgeOptions, ServingImage } from '../../../lib';
import { type LocalSageMaker, startLocal } from '../../../lib/local';
import { random } from '../../../lib/local/faults/random';
import { judgeNow } from '../../../lib/promotion/functions/rollout-judge';
import type { GuardrailPlan, Judgement } from '../../../lib/promotion/guardrail-judge';
import type { Engine } from '../../../lib/serving';
import { type Json, newStack, publishedArtifact, ReadableTemplate } from '../../endpoint/template';
import { clients, onWire } from './clients';

export const ENDPOINT = 'flights';
const START = Date.UTC(2026, 0, 1);
const TRAFFIC_EVERY = 5;

/** What a stack with a judged rollout deploys: the function's plan, its alarm, and how SageMaker is to move. */
export interface Deployed {
  readonly plan: GuardrailPlan;
  readonly alarm: PutMetricAlarmCommandInput;
  readonly deployment: DeploymentConfig;
}

export function judgedStack(judge: RolloutJudgeOptions = {}, bake = Duration.minutes(30)) {
  const stack = newStack();
  new ModelEndpoint(stack, 'Flights', {
    endpointName: ENDPOINT,
    artifact: publishedArtifact(stack),
    image: ServingImage.sklearn('1.2'),
    capacity: Capacity.instances({ instanceType: 'ml.c6i.large', min: 2 }),
    rollout: Rollout.canary({ percent: 50, bake, judge: RolloutJudge.standard(judge) }),
  });
  return stack;
}

export function deployed(judge: RolloutJudgeOptions = {}): Deployed {
  const template = new ReadableTemplate(judgedStack(judge));
  const functions = template.all('AWS::Lambda::Function');
  const alarms: Json[] = template.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
  const { AlarmActions, OKActions, ...alarm } = alarms.find(({ Namespace }) => Namespace === 'CdkFledge');
  const { BlueGreenUpdatePolicy } = template.only('AWS::SageMaker::Endpoint').Properties.DeploymentConfig;
  return {
    plan: JSON.parse(functions[0]!.Properties.Environment.Variables.FLEDGE_ROLLOUT),
    alarm,
    // The judge alone: what it does is not to be done by another alarm.
    deployment: { BlueGreenUpdatePolicy, AutoRollbackConfiguration: { Alarms: [{ AlarmName: alarm.AlarmName }] } },
  };
}

/** An endpoint of two instances under traffic, on a clock that jumps, with its judge called once a minute. */
export class JudgedEndpoint {
  /** Requests a second. */
  rate: number;
  /** Whether the clock's rule still calls the function. */
  isAlive = true;
  readonly judgements: Judgement[] = [];
  private readonly draw = random(7);
  private ended = false;

  private constructor(
    readonly local: LocalSageMaker,
    private readonly stack: Deployed,
    rate: number,
  ) {
    this.rate = rate;
  }

  /** @param errorRates share of requests that a model answers with a 500, by its name; `old` serves at first */
  static async create(stack: Deployed, rate: number, errorRates: Readonly<Record<string, number>>): Promise<JudgedEndpoint> {
    const draw = random(11);
    const engine = (errorRate: number): Engine => ({
      invoke: async () => ({ status: draw() < errorRate ? 500 : 200, contentType: 'text/csv', body: Buffer.from('1') }),
      ping: async () => true,
      restarts: 0,
      close: async () => {},
    });
    const local = await startLocal({
      region: 'us-east-1',
      clock: { start: START, speed: 0 },
      seed: 3,
      timings: { start: 180, shift: 20, terminate: 60, alarmPoll: 10 },
      openModel: async (_, { name }) => engine(errorRates[name] ?? 0),
      warn: () => {},
    });
    const made = new JudgedEndpoint(local, stack, rate);
    await made.furnish(Object.keys(errorRates));
    return made;
  }

  /** What is done on the wire of this endpoint's SageMaker. */
  do<T>(work: () => Promise<T>): Promise<T> {
    return onWire({ handle: (request: never) => this.local.requestHandler().handle(request), alive: () => true }, work);
  }

  get ports() {
    return { ...clients, now: () => this.local.clock.now() };
  }

  /** Deploys a model's configuration as CloudFormation does, and waits until it is over. */
  async update(model: string): Promise<void> {
    await this.do(() =>
      this.ports.sagemaker.send(
        new UpdateEndpointCommand({ EndpointName: ENDPOINT, EndpointConfigName: model, DeploymentConfig: this.stack.deployment }),
      ),
    );
    for (let minute = 0; minute < 90; minute++) {
      await this.local.clock.jump(60_000);
      if ((await this.look()).status === 'InService') return;
    }
    throw new Error('the deployment did not end within 90 minutes');
  }

  async look(): Promise<{ status: string; model: string; reason: string }> {
    const endpoint = await this.do(() => this.ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: ENDPOINT })));
    return { status: endpoint.EndpointStatus!, model: endpoint.EndpointConfigName!, reason: endpoint.FailureReason ?? '' };
  }

  async alarmState(): Promise<string> {
    const AlarmNames = [this.stack.alarm.AlarmName!];
    const { MetricAlarms } = await this.do(() => this.ports.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames })));
    return MetricAlarms![0]!.StateValue!;
  }

  later(minutes: number, work: () => void): void {
    this.local.clock.schedule(minutes * 60_000, work);
  }

  async close(): Promise<void> {
    this.ended = true;
    await this.local.close();
  }

  private async furnish(models: readonly string[]): Promise<void> {
    const { sagemaker, cloudwatch } = this.ports;
    await this.do(async () => {
      this.every(60, () => (this.isAlive ? this.judge() : undefined));
      await this.local.clock.jump(120_000);
      await cloudwatch.send(new PutMetricAlarmCommand(this.stack.alarm));
      for (const name of models) {
        const ExecutionRoleArn = 'arn:aws:iam::000000000000:role/local';
        await sagemaker.send(new CreateModelCommand({ ModelName: name, ExecutionRoleArn, PrimaryContainer: { Image: 'local:1' } }));
        const variant = { VariantName: 'live', ModelName: name, InstanceType: 'ml.c7g.large' as const, InitialInstanceCount: 2 };
        await sagemaker.send(
          new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [{ ...variant, InitialVariantWeight: 1 }] }),
        );
        await this.local.clock.jump(1000);
      }
      const DeploymentConfig = this.stack.deployment;
      await sagemaker.send(new CreateEndpointCommand({ EndpointName: ENDPOINT, EndpointConfigName: models[0], DeploymentConfig }));
    });
    await this.local.clock.jump(300_000);
    this.every(TRAFFIC_EVERY, () => this.send());
    await this.local.clock.jump(900_000);
  }

  private every(seconds: number, work: () => Promise<unknown> | undefined): void {
    this.local.clock.schedule(seconds * 1000, () => {
      if (this.ended) return;
      const done = this.do(async () => work());
      void this.local.clock.during(done.finally(() => this.every(seconds, work)));
    });
  }

  private async judge(): Promise<void> {
    const silent = jest.spyOn(console, 'log').mockImplementation(() => {});
    const judgement = await judgeNow(this.ports, this.stack.plan);
    silent.mockRestore();
    this.judgements.push(judgement);
  }

  /** Requests that really go through the runtime to the models; only the SDK's client, which costs most of it, is left out. */
  private async send(): Promise<void> {
    const expected = this.rate * TRAFFIC_EVERY;
    const count = Math.floor(expected) + (this.draw() < expected % 1 ? 1 : 0);
    const handler = this.local.requestHandler();
    const headers = { 'content-type': 'text/csv' };
    const request = () => ({ method: 'POST', path: `/endpoints/${ENDPOINT}/invocations`, headers: { ...headers }, body: '1' });
    await Promise.all(Array.from({ length: count }, () => handler.handle(request() as never)));
  }
}
