import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { promotionNamed } from '../../lib/cli/stage/promotions';
import { difference } from '../../lib/cli/stage/recompute';
import { evaluate, type JudgeInput, type Verdict } from '../../lib/judge';
import { type LocalSageMaker, startLocal } from '../../lib/local';
import { awsPorts, lockKey, type Outcome, outcomeKey, type PromotionRequest, STANDARD_METRICS, Store, say } from '../../lib/promotion';
import { note } from '../../lib/promotion/record';
import { fledge } from './fledge';

const bucket = 'kept';
const before = { ...process.env };
let local: LocalSageMaker;
let store: Store;

const arn = (version: number) => `arn:aws:sagemaker:us-east-1:000000000000:model-package/flights/${version}`;
const request = (promotionId: string, version: number): PromotionRequest => ({
  promotionId,
  endpointName: 'flights',
  bucket,
  modelPackageArn: arn(version),
  plan: { steps: [{ kind: 'percent', percent: 50 }], metrics: STANDARD_METRICS },
});

/** Counts of ten bins of a thousand requests each, ten of the live version's bad. */
const countsOf = (candidateBad: number): JudgeInput => ({
  metrics: [
    {
      id: 'server-errors',
      name: '5xx',
      kind: 'serverErrors',
      series: [
        {
          label: '5xx',
          counts: {
            start: Array.from({ length: 10 }, (_, i) => 60 * i),
            seconds: Array.from({ length: 10 }, () => 60),
            candidateRequests: Array.from({ length: 10 }, () => 1000),
            candidateBad: Array.from({ length: 10 }, () => candidateBad),
            baselineRequests: Array.from({ length: 10 }, () => 1000),
            baselineBad: Array.from({ length: 10 }, () => 10),
          },
        },
      ],
    },
  ],
});
const counts = countsOf(10);

/** A promotion as its record would hold it. */
async function recorded(
  promotionId: string,
  version: number,
  at: number,
  end?: Pick<Outcome, 'verdict' | 'reason'>,
  verdict = evaluate(counts),
) {
  const one = request(promotionId, version);
  await note(store, one, '000-begin', { at, what: 'begin', sentence: 'wants to go live', request: one });
  const start = {
    configName: 'c',
    modelName: 'm',
    modelPackageArn: arn(version - 1),
    approval: 'approved by ana: beats it',
    earlierTries: 0,
  };
  await note(store, one, '001-start', { at: at + 1, what: 'start', sentence: 'approved by ana', start });
  if (!end) return;
  const verdictKey = await note(store, one, '200-verdict', { at: at + 2, what: 'verdict', sentence: '50 %: promoted', verdict });
  const { endpointName, modelPackageArn } = one;
  const outcome: Outcome = {
    ...end,
    promotionId,
    endpointName,
    modelPackageArn,
    startedAt: at,
    endedAt: at + 60_000,
    during: 'go live',
    verdictKey,
    endpointConfigName: 'c',
  };
  await store.create(outcomeKey('flights', promotionId), outcome);
}

beforeAll(async () => {
  local = await startLocal({ warn: () => {} });
  Object.assign(process.env, local.environment());
  const ports = awsPorts();
  await ports.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  store = new Store(ports, bucket);
  const worse = evaluate(countsOf(100));
  await recorded('v13-only', 13, 10, { verdict: 'rolled back', reason: worse.sentence }, worse);
  await recorded('v14-first', 14, 1000, { verdict: 'rolled back', reason: 'aborted by bo' });
  await recorded('v14-second', 14, 200_000, { verdict: 'promoted', reason: 'promoted: 5xx 0.1 % against 0.1 %' });
  const tampered: Verdict = { ...evaluate(counts), logWorse: 7 };
  await recorded('v15-only', 15, 400_000, { verdict: 'promoted', reason: 'promoted: 5xx 0.1 % against 0.1 %' }, tampered);
  await recorded('v16-now', 16, 600_000);
  await say(ports, store, 'flights', 'v14-second', { command: 'pause', by: 'cy', reason: 'lunch' });
});
afterAll(async () => {
  await local.close();
  process.env = before;
});

const kept = ['--bucket', bucket];

describe('fledge history', () => {
  test('lists what ended and what is under way, oldest first', async () => {
    const { out } = await fledge('history', 'flights', ...kept, '--json');
    const { promotions } = JSON.parse(out) as { promotions: { promotionId: string; verdict: string | null }[] };
    expect(promotions.map(({ promotionId, verdict }) => `${promotionId} ${verdict}`)).toEqual([
      'v13-only rolled back',
      'v14-first rolled back',
      'v14-second promoted',
      'v15-only promoted',
      'v16-now null',
    ]);
  });
});

