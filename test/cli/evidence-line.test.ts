import { evidenceLine } from '../../lib/cli/evidence-line';
import type { Progress } from '../../lib/promotion';

const ENOUGH = Math.log(20);
const metric = (name: string, worse: number, notWorse: number, required?: boolean) => ({
  metric: name,
  required,
  worse: Math.log(worse),
  worseAt: Math.log(60),
  notWorse: Math.log(notWorse),
  notWorseAt: ENOUGH,
});
const lineOf = (...evidence: Progress['evidence']) =>
  evidenceLine({ at: 0, during: '5 %', percent: 5, sentence: '', evidence, paused: false, unpublished: '' });

describe('where the evidence stands', () => {
  test('is the metric nearest to rolling back, and the one that promotion waits for', () => {
    expect(lineOf(metric('5xx', 3, 12, true), metric('latency', 0.5, 4, true))).toBe('worse 3 of 60 (5xx), not worse 4 of 20 (latency)');
  });
  test('names no metric that promotion does not wait for', () => {
    expect(lineOf(metric('5xx', 3, 12, true), metric('refused loans', 0.5, 1, false))).toBe(
      'worse 3 of 60 (5xx), not worse 12 of 20 (5xx)',
    );
    expect(lineOf(metric('refused loans', 0.5, 1, false))).toBe('worse 0.5 of 60 (refused loans)');
  });
  test('takes every metric of an older record as one that is waited for', () => {
    expect(lineOf(metric('5xx', 3, 12), metric('latency', 0.5, 4))).toContain('not worse 4 of 20 (latency)');
  });
});
