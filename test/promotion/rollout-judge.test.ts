import { firstWord } from '../../lib/promotion/functions/rollout-judge';
import { isPublished } from '../../lib/promotion/guardrail-metric';
import { deployed, JudgedEndpoint } from './harness/judged-endpoint';

const open: JudgedEndpoint[] = [];
async function endpoint(rate: number, errorRates: Record<string, number>, judge = {}): Promise<JudgedEndpoint> {
  const made = await JudgedEndpoint.create(deployed(judge), rate, errorRates);
  open.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const sentences = (on: JudgedEndpoint) => on.judgements.map(({ sentence }) => sentence);

describe('a deployment that is judged', () => {
  test('of a worse version is rolled back by the evidence, long before the bake ends', async () => {
    const on = await endpoint(6, { old: 0.005, new: 0.1 });
    await on.update('new');
    expect(await on.look()).toMatchObject({ model: 'old', reason: expect.stringContaining('judge-evidence') });
    const said = on.judgements.find(({ value }) => value >= 1)!;
    expect(said.sentence).toMatch(/^rolled back: .*(5xx|model errors) .* against/);
    expect(said.isFinal).toBe(false);
  });

  test('of a version that is as good goes live, once that is shown', async () => {
    const on = await endpoint(6, { old: 0.002, new: 0.002 });
    await on.update('new');
    expect(await on.look()).toEqual({ status: 'InService', model: 'new', reason: '' });
    expect(sentences(on)).toContainEqual(expect.stringMatching(/^the new fleet may go on: promoted: .* suffices$/));
    expect(await on.alarmState()).toBe('OK');
  });

  test('with too few requests to tell is rolled back at the end of the bake', async () => {
    const on = await endpoint(0.05, { old: 0, new: 0 });
    await on.update('new');
    expect(await on.look()).toMatchObject({ model: 'old', reason: expect.stringContaining('judge-evidence') });
    expect(sentences(on)).toContainEqual(expect.stringMatching(/^the bake ends and the new fleet was not shown to be not worse: held/));
  });

  test('with too few requests to tell goes live where the judge fails open', async () => {
    const on = await endpoint(0.05, { old: 0, new: 0 }, { failClosed: false });
    await on.update('new');
    expect(await on.look()).toMatchObject({ model: 'new' });
  });

  test('of an endpoint that nobody asks is rolled back', async () => {
    const on = await endpoint(0, { old: 0, new: 0 });
    await on.update('new');
    expect(await on.look()).toMatchObject({ model: 'old' });
  });

  test('whose judge falls silent is rolled back', async () => {
    const on = await endpoint(6, { old: 0.002, new: 0.002 });
    on.later(10, () => {
      on.isAlive = false;
    });
    await on.update('new');
    expect(await on.look()).toMatchObject({ model: 'old', reason: expect.stringContaining('judge-evidence') });
    expect(Math.max(...on.judgements.map(({ value }) => value))).toBeLessThan(1);
  });

  test('leaves the alarm well soon after it was rolled back, so that the next one may come', async () => {
    const on = await endpoint(6, { old: 0.005, new: 0.2, better: 0.001 });
    await on.update('new');
    await on.local.clock.jump(180_000);
    expect(await on.alarmState()).toBe('OK');
    await on.update('better');
    expect(await on.look()).toMatchObject({ model: 'better' });
  });

  test('back to the version before asks for no evidence: CloudFormation takes a failed stack back so', async () => {
    const on = await endpoint(6, { old: 0.002, new: 0.002 });
    await on.update('new');
    on.rate = 0;
    await on.update('old');
    expect(await on.look()).toEqual({ status: 'InService', model: 'old', reason: '' });
    expect(sentences(on)).toContain('flights goes back to old, which served before');
  });

  test('of what serves already asks for none either', async () => {
    const on = await endpoint(0, { old: 0 });
    await on.update('old');
    expect(await on.look()).toEqual({ status: 'InService', model: 'old', reason: '' });
  });
});

describe('the first deployment', () => {
  test('finds an alarm that is well before there is an endpoint', async () => {
    const on = await endpoint(0, { old: 0 });
    expect(on.judgements[0]).toEqual({ value: 0, sentence: 'there is no endpoint flights yet', isFinal: false });
    expect(await on.look()).toMatchObject({ status: 'InService' });
    expect(await on.alarmState()).toBe('OK');
  });

  test('waits for the judge to have said a first word that CloudWatch shows', async () => {
    const on = await endpoint(0, { old: 0 });
    expect(await on.do(() => isPublished(on.ports, 'another'))).toBe(false);
    await on.do(() => firstWord(on.ports, { ...deployed().plan, endpointName: 'another' }));
    expect(await on.do(() => isPublished(on.ports, 'another'))).toBe(true);
  });
});
