import type { DeploymentConfig, DescribeEndpointOutput, UpdateEndpointCommandInput } from '@aws-sdk/client-sagemaker';
import type { LocalOptions } from '../../lib/local';
import { createConfig, createModel, type Started, start, ToldEngine, variant } from './support';

type Alarm = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
const alarms: Record<string, Alarm | undefined> = {};
const engines: { readonly name: string; readonly engine: ToldEngine }[] = [];
let started: Started;
afterEach(() => started.stop());

const second = 1000;

/** An endpoint of four instances on model `old`, and a configuration of model `new` beside it. */
async function prepared(options: LocalOptions = {}, count = 4): Promise<void> {
  engines.length = 0;
  for (const name of Object.keys(alarms)) delete alarms[name];
  alarms.errors = 'OK';
  started = await start({
    openModel: async (_, { name }) => {
      const engine = new ToldEngine(() => ({ body: Buffer.from(name) }));
      engines.push({ name, engine });
      return engine;
    },
    sinks: { alarms: { stateOf: (name) => alarms[name] } },
    ...options,
  });
  await createModel(started, 'old');
  await createModel(started, 'new');
  await createConfig(started, 'first', [variant('live', 'old', { InitialInstanceCount: count })]);
  await createConfig(started, 'second', [variant('live', 'new', { InitialInstanceCount: count })]);
  await started.sagemaker.createEndpoint({ EndpointName: 'e', EndpointConfigName: 'first' });
  await started.local.clock.jump(10 * second);
}

const update = (more: Partial<UpdateEndpointCommandInput> = {}) =>
  started.sagemaker.updateEndpoint({ EndpointName: 'e', EndpointConfigName: 'second', ...more });
const describeIt = () => started.sagemaker.describeEndpoint({ EndpointName: 'e' });
const pass = (seconds: number) => started.local.clock.jump(seconds * second);
const rollback = { AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'errors' }] } };

/** The part of sixty requests that the new model answers; the draws are seeded. */
async function shareOfNew(): Promise<number> {
  let fresh = 0;
  for (let index = 0; index < 60; index += 1) {
    const { Body } = await started.runtime.invokeEndpoint({ EndpointName: 'e', Body: 'x' });
    if (Buffer.from(Body).toString() === 'new') fresh += 1;
  }
  return fresh / 60;
}

const near = (share: number) => ({ asymmetricMatch: (value: number) => Math.abs(value - share) < 0.15 });

function phaseOf({ PendingDeploymentSummary }: DescribeEndpointOutput): string | undefined {
  const [{ VariantStatus } = {}] = PendingDeploymentSummary?.ProductionVariants ?? [];
  return VariantStatus?.[0] && `${VariantStatus[0].Status}: ${VariantStatus[0].StatusMessage}`;
}