describe('fledge explain', () => {
  test.each(['14', arn(14), 'v14-second'])('takes %s, and says why the version was let in', async (version) => {
    const { code, out } = await fledge('explain', 'flights', version, ...kept);
    expect(code).toBe(0);
    expect(out).toMatch(/^version 14 on flights: promoted/);
    expect(out).toMatch(/approval +approved by ana: beats it/);
    expect(out).toMatch(/before it +version 13/);
    expect(out).toMatch(/5xx +1 % \(100 of 10000\) +1 % \(100 of 10000\)/);
    expect(out).toMatch(/pause \(cy: lunch\)/);
    expect(out).toMatch(/1 of 1 verdicts are the same/);
  });
  test('tells the moment of the reason from the moment of the table', async () => {
    const { out } = await fledge('explain', 'flights', '13', ...kept);
    expect(out).toMatch(/because +5xx 10 % against 1 %, evidence [\d ]+ where \d+ suffices, after 200 bad requests/);
    expect(out).toMatch(/5xx +1 % \(100 of 10000\) +10 % \(1000 of 10000\)/);
    expect(out).toMatch(
      /the reason says what was counted up to 1970-01-01 00:02:00, when the evidence first sufficed;\n +the table, what was counted up to 1970-01-01 00:10:00/,
    );
  });
  test('tells of a version that came more than once', async () => {
    expect((await fledge('explain', 'flights', '14', ...kept)).out).toMatch(/came before: v14-first \(rolled back\)/);
  });
  test('ends with 1 where the stored verdict is not what the counts give', async () => {
    const { code, out } = await fledge('explain', 'flights', '15', ...kept);
    expect(code).toBe(1);
    expect(out).toMatch(/1 OF 1 VERDICTS ARE DIFFERENT/);
    expect(out).toMatch(/logWorse: [-\d.]+, recorded 7/);
  });
  test('is one document with --json', async () => {
    const { out } = await fledge('explain', 'flights', '14', ...kept, '--json');
    expect(JSON.parse(out)).toMatchObject({
      promotionId: 'v14-second',
      approval: 'approved by ana: beats it',
      liveBefore: arn(13),
      isRecomputed: true,
      restsOn: { decision: 'promote' },
      said: [{ command: 'pause', by: 'cy' }],
    });
  });
  test('names the promotions there are where it knows none', async () => {
    const { code, err } = await fledge('explain', 'flights', '99', ...kept);
    expect(code).toBe(1);
    expect(err).toBe('error: flights has seen no promotion 99; the last it saw: v13-only, v14-first, v14-second, v15-only, v16-now\n');
  });
});

describe('a word to a promotion', () => {
  test('goes to the one under way', async () => {
    const { code, out } = await fledge('extend', 'flights', ...kept, '--by', 'ana', '--seconds', '600', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ promotionId: 'v16-now', extraSeconds: 600 });
  });
  test.each(['', ' '])('is refused from nobody (%p): an approval without a name would not be heard', async (by) => {
    const { code, err } = await fledge('approve', 'flights', ...kept, '--by', by);
    expect(code).toBe(2);
    expect(err).toMatch(/--by.*must name somebody/);
  });
  test('that would last for ever is refused', async () => {
    expect((await fledge('extend', 'flights', ...kept, '--seconds', 'Infinity')).code).toBe(2);
  });
});

describe('a promotion that died, and whose endpoint another took over', () => {
  const lost = 'others';
  beforeAll(async () => {
    const one = { ...request('dead', 2), endpointName: lost };
    await note(store, one, '000-begin', { at: 1000, what: 'begin', sentence: 'wants to go live', request: one });
    const start = { configName: 'c', modelName: 'm', modelPackageArn: arn(1), approval: '', earlierTries: 0 };
    await note(store, one, '001-start', { at: 1001, what: 'start', sentence: 'live is version 1', start });
    await store.create(lockKey(lost), { owner: '', run: '', expires: 0, base: '', of: '' });
  });
  test('is not under way', async () => {
    const { out } = await fledge('status', lost, ...kept, '--json');
    expect(JSON.parse(out)).toMatchObject({ underWay: null, waiting: [], brokenOff: [{ promotionId: 'dead' }] });
    expect((await fledge('history', lost, ...kept)).out).toMatch(/broken off/);
    expect((await fledge('explain', lost, 'dead', ...kept)).out).toMatch(/^version 2 on others: broken off/);
  });
  test('is not spoken to, and not waited for', async () => {
    const last = /others has no promotion under way: the last, dead, was broken off/;
    expect(await fledge('abort', lost, ...kept)).toMatchObject({ code: 1, err: expect.stringMatching(last) });
    const over = /dead was broken off: another promotion took the endpoint over/;
    expect(await fledge('watch', lost, ...kept)).toMatchObject({ code: 1, err: expect.stringMatching(over) });
  });
});

describe('what is not there', () => {
  test.each([
    ['an endpoint', ['status', 'nobody'], /^error: there is no endpoint nobody in us-east-1 at http:\/\/127\.0\.0\.1:\d+\n$/],
    [
      'an endpoint, where the bucket is a variable that is not set',
      ['status', 'nobody', '--bucket', ''],
      /^error: there is no endpoint nobody/,
    ],
    ['a bucket', ['status', 'flights', '--bucket', 'nothing-here'], /^error: there is no such bucket/],
    ['a promotion', ['watch', 'nobodys', ...kept], /^error: nobodys has seen no promotion\n$/],
    ['a promotion to abort', ['abort', 'nobodys', ...kept], /^error: nobodys has seen no promotion\n$/],
  ])('%s is named in one line', async (_, argv, said) => {
    const { code, err } = await fledge(...argv);
    expect(err).toMatch(said);
    expect(code).toBe(1);
  });
});

test('a verdict is recomputed to the last digit but one, and whatever its sentence was', () => {
  const verdict = JSON.parse(JSON.stringify(evaluate(counts))) as Verdict;
  expect(difference({ ...verdict, sentence: 'in other words' })).toBe('');
  expect(difference({ ...verdict, logWorse: verdict.logWorse + 1e-12 })).toBe('');
  expect(difference({ ...verdict, metrics: [] })).toBe('metrics: 1 of them, recorded 0');
  expect(difference({ ...verdict, decision: 'rollBack' })).toMatch(/^decision: "promote", recorded "rollBack"$/);
});

test('of two promotions of one version the later is meant', () => {
  const one = { request: request('a', 3), begun: 1, outcome: null, isOwner: false, isBrokenOff: false };
  const all = [
    { ...one, id: 'a' },
    { ...one, id: 'b' },
  ];
  expect(promotionNamed({ endpoint: 'flights' } as never, all, '3').id).toBe('b');
});
