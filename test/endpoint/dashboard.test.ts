import { Template } from 'aws-cdk-lib/assertions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { App, Stack } from 'aws-cdk-lib/core';
import { EndpointAlarms } from '../../lib/endpoint/alarms';
import { EndpointDashboard } from '../../lib/endpoint/dashboard';
import { ENDPOINT_METRICS, type EndpointMetricName } from '../../lib/endpoint/endpoint-metrics';
import type { ServedVariant } from '../../lib/endpoint/served-variant';

const live: ServedVariant = {
  endpointName: 'flight-delay',
  variantName: 'live',
  endpointConfigName: 'config-2',
  kind: 'instances',
  instanceType: 'ml.c7g.xlarge',
  minCapacity: 2,
  maxCapacity: 10,
};
const gpu: ServedVariant = { ...live, instanceType: 'ml.g5.12xlarge' };
const async: ServedVariant = { ...live, kind: 'async', minCapacity: 0, maxCapacity: 1 };
const serverless: ServedVariant = { ...live, kind: 'serverless', instanceType: undefined, minCapacity: 1, maxCapacity: 5 };
const kinds: [string, ServedVariant][] = [
  ['real-time instances', live],
  ['GPU instances', gpu],
  ['an async endpoint', async],
  ['serverless capacity', serverless],
];

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title: string;
    readonly markdown?: string;
    readonly alarms?: string[];
    readonly metrics?: unknown[][];
    readonly annotations?: { horizontal: { value: number }[] };
  };
}

function page(variant: ServedVariant, ...others: ServedVariant[]): { name: string; widgets: Widget[] } {
  const stack = new Stack(new App(), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });
  const topic = new Topic(stack, 'Topic');
  const alarms = (one: ServedVariant) => EndpointAlarms._create(stack, one.variantName, one, topic);
  const dashboard = EndpointDashboard._create(stack, 'Dashboard', variant, alarms(variant));
  for (const other of others) dashboard._add(other, alarms(other));
  const [resource] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  const { DashboardName, DashboardBody } = resource!.Properties;
  const parts: unknown[] = DashboardBody['Fn::Join'][1];
  const body = parts
    .map((part) =>
      typeof part === 'string'
        ? part
        : `<${Object.values(part as object)
            .flat()
            .join('.')}>`,
    )
    .join('');
  return { name: DashboardName, widgets: JSON.parse(body).widgets };
}

const titles = (widgets: Widget[]) => widgets.map(({ properties }) => properties.title).filter((title) => title !== undefined);
const graph = (variant: ServedVariant, title: string) =>
  page(variant).widgets.find(({ properties }) => properties.title?.startsWith(title))!;
/** How a line is shown: the last part of its row. */
const shown = (row: unknown[]) => row.at(-1) as { label?: string; visible?: boolean; expression?: string };
const labels = (widget: Widget) =>
  (widget.properties.metrics ?? []).filter((row) => shown(row).visible !== false).map((row) => shown(row).label);