describe('an update all at once', () => {
  it('starts the new fleet beside the old one, moves all traffic, then ends the old one', async () => {
    await prepared();
    await update();
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'Updating',
      EndpointConfigName: 'first',
      PendingDeploymentSummary: {
        EndpointConfigName: 'second',
        ProductionVariants: [{ DesiredInstanceCount: 4, CurrentInstanceCount: 0 }],
      },
    });
    expect(await shareOfNew()).toBe(0);
    await pass(3);
    expect(await shareOfNew()).toBe(1);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'Updating', EndpointConfigName: 'first' });
    await pass(10);
    const done = await describeIt();
    expect(done).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'second' });
    expect([done.FailureReason, done.PendingDeploymentSummary]).toEqual([undefined, undefined]);
    expect(engines.map(({ name, engine }) => [name, engine.closed])).toEqual([
      ['old', true],
      ['new', false],
    ]);
  });

  it('may change the variants', async () => {
    await prepared();
    await createConfig(started, 'both', [variant('live', 'old'), variant('candidate', 'new', { InitialVariantWeight: 0 })]);
    await update({ EndpointConfigName: 'both' });
    await pass(20);
    expect((await describeIt()).ProductionVariants!.map(({ VariantName, CurrentWeight }) => [VariantName, CurrentWeight])).toEqual([
      ['live', 1],
      ['candidate', 0],
    ]);
    expect(await shareOfNew()).toBe(0);
  });

  it('takes all traffic from a variant that goes, and gives it back where the update is rolled back', async () => {
    await prepared();
    await createConfig(started, 'both', [variant('live', 'old'), variant('candidate', 'new')]);
    await update({ EndpointConfigName: 'both' });
    await pass(20);
    expect(await shareOfNew()).toEqual(near(0.5));
    const policy = {
      TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE' as const, WaitIntervalInSeconds: 0 },
      TerminationWaitInSeconds: 300,
    };
    await update({ EndpointConfigName: 'first', DeploymentConfig: { BlueGreenUpdatePolicy: policy, ...rollback } });
    await pass(20);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'Updating', EndpointConfigName: 'both' });
    expect(await shareOfNew()).toBe(0);
    alarms.errors = 'ALARM';
    await pass(20);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'both' });
    expect(await shareOfNew()).toEqual(near(0.5));
  });

  it('loses no request and cuts none that is with the old model', async () => {
    await prepared();
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    jest.spyOn(engines[0].engine, 'invoke').mockImplementationOnce(async () => {
      await held;
      return { status: 200, contentType: 'text/plain', body: Buffer.from('late but whole') };
    });
    const slow = started.runtime.invokeEndpoint({ EndpointName: 'e', Body: 'x' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await update();
    const moved = pass(60);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(engines[0].engine.closed).toBe(false);
    release();
    expect(Buffer.from((await slow).Body).toString()).toBe('late but whole');
    await moved;
    expect(engines[0].engine.closed).toBe(true);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'second' });
  });

  it('fails no request of a steady stream, however often the endpoint is updated', async () => {
    await prepared({ clock: { speed: 20 }, timings: { start: 0.2, shift: 0.2, terminate: 0.2 } });
    const results: string[] = [];
    let stop = false;
    const client = async () => {
      while (!stop) {
        const result = await started.runtime.invokeEndpoint({ EndpointName: 'e', Body: 'x' }).then(
          ({ Body }) => Buffer.from(Body).toString(),
          (error: Error) => error.message,
        );
        results.push(result);
      }
    };
    const clients = [client(), client(), client(), client()];
    for (const EndpointConfigName of ['second', 'first', 'second', 'first', 'second']) {
      await update({ EndpointConfigName });
      while ((await describeIt()).EndpointStatus === 'Updating') await new Promise((resolve) => setTimeout(resolve, 5));
    }
    stop = true;
    await Promise.all(clients);
    expect(new Set(results)).toEqual(new Set(['old', 'new']));
    expect(engines.map(({ engine }) => engine.closed)).toEqual([true, true, true, true, true, false]);
  });

  it('is refused while another one runs', async () => {
    await prepared();
    await update();
    const message = 'Cannot update in-progress endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e".';
    await expect(update()).rejects.toMatchObject({ name: 'ValidationException', message });
    await expect(started.sagemaker.deleteEndpoint({ EndpointName: 'e' })).rejects.toThrow(message);
  });

  it('resets weights and counts, unless they are retained', async () => {
    await prepared();
    const desired = [{ VariantName: 'live', DesiredWeight: 3, DesiredInstanceCount: 7 }];
    const resize = () => started.sagemaker.updateEndpointWeightsAndCapacities({ EndpointName: 'e', DesiredWeightsAndCapacities: desired });
    const now = async () => {
      const [{ CurrentWeight, CurrentInstanceCount }] = (await describeIt()).ProductionVariants!;
      return [CurrentWeight, CurrentInstanceCount];
    };
    for (const [more, expected] of [
      [{}, [1, 4]],
      [{ RetainAllVariantProperties: true }, [3, 7]],
      [{ RetainAllVariantProperties: true, ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredWeight' }] }, [1, 7]],
      [{ RetainAllVariantProperties: true, ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredInstanceCount' }] }, [3, 4]],
    ] as [Partial<UpdateEndpointCommandInput>, number[]][]) {
      await resize();
      await pass(20);
      expect(await now()).toEqual([3, 7]);
      await update(more);
      await pass(20);
      expect(await now()).toEqual(expected);
    }
  });
});

describe('a canary', () => {
  const canary = (value: number, more: Partial<DeploymentConfig> = {}): DeploymentConfig => ({
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: { Type: 'CANARY', CanarySize: { Type: 'CAPACITY_PERCENT', Value: value }, WaitIntervalInSeconds: 300 },
      TerminationWaitInSeconds: 600,
    },
    ...rollback,
    ...more,
  });

  it('gets its part of the traffic, bakes, gets all of it, bakes again', async () => {
    await prepared();
    await update({ DeploymentConfig: canary(25) });
    await pass(2);
    expect(phaseOf(await describeIt())).toBe('ActivatingTraffic: Activating traffic on canary capacity of 1 instance(s).');
    await pass(1);
    const baking = await describeIt();
    expect(phaseOf(baking)).toBe(
      'Baking: Baking for 300 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s).',
    );
    expect(baking.PendingDeploymentSummary?.ProductionVariants).toMatchObject([{ CurrentInstanceCount: 1, DesiredInstanceCount: 4 }]);
    expect(await shareOfNew()).toEqual(near(0.25));
    await pass(298);
    expect(await shareOfNew()).toEqual(near(0.25));
    await pass(3);
    expect(phaseOf(await describeIt())).toBe(
      'Baking: Baking for 600 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 4 instance(s).',
    );
    expect(await shareOfNew()).toBe(1);
    await pass(590);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'Updating', EndpointConfigName: 'first' });
    await pass(20);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'second',
      LastDeploymentConfig: canary(25),
    });
  });

  it('is rolled back by an alarm, to the old configuration, with the reason', async () => {
    await prepared();
    await update({ DeploymentConfig: canary(50) });
    await pass(100);
    expect(await shareOfNew()).toEqual(near(0.5));
    alarms.errors = 'ALARM';
    await pass(1);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'RollingBack', EndpointConfigName: 'first' });
    await pass(10);
    const back = await describeIt();
    expect(back).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'first',
      FailureReason: 'The deployment was rolled back because of alarms in the ALARM state: errors.',
      ProductionVariants: [{ CurrentInstanceCount: 4 }],
    });
    expect(back.PendingDeploymentSummary).toBeUndefined();
    expect(await shareOfNew()).toBe(0);
    expect(engines.map(({ engine }) => engine.closed)).toEqual([false, true]);
  });

  it('is still watched while the old fleet waits to be ended', async () => {
    await prepared();
    await update({ DeploymentConfig: canary(25) });
    await pass(2 + 1 + 300 + 1 + 500);
    expect(await shareOfNew()).toBe(1);
    alarms.errors = 'ALARM';
    await pass(20);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'first' });
    expect(await shareOfNew()).toBe(0);
  });

  it('is not stopped by an alarm that has no data, nor by one that it does not name', async () => {
    await prepared();
    alarms.errors = 'INSUFFICIENT_DATA';
    alarms.other = 'ALARM';
    await update({ DeploymentConfig: canary(25) });
    await pass(1000);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'second' });
  });

  it('is rolled back when it takes too long', async () => {
    await prepared({ faults: [{ operation: 'StartInstances', config: 'second', kind: 'slow', seconds: 5000 }] });
    const config = canary(25);
    await update({
      DeploymentConfig: { ...config, BlueGreenUpdatePolicy: { ...config.BlueGreenUpdatePolicy!, MaximumExecutionTimeoutInSeconds: 1000 } },
    });
    await pass(1010);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'first',
      FailureReason: 'The deployment did not finish within 1000 seconds (MaximumExecutionTimeoutInSeconds).',
    });
  });

  it('is repeated by RetainDeploymentConfig', async () => {
    await prepared();
    await update({ DeploymentConfig: canary(25) });
    await pass(1000);
    await update({ EndpointConfigName: 'first', RetainDeploymentConfig: true });
    await pass(10);
    expect(phaseOf(await describeIt())).toMatch(/^Baking: Baking for 300 seconds/);
  });
});

