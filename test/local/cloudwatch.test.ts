import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { cbor } from '@smithy/core/cbor';
import { LocalClock } from '../../lib/local/clock';
import type { LocalContext } from '../../lib/local/context';
import { Faults } from '../../lib/local/faults';
import { Alarms, cloudWatch, Distribution, Invocations, statistic } from '../../lib/local/metrics';
import { MetricStore } from '../../lib/local/metrics/metric-store';
import { Dispatch, Listener } from '../../lib/local/server';

const START = Date.UTC(2026, 0, 1);
const clock = new LocalClock({ start: START, speed: 0 });
const events: object[] = [];
const context = {
  account: '000000000000',
  region: 'us-east-1',
  clock,
  events: { put: (event: object) => events.push(event) },
} as unknown as LocalContext;
const invocations = new Invocations();
const store = new MetricStore();
const alarms = new Alarms(context, [store, invocations]);
let listener: Listener;
let client: CloudWatchClient;

beforeAll(async () => {
  listener = await Listener.open(new Dispatch(cloudWatch(context, store, [invocations], alarms), new Faults([], 1), clock), 0);
  client = new CloudWatchClient({
    endpoint: listener.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await listener.close();
});

const answered = (at: number, fleet: { variant: string; config: string }, status: number, latency: number) =>
  invocations.record({
    time: START + at * 1000,
    endpoint: 'e',
    shadow: false,
    kind: 'realtime',
    overhead: 50,
    instances: 2,
    concurrency: 1,
    status,
    latency,
    ...fleet,
  });

async function read(stat: string, name: string, dimensions: Record<string, string>, namespace = 'AWS/SageMaker', period = 60) {
  const Metric = {
    Namespace: namespace,
    MetricName: name,
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  };
  const answer = await client.send(
    new GetMetricDataCommand({
      MetricDataQueries: [{ Id: 'm', MetricStat: { Metric, Period: period, Stat: stat } }],
      StartTime: new Date(START),
      EndTime: new Date(START + 600_000),
      ScanBy: 'TimestampAscending',
    }),
  );
  return answer.MetricDataResults![0].Values;
}

describe('the metrics of an endpoint', () => {
  beforeAll(() => {
    for (let i = 0; i < 100; i++) answered(5, { variant: 'live', config: 'old' }, i < 10 ? 500 : 200, i < 90 ? 100 : 1000);
    for (let i = 0; i < 50; i++) answered(70, { variant: 'live', config: 'new' }, 200, 200);
  });
  const live = { EndpointName: 'e', VariantName: 'live' };

  test('count requests by the minute, over both fleets', async () => {
    expect(await read('Sum', 'Invocations', live)).toEqual([100, 50]);
  });
  test('tell the fleets apart by their configuration', async () => {
    expect(await read('Sum', 'Invocations', { ...live, EndpointConfigName: 'new' })).toEqual([50]);
  });
  test('make the average of a 0/1 metric a rate', async () => {
    expect(await read('Average', 'Invocation5XXErrors', live)).toEqual([0.1, 0]);
    expect(await read('Sum', 'InvocationModelErrors', live)).toEqual([10, 0]);
  });
  test('give quantiles, and counts of a range whose lower end is excluded', async () => {
    expect(await read('p50', 'ModelLatency', live)).toEqual([100, 200]);
    expect(await read('p99', 'ModelLatency', live)).toEqual([1000, 200]);
    expect(await read('TC(100:)', 'ModelLatency', live)).toEqual([10, 50]);
    expect(await read('PR(:100)', 'ModelLatency', live)).toEqual([90, 0]);
  });
  test('share the requests among the instances', async () => {
    expect(await read('Sum', 'InvocationsPerInstance', live)).toEqual([50, 25]);
  });
  test('are read by the second where that is asked for', async () => {
    expect(await read('SampleCount', 'ModelLatency', live, 'AWS/SageMaker', 1)).toEqual([100, 50]);
  });
  test('are listed with and without the configuration', async () => {
    const { Metrics } = await client.send(new ListMetricsCommand({ MetricName: 'ModelLatency' }));
    expect(Metrics!.map((metric) => metric.Dimensions!.length).sort()).toEqual([2, 3, 3]);
  });
});

describe('anybody’s metrics', () => {
  const dimensions = { EndpointName: 'e', VariantName: 'candidate' };
  test('are kept and read back, single values, lists with counts and sets', async () => {
    const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
    const Timestamp = new Date(START + 30_000);
    await client.send(
      new PutMetricDataCommand({
        Namespace: 'CdkFledge',
        MetricData: [
          { MetricName: 'WrongAnswers', Dimensions, Timestamp, Value: 1 },
          { MetricName: 'WrongAnswers', Dimensions, Timestamp, Values: [0, 1], Counts: [5, 4] },
          { MetricName: 'WrongAnswers', Dimensions, Timestamp, StatisticValues: { SampleCount: 10, Sum: 2, Minimum: 0, Maximum: 1 } },
        ],
      }),
    );
    expect(await read('Sum', 'WrongAnswers', dimensions, 'CdkFledge')).toEqual([7]);
    expect(await read('SampleCount', 'WrongAnswers', dimensions, 'CdkFledge')).toEqual([20]);
  });
  test('cannot be put among AWS’s', async () => {
    const put = new PutMetricDataCommand({ Namespace: 'AWS/SageMaker', MetricData: [{ MetricName: 'x', Value: 1 }] });
    await expect(client.send(put)).rejects.toThrow(/Namespace is invalid/);
  });
  test('that have no value are refused, as are queries that cannot be told apart', async () => {
    await expect(client.send(new PutMetricDataCommand({ Namespace: 'Mine', MetricData: [{ MetricName: 'none' }] }))).rejects.toThrow(
      /no Value/,
    );
    const times = { StartTime: new Date(START), EndTime: new Date(START + 60_000) };
    const stat = { Metric: { Namespace: 'Mine', MetricName: 'm' }, Period: 60, Stat: 'Sum' };
    const ask = (...MetricDataQueries: { Id: string; MetricStat?: typeof stat }[]) =>
      client.send(new GetMetricDataCommand({ ...times, MetricDataQueries }));
    await expect(ask({ Id: 'a', MetricStat: stat }, { Id: 'a', MetricStat: stat })).rejects.toThrow(/not unique: a/);
    await expect(ask({ Id: 'Big', MetricStat: stat })).rejects.toThrow(/lower case/);
    await expect(ask({ Id: 'a' })).rejects.toThrow(/Exactly one/);
  });
  test('are refused by GetMetricStatistics without a statistic, in no time, and by more than 1,440 datapoints', async () => {
    const ask = (seconds: number, Statistics?: 'Sum'[]) => {
      const EndTime = new Date(START + seconds * 1000);
      const input = { Namespace: 'Mine', MetricName: 'm', StartTime: new Date(START), EndTime, Period: 60, Statistics };
      return client.send(new GetMetricStatisticsCommand(input));
    };
    await expect(ask(60)).rejects.toThrow(/ExtendedStatistics/);
    await expect(ask(0, ['Sum'])).rejects.toThrow(/less than/);
    await expect(ask(86_460, ['Sum'])).rejects.toThrow(/1441 datapoints/);
    expect((await ask(86_400, ['Sum'])).Datapoints).toBeDefined();
  });
  test('a statistic that is none is refused with its name', async () => {
    await expect(read('p101', 'WrongAnswers', dimensions, 'CdkFledge')).rejects.toThrow(/p101/);
  });
});

describe('what is kept', () => {
  const sums = async (Period: number, hours: number) => {
    const Metric = { Namespace: 'Kept', MetricName: 'Seen' };
    const { MetricDataResults } = await client.send(
      new GetMetricDataCommand({
        StartTime: new Date(clock.now() - hours * 3_600_000),
        EndTime: new Date(clock.now()),
        MetricDataQueries: [{ Id: 'm', MetricStat: { Metric, Period, Stat: 'Sum' } }],
      }),
    );
    return MetricDataResults![0].Values;
  };
  const put = (hoursAgo: number) =>
    client.send(
      new PutMetricDataCommand({
        Namespace: 'Kept',
        MetricData: [{ MetricName: 'Seen', Value: 1, StorageResolution: 1, Timestamp: new Date(clock.now() - hoursAgo * 3_600_000) }],
      }),
    );

  test('by less than a minute is kept for three hours, by the minute for 15 days', async () => {
    for (const hoursAgo of [1, 2.9, 3.1, 14 * 24, 15 * 24 + 1]) await put(hoursAgo);
    expect(await sums(10, 24)).toEqual([1, 1]);
    expect(await sums(60, 24)).toEqual([1, 1, 1]);
    expect(await sums(60, 20 * 24)).toEqual([1, 1, 1, 1]);
  });
});

describe('metric math', () => {
  const Stat = (MetricName: string) => ({
    Metric: {
      Namespace: 'AWS/SageMaker',
      MetricName,
      Dimensions: [
        { Name: 'EndpointName', Value: 'e' },
        { Name: 'VariantName', Value: 'live' },
      ],
    },
    Period: 60,
    Stat: 'Sum',
  });
  const ask = async (Expression: string) => {
    const queries = [
      { Id: 'bad', MetricStat: Stat('Invocation5XXErrors'), ReturnData: false },
      { Id: 'all', MetricStat: Stat('Invocations'), ReturnData: false },
      { Id: 'rate', Expression },
    ];
    const answer = await client.send(
      new GetMetricDataCommand({
        MetricDataQueries: queries,
        StartTime: new Date(START),
        EndTime: new Date(START + 180_000),
        ScanBy: 'TimestampAscending',
      }),
    );
    return answer.MetricDataResults!.map((result) => result.Values);
  };
  test('divides and chooses period by period', async () => {
    expect(await ask('IF(all >= 60, 100 * bad / all, 0)')).toEqual([[10, 0]]);
  });
  test('fills what is missing', async () => {
    expect(await ask('FILL(all, 0) + 1')).toEqual([[101, 51, 1]]);
  });
  test('says where an expression is wrong', async () => {
    await expect(ask('all +')).rejects.toThrow(/ends too early/);
    await expect(ask('NOSUCH(all)')).rejects.toThrow(/NOSUCH/);
  });
});

describe('an alarm', () => {
  const alarm = (AlarmName: string, over: object) =>
    client.send(
      new PutMetricAlarmCommand({
        AlarmName,
        Namespace: 'AWS/SageMaker',
        MetricName: 'Invocation5XXErrors',
        Dimensions: [
          { Name: 'EndpointName', Value: 'e' },
          { Name: 'VariantName', Value: 'alarmed' },
        ],
        Statistic: 'Average',
        Period: 60,
        EvaluationPeriods: 2,
        DatapointsToAlarm: 1,
        Threshold: 0.05,
        ComparisonOperator: 'GreaterThanThreshold',
        ...over,
      }),
    );
  const states = async () =>
    Object.fromEntries((await client.send(new DescribeAlarmsCommand({}))).MetricAlarms!.map((one) => [one.AlarmName, one.StateValue]));

  test('is listed page by page', async () => {
    await alarm('page-1', {});
    await alarm('page-2', {});
    const list = (more: object) => client.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'page-', MaxRecords: 1, ...more }));
    const first = await list({});
    const second = await list({ NextToken: first.NextToken });
    expect([first, second].map(({ MetricAlarms }) => MetricAlarms!.map(({ AlarmName }) => AlarmName))).toEqual([['page-1'], ['page-2']]);
    expect(second.NextToken).toBeUndefined();
    await client.send(new DeleteAlarmsCommand({ AlarmNames: ['page-1', 'page-2'] }));
  });

  test.each([
    [{ TreatMissingData: 'notbreaching' }, /notbreaching/],
    [{ EvaluationPeriods: undefined }, /EvaluationPeriods/],
    [{ Threshold: undefined }, /Threshold/],
    [{ DatapointsToAlarm: 9 }, /DatapointsToAlarm \(9\)/],
    [{ ExtendedStatistic: 'p99' }, /both/],
    [{ EvaluationPeriods: 1441 }, /86400/],
  ])('that %j would never watch as meant is refused', async (over, message) => {
    await expect(alarm('wrong', over)).rejects.toThrow(message);
    expect(await states()).not.toHaveProperty('wrong');
  });

  test('goes off by the clock when enough periods breach, and treats missing data as it was told', async () => {
    await alarm('errors', {});
    await alarm('judge', { TreatMissingData: 'breaching' });
    await alarm('quiet', { TreatMissingData: 'notBreaching' });
    expect(await states()).toEqual({ errors: 'INSUFFICIENT_DATA', judge: 'ALARM', quiet: 'OK' });
    for (let i = 0; i < 20; i++) answered(30, { variant: 'alarmed', config: 'c' }, 500, 10);
    await clock.jump(61_000);
    expect(await states()).toEqual({ errors: 'ALARM', judge: 'ALARM', quiet: 'ALARM' });
    expect(events).toContainEqual(
      expect.objectContaining({ detailType: 'CloudWatch Alarm State Change', detail: expect.objectContaining({ alarmName: 'errors' }) }),
    );
  });

  test('goes off with fewer datapoints than it needs where all breach and the oldest is old enough', async () => {
    const Dimensions = [
      { Name: 'EndpointName', Value: 'e' },
      { Name: 'VariantName', Value: 'rare' },
    ];
    const wait = { EvaluationPeriods: 3, DatapointsToAlarm: 3, Dimensions };
    await alarm('premature', { ...wait });
    await alarm('ignoring', { ...wait, TreatMissingData: 'ignore' });
    await alarm('lenient', { ...wait, TreatMissingData: 'notBreaching' });
    answered((clock.now() - START) / 1000, { variant: 'rare', config: 'c' }, 500, 10);
    await clock.jump(61_000);
    expect(await states()).toMatchObject({ premature: 'OK', ignoring: 'OK' });
    await clock.jump(120_000);
    expect(await states()).toMatchObject({ premature: 'ALARM', ignoring: 'OK', lenient: 'OK' });
    await client.send(new DeleteAlarmsCommand({ AlarmNames: ['premature', 'ignoring', 'lenient'] }));
  });
});

