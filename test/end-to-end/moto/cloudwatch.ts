import { ACCOUNT, type Call, REGION, type Scenarios } from './scenario';

/** A whole hour, a little while ago: CloudWatch takes two weeks of the past. */
const HOUR = Math.floor(Date.now() / 3_600_000 - 1) * 3600;
const at = (minute: number, second = 0) => new Date((HOUR + minute * 60 + second) * 1000);
const Dimensions = [
  { Name: 'EndpointName', Value: 'flights' },
  { Name: 'VariantName', Value: 'live' },
];
const put = (...MetricData: object[]): Call => ['PutMetricData', { Namespace: 'CdkFledge', MetricData }];
const datum = (minute: number, more: object) => ({ MetricName: 'KnownOutcomes', Dimensions, Timestamp: at(minute), ...more });
const query = (Id: string, Stat: string, Period = 60, more: object = {}) => ({
  Id,
  MetricStat: { Metric: { Namespace: 'CdkFledge', MetricName: 'KnownOutcomes', Dimensions }, Period, Stat },
  ...more,
});
const get = (...MetricDataQueries: object[]): Call => [
  'GetMetricData',
  { MetricDataQueries, StartTime: at(0), EndTime: at(10), ScanBy: 'TimestampAscending' },
];
const statistics = (more: object): Call => [
  'GetMetricStatistics',
  { Namespace: 'CdkFledge', MetricName: 'KnownOutcomes', Dimensions, StartTime: at(0), EndTime: at(10), Period: 60, ...more },
];
const alarm = (AlarmName: string, more: object = {}): Call => [
  'PutMetricAlarm',
  {
    AlarmName,
    Namespace: 'CdkFledge',
    MetricName: 'KnownOutcomes',
    Dimensions,
    Statistic: 'Sum',
    Period: 60,
    EvaluationPeriods: 3,
    DatapointsToAlarm: 2,
    Threshold: 5,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'ignore',
    ...more,
  },
];
const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:told`;

export const cloudwatch: Scenarios = {
  'values of a metric are summed, counted and averaged by the minute': [
    put(datum(1, { Value: 2 }), datum(1, { Value: 4 }), datum(2, { Value: 5 })),
    get(query('sum', 'Sum'), query('count', 'SampleCount'), query('mean', 'Average'), query('least', 'Minimum'), query('most', 'Maximum')),
    get(query('five', 'Sum', 300)),
    get({
      ...query('none', 'Sum'),
      MetricStat: { ...query('none', 'Sum').MetricStat, Metric: { Namespace: 'CdkFledge', MetricName: 'Other' } },
    }),
  ],
  'counts of values': [
    put(datum(1, { Values: [1, 2], Counts: [10, 5] }), datum(2, { Values: [3, 4] })),
    get(query('sum', 'Sum'), query('count', 'SampleCount'), query('most', 'Maximum')),
  ],
  'sets of statistics': [
    put(datum(1, { StatisticValues: { SampleCount: 4, Sum: 10, Minimum: 1, Maximum: 4 } })),
    get(query('sum', 'Sum'), query('count', 'SampleCount'), query('mean', 'Average'), query('least', 'Minimum')),
  ],
  'the newest first': [
    put(datum(1, { Value: 1 }), datum(2, { Value: 2 })),
    ['GetMetricData', { MetricDataQueries: [query('sum', 'Sum')], StartTime: at(0), EndTime: at(10), ScanBy: 'TimestampDescending' }],
    ['GetMetricData', { MetricDataQueries: [query('sum', 'Sum', 60, { Label: 'outcomes' })], StartTime: at(2), EndTime: at(10) }],
  ],
  'expressions over metrics': [
    put(datum(1, { Value: 2 }), datum(2, { Value: 5 })),
    get(query('a', 'Sum', 60, { ReturnData: false }), { Id: 'twice', Expression: 'a * 2' }),
  ],
  'dimensions tell metrics apart': [
    put(datum(1, { Value: 2 }), { ...datum(1, { Value: 7 }), Dimensions: [Dimensions[0], { Name: 'VariantName', Value: 'candidate' }] }),
    get(query('sum', 'Sum')),
    ['ListMetrics', { Namespace: 'CdkFledge', MetricName: 'KnownOutcomes' }],
    ['ListMetrics', { Namespace: 'CdkFledge', Dimensions: [{ Name: 'VariantName', Value: 'candidate' }] }],
    ['ListMetrics', { Namespace: 'Nothing' }],
  ],
  'statistics of a metric': [
    put(datum(1, { Value: 2 }), datum(1, { Value: 4 }), datum(2, { Value: 5 })),
    statistics({ Statistics: ['Sum', 'SampleCount', 'Average', 'Minimum', 'Maximum'] }),
  ],
  'times that end before they begin': [['GetMetricData', { MetricDataQueries: [query('sum', 'Sum')], StartTime: at(10), EndTime: at(0) }]],
  'values that do not fit their counts': [put(datum(1, { Values: [1, 2], Counts: [10] }))],
  "AWS's own namespaces": [['PutMetricData', { Namespace: 'AWS/SageMaker', MetricData: [datum(1, { Value: 1 })] }]],
  'an alarm is put, described and deleted': [
    alarm('many', { AlarmDescription: 'too many', AlarmActions: [TOPIC], OKActions: [TOPIC], Unit: 'Count' }),
    ['DescribeAlarms', { AlarmNames: ['many'] }],
    ['DeleteAlarms', { AlarmNames: ['many'] }],
    ['DescribeAlarms', {}],
    ['DeleteAlarms', { AlarmNames: ['many'] }],
  ],
  'an alarm on a quantile, and one on an expression': [
    alarm('slow', { Statistic: undefined, ExtendedStatistic: 'p99', ActionsEnabled: false }),
    alarm('rate', {
      Namespace: undefined,
      MetricName: undefined,
      Dimensions: undefined,
      Statistic: undefined,
      Period: undefined,
      Metrics: [query('a', 'Sum', 60, { ReturnData: false }), { Id: 'twice', Expression: 'a * 2', ReturnData: true }],
    }),
    ['DescribeAlarms', { AlarmNames: ['slow'] }],
    ['DescribeAlarms', { AlarmNames: ['rate'] }],
  ],
  'alarms by prefix and by state': [
    alarm('flights-5xx'),
    alarm('flights-slow'),
    alarm('trains-5xx'),
    ['SetAlarmState', { AlarmName: 'flights-slow', StateValue: 'ALARM', StateReason: 'said so' }],
    ['DescribeAlarms', { AlarmNamePrefix: 'flights-' }],
    ['DescribeAlarms', { StateValue: 'ALARM' }],
  ],
  'an alarm that is put again': [
    alarm('many'),
    ['SetAlarmState', { AlarmName: 'many', StateValue: 'ALARM', StateReason: 'said so' }],
    alarm('many', { Threshold: 9 }),
    ['DescribeAlarms', {}],
  ],
  'the state of an alarm that is not there': [['SetAlarmState', { AlarmName: 'none', StateValue: 'OK', StateReason: 'said so' }]],
  'alarms page by page': [...['a', 'b', 'c'].map((name) => alarm(name)), ['DescribeAlarms', { MaxRecords: 2 }, 'whole']],
};