describe('a linear shift', () => {
  it('moves traffic step by step', async () => {
    await prepared();
    const routing = { Type: 'LINEAR' as const, LinearStepSize: { Type: 'INSTANCE_COUNT' as const, Value: 1 }, WaitIntervalInSeconds: 60 };
    await update({ DeploymentConfig: { BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: routing } } });
    await pass(3);
    const shares: number[] = [];
    for (let step = 0; step < 4; step += 1) {
      shares.push(await shareOfNew());
      await pass(61);
    }
    expect(shares).toEqual([near(0.25), near(0.5), near(0.75), 1]);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'second' });
  });
});

describe('a rolling deployment', () => {
  const rolling: DeploymentConfig = {
    RollingUpdatePolicy: { MaximumBatchSize: { Type: 'CAPACITY_PERCENT', Value: 50 }, WaitIntervalInSeconds: 120 },
    ...rollback,
  };

  it('exchanges the instances batch by batch', async () => {
    await prepared();
    await update({ DeploymentConfig: rolling });
    await pass(4);
    expect(phaseOf(await describeIt())).toBe(
      'Baking: Baking for 120 seconds (WaitIntervalInSeconds) with traffic enabled on step capacity of 2 instance(s).',
    );
    expect(await shareOfNew()).toEqual(near(0.5));
    expect((await describeIt()).ProductionVariants).toMatchObject([{ CurrentInstanceCount: 4 }]);
    await pass(121);
    expect((await describeIt()).ProductionVariants).toMatchObject([{ CurrentInstanceCount: 2 }]);
    await pass(200);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'second',
      ProductionVariants: [{ CurrentInstanceCount: 4 }],
    });
    expect(await shareOfNew()).toBe(1);
  });

  it('gives the old fleet its instances back when an alarm trips', async () => {
    await prepared();
    await update({ DeploymentConfig: rolling });
    await pass(2 + 1 + 120 + 1 + 2 + 1 + 60);
    expect(await shareOfNew()).toBe(1);
    alarms.errors = 'ALARM';
    await pass(2);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'RollingBack' });
    await pass(20);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'first',
      ProductionVariants: [{ CurrentInstanceCount: 4 }],
    });
    expect(await shareOfNew()).toBe(0);
  });

  it('leaves both fleets serving where the rollback fails too, until the next update', async () => {
    await prepared({ faults: [{ operation: 'RollBack', kind: 'fails', message: 'no capacity.' }] });
    await update({ DeploymentConfig: rolling });
    await pass(60);
    alarms.errors = 'ALARM';
    await pass(20);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'UpdateRollbackFailed',
      EndpointConfigName: 'first',
      FailureReason: expect.stringContaining('The rollback failed: no capacity.'),
    });
    expect(await shareOfNew()).toEqual(near(0.5));
    const weights = [{ VariantName: 'live', DesiredWeight: 1 }];
    await expect(
      started.sagemaker.updateEndpointWeightsAndCapacities({ EndpointName: 'e', DesiredWeightsAndCapacities: weights }),
    ).rejects.toThrow('repair it by UpdateEndpoint');
    alarms.errors = 'OK';
    await update({ EndpointConfigName: 'first' });
    expect(await shareOfNew()).toEqual(near(0.5));
    await pass(20);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'first' });
    expect(await shareOfNew()).toBe(0);
    expect(engines.map(({ engine }) => engine.closed)).toEqual([true, true, false]);
  });
});