describe('the dashboard', () => {
  test('is named after the endpoint and its region, as an account has one set of dashboards', () => {
    expect(page(live).name).toBe('flight-delay-eu-west-1');
  });

  test.each<[string, ServedVariant, string]>([
    ['real-time instances', live, '2 to 10 × ml.c7g.xlarge (4 vCPUs, 8 GiB)'],
    ['GPU instances', { ...gpu, maxCapacity: 2 }, '2 × ml.g5.12xlarge (48 vCPUs, 4 GPUs, 192 GiB)'],
    ['an async endpoint', async, 'async, 0 to 1 × ml.c7g.xlarge (4 vCPUs, 8 GiB)'],
    ['serverless capacity', serverless, 'serverless, 1 to 5 kept warm'],
    ['instances that are not known', { ...live, instanceType: 'ml.z9.large' }, '2 to 10 × ml.z9.large'],
  ])('says first what %s are', (_, variant, line) => {
    expect(page(variant).widgets[0]!.properties.markdown).toBe(`## flight-delay · live\n${line}`);
  });

  test.each(kinds)('of %s then shows the alarms, those that wake a person apart from those that roll back', (_, variant) => {
    const [, standing, rollback] = page(variant).widgets;
    expect([standing?.properties.title, rollback?.properties.title]).toEqual(['Wakes a person', 'Rolls back an update']);
    for (const alarm of standing!.properties.alarms!) expect(alarm).toMatch(/Standing/);
    for (const alarm of rollback!.properties.alarms!) expect(alarm).toMatch(/Rollback/);
  });

  test.each<[string, ServedVariant, string[]]>([
    [
      'real-time instances',
      live,
      [
        'Requests (a minute)',
        'Errors (% of requests)',
        'Model latency (ms)',
        'Instances (count)',
        'Use (%)',
        'Requests by fleet (a minute): two while an update runs',
      ],
    ],
    [
      'an async endpoint',
      async,
      [
        'Requests (a minute)',
        'Errors (% of requests)',
        'Queue (requests; oldest in seconds)',
        'Instances (count)',
        'Model latency (ms)',
        'Use (%)',
        'Requests by fleet (a minute): two while an update runs',
      ],
    ],
    [
      'serverless capacity',
      serverless,
      [
        'Requests (a minute)',
        'Errors (% of requests)',
        'Model latency (ms)',
        'Use (%)',
        'Cold starts (ms)',
        'Requests by fleet (a minute): two while an update runs',
      ],
    ],
  ])('of %s shows what it publishes, a unit in every title', (_, variant, graphs) => {
    expect(titles(page(variant).widgets).slice(2)).toEqual(graphs);
    for (const title of graphs) expect(title).toMatch(/\(.+\)/);
  });

  test.each(kinds)('of %s reads no metric that it never publishes', (_, variant) => {
    const read = page(variant)
      .widgets.flatMap(({ properties }) => (properties.metrics ?? []).map((row) => row[1]))
      .filter((name) => typeof name === 'string') as EndpointMetricName[];
    expect(read.length).toBeGreaterThan(5);
    for (const name of read) expect(ENDPOINT_METRICS[name].kinds).toContain(variant.kind);
  });

  test.each(kinds)('of %s fits the page, nothing over another', (_, variant) => {
    const { widgets } = page(variant);
    const rows = new Map<number, Widget[]>();
    for (const widget of widgets) rows.set(widget.y, [...(rows.get(widget.y) ?? []), widget]);
    for (const row of rows.values()) {
      expect(new Set(row.map(({ height }) => height)).size).toBe(1);
      expect(row.reduce((width, widget) => width + widget.width, 0)).toBeLessThanOrEqual(24);
    }
    expect(rows.size).toBe(3);
  });

  test('reads latency in milliseconds, p50 and p99, with the line of its alarm', () => {
    const latency = graph(live, 'Model latency');
    expect(labels(latency)).toEqual(['p50 (ms)', 'p99 (ms)']);
    expect(latency.properties.metrics!.map((row) => shown(row).expression).filter(Boolean)).toEqual([
      'rawModelLatencyp50 / 1000',
      'rawModelLatencyp99 / 1000',
    ]);
    expect(latency.properties.annotations?.horizontal.map(({ value }) => value)).toEqual([10_000]);
  });

  test('shares out CPU and GPU, so that 100 is full', () => {
    expect(labels(graph(gpu, 'Use'))).toEqual(['CPU (%)', 'memory (%)', 'disk (%)', 'GPU (%)', 'GPU memory (%)']);
    const expressions = graph(gpu, 'Use')
      .properties.metrics!.map((row) => shown(row).expression)
      .filter(Boolean);
    expect(expressions).toEqual(['rawCPUUtilization / 48', 'rawGPUUtilization / 4', 'rawGPUMemoryUtilization / 4']);
    expect(labels(graph(live, 'Use'))).toEqual(['CPU (%)', 'memory (%)', 'disk (%)']);
  });

  test('tells the fleets of an update apart', () => {
    const [[search]] = graph(live, 'Requests by fleet').properties.metrics as unknown as [[{ expression: string; label: string }]];
    expect(search.expression).toBe(
      `SEARCH('{AWS/SageMaker,EndpointConfigName,EndpointName,VariantName} MetricName="Invocations" EndpointName="flight-delay" VariantName="live"', 'Sum', 60)`,
    );
    expect(search.label).toBe(`\${PROP('Dim.EndpointConfigName')}`);
  });

  test('shows a second variant below the first', () => {
    const { widgets } = page(live, { ...live, variantName: 'candidate' });
    const texts = widgets.filter(({ type }) => type === 'text');
    expect(texts.map(({ properties }) => properties.markdown?.split('\n')[0])).toEqual([
      '## flight-delay · live',
      '## flight-delay · candidate',
    ]);
    expect(texts[1]!.y).toBeGreaterThan(Math.max(...widgets.slice(0, widgets.indexOf(texts[1]!)).map(({ y }) => y)));
  });
});