test('boto3’s protocol gets the same answers', async () => {
  const input = {
    MetricDataQueries: [
      {
        Id: 'm',
        MetricStat: {
          Metric: {
            Namespace: 'AWS/SageMaker',
            MetricName: 'Invocations',
            Dimensions: [
              { Name: 'EndpointName', Value: 'e' },
              { Name: 'VariantName', Value: 'live' },
            ],
          },
          Period: 60,
          Stat: 'Sum',
        },
      },
    ],
    StartTime: START / 1000,
    EndTime: START / 1000 + 600,
  };
  const response = await fetch(`${listener.url}/service/GraniteServiceVersion20100801/operation/GetMetricData`, {
    method: 'POST',
    headers: { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
    body: Buffer.from(cbor.serialize(input)),
  });
  const answer = cbor.deserialize(new Uint8Array(await response.arrayBuffer())) as {
    MetricDataResults: { Values: number[]; Timestamps: { tag: number }[] }[];
  };
  expect(answer.MetricDataResults[0].Values).toEqual([50, 100]);
  expect(answer.MetricDataResults[0].Timestamps[0].tag).toBe(1);
});

test('a distribution keeps five digits, however many values it holds', () => {
  const values = new Distribution();
  for (let i = 0; i < 200_000; i++) values.add(1 + i / 1000);
  expect(values.sorted().length).toBeLessThan(110_000);
  expect(statistic('p50', values)).toBeCloseTo(101, 1);
});