describe('what goes wrong with the new fleet', () => {
  it.each([
    ['capacity', {}, 10, /InsufficientInstanceCapacity/],
    ['unhealthy', {}, 300, /production variant live did not pass the ping health check/],
    ['stuck', {}, 3650, /InsufficientInstanceCapacity/],
  ] as const)('%s: the old one serves on, and the endpoint says why', async (kind, more, seconds, reason) => {
    await prepared({ faults: [{ operation: 'StartInstances', config: 'second', kind, ...more }] });
    await update();
    await pass(seconds - 100 > 0 ? seconds - 100 : 1);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'Updating', EndpointConfigName: 'first' });
    expect(await shareOfNew()).toBe(0);
    await pass(200);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'first',
      FailureReason: expect.stringMatching(reason),
    });
    expect(await shareOfNew()).toBe(0);
  });

  it('slow: it only takes longer', async () => {
    await prepared({ faults: [{ operation: 'StartInstances', config: 'second', kind: 'slow', seconds: 100 }] });
    await update();
    await pass(100);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'Updating' });
    await pass(10);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'second' });
  });

  it('the rollback may be silent: in service on the old configuration, and no reason', async () => {
    await prepared({
      faults: [
        { operation: 'StartInstances', config: 'second', kind: 'capacity' },
        { operation: 'RollBack', kind: 'silent' },
      ],
    });
    await update();
    await pass(20);
    const described = await describeIt();
    expect(described).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'first' });
    expect(described.FailureReason).toBeUndefined();
  });

  it('fails an endpoint that is being created', async () => {
    await prepared({ faults: [{ operation: 'StartInstances', endpoint: 'f', kind: 'capacity' }] });
    await started.sagemaker.createEndpoint({ EndpointName: 'f', EndpointConfigName: 'first' });
    await pass(20);
    expect(await started.sagemaker.describeEndpoint({ EndpointName: 'f' })).toMatchObject({
      EndpointStatus: 'Failed',
      FailureReason: expect.stringContaining('InsufficientInstanceCapacity'),
    });
  });
});

describe('new weights and capacities', () => {
  const resize = (desired: object[]) =>
    started.sagemaker.updateEndpointWeightsAndCapacities({ EndpointName: 'e', DesiredWeightsAndCapacities: desired as never });

  it('are Updating, then in force', async () => {
    await prepared();
    await createConfig(started, 'both', [variant('live', 'old'), variant('candidate', 'new', { InitialVariantWeight: 0 })]);
    await update({ EndpointConfigName: 'both' });
    await pass(20);
    await resize([{ VariantName: 'candidate', DesiredWeight: 1 }]);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'Updating',
      ProductionVariants: [{}, { CurrentWeight: 0, DesiredWeight: 1 }],
    });
    expect(await shareOfNew()).toBe(0);
    await pass(5);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      ProductionVariants: [{}, { CurrentWeight: 1, DesiredWeight: 1 }],
    });
    expect(await shareOfNew()).toEqual(near(0.5));
  });

  it('scale out and in', async () => {
    await prepared();
    await resize([{ VariantName: 'live', DesiredInstanceCount: 6 }]);
    await pass(1);
    const [scaling] = (await describeIt()).ProductionVariants!;
    expect(scaling).toMatchObject({ CurrentInstanceCount: 4, DesiredInstanceCount: 6 });
    expect(scaling.VariantStatus).toMatchObject([{ Status: 'Updating', StatusMessage: 'Scaling out desired instance count to 6.' }]);
    await pass(5);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', ProductionVariants: [{ CurrentInstanceCount: 6 }] });
    await resize([{ VariantName: 'live', DesiredInstanceCount: 2 }]);
    await pass(5);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      ProductionVariants: [{ CurrentInstanceCount: 2, DesiredInstanceCount: 2 }],
    });
  });

  it('go back, by RollingBack, where there is no capacity', async () => {
    await prepared({ faults: [{ operation: 'StartInstances', config: 'first', kind: 'capacity', nth: 2 }] });
    await resize([{ VariantName: 'live', DesiredWeight: 5, DesiredInstanceCount: 6 }]);
    await pass(3);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'RollingBack' });
    await pass(5);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      FailureReason: expect.stringContaining('InsufficientInstanceCapacity'),
      ProductionVariants: [{ CurrentWeight: 1, DesiredWeight: 1, CurrentInstanceCount: 4, DesiredInstanceCount: 4 }],
    });
  });

  it('are refused for a variant that is not there', async () => {
    await prepared();
    await expect(resize([{ VariantName: 'none', DesiredWeight: 1 }])).rejects.toThrow(
      'The variant name(s) "none" is/are not present within endpoint configuration "first".',
    );
    await expect(resize([{ VariantName: 'live', DesiredWeight: -1 }])).rejects.toThrow(
      "Value '-1' at 'desiredWeightsAndCapacities.1.member.desiredWeight'",
    );
    await expect(resize([{ VariantName: 'live', ServerlessUpdateConfig: { MaxConcurrency: 3 } }])).rejects.toThrow(
      'Variant live is not serverless',
    );
  });
});

describe('a deployment configuration', () => {
  const blueGreen = (routing: object, more: object = {}) => ({
    BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: { WaitIntervalInSeconds: 0, ...routing }, ...more },
  });
  const percent = (Value: number) => ({ Type: 'CAPACITY_PERCENT', Value });

  it.each([
    [
      'both ways at once',
      { ...blueGreen({ Type: 'ALL_AT_ONCE' }), RollingUpdatePolicy: { MaximumBatchSize: percent(10), WaitIntervalInSeconds: 0 } },
      'Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy',
    ],
    [
      'a canary above half',
      blueGreen({ Type: 'CANARY', CanarySize: percent(60) }),
      'CanarySize must be between 1 and 50 percent of the capacity, got 60.',
    ],
    ['a canary of no size', blueGreen({ Type: 'CANARY' }), 'CanarySize must be specified.'],
    [
      'a linear step below a tenth',
      blueGreen({ Type: 'LINEAR', LinearStepSize: percent(5) }),
      'LinearStepSize must be between 10 and 50 percent of the capacity, got 5.',
    ],
    [
      'a rolling batch above half',
      { RollingUpdatePolicy: { MaximumBatchSize: percent(51), WaitIntervalInSeconds: 0 } },
      'MaximumBatchSize must be between 5 and 50 percent of the capacity, got 51.',
    ],
    [
      'a canary of three of four instances',
      blueGreen({ Type: 'CANARY', CanarySize: { Type: 'INSTANCE_COUNT', Value: 3 } }),
      'CANARY moves 3 of the 4 instance(s) of variant live in a step, which is more than 50 %',
    ],
    [
      'less time than its waits',
      blueGreen(
        { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 300 },
        { TerminationWaitInSeconds: 300, MaximumExecutionTimeoutInSeconds: 600 },
      ),
      'MaximumExecutionTimeoutInSeconds (600) must be larger than the sum of the waiting times (600).',
    ],
    [
      'an alarm that does not exist',
      { AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'nobody' }] } },
      'Could not find CloudWatch alarm(s) nobody',
    ],
    [
      'a wait beyond an hour',
      blueGreen({ Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 3601 }),
      "Value '3601' at 'deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration.waitIntervalInSeconds'",
    ],
  ])('is refused with %s', async (_, config, message) => {
    await prepared();
    await expect(update({ DeploymentConfig: config as DeploymentConfig })).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(message),
    });
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService' });
  });

  it('cannot make a canary of one instance', async () => {
    await prepared({}, 1);
    const config = blueGreen({ Type: 'CANARY', CanarySize: percent(10) }) as DeploymentConfig;
    await expect(update({ DeploymentConfig: config })).rejects.toThrow('CANARY moves 1 of the 1 instance(s) of variant live in a step');
  });

  it('wants the same variants in both configurations where traffic moves in steps', async () => {
    await prepared();
    await createConfig(started, 'both', [variant('live', 'old'), variant('candidate', 'new')]);
    const config = blueGreen({ Type: 'CANARY', CanarySize: percent(10) }) as DeploymentConfig;
    await expect(update({ EndpointConfigName: 'both', DeploymentConfig: config })).rejects.toThrow(
      'The variants of the new endpoint configuration (candidate, live) must be those of the endpoint (live) for CANARY.',
    );
  });
});
