import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localPlan, readPlan } from '../../lib/cli/stage/host';

const folder = mkdtempSync(join(tmpdir(), 'local-plan-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a stage judges whose plan file says this, by its metrics' ids. */
function judged(plan: object, hasOutcomes: boolean): string[] {
  const file = join(folder, 'plan.json');
  writeFileSync(file, JSON.stringify(plan));
  return readPlan(file, localPlan(hasOutcomes)).metrics.map(({ id }) => id);
}

describe('the plan of a stage on this machine', () => {
  test('judges wrong answers where the traffic has outcomes, whatever else a file says', () => {
    expect(judged({ deadlineSeconds: 120 }, true)).toEqual(['server-errors', 'model-errors', 'latency', 'wrong-answers']);
    expect(judged({ deadlineSeconds: 120 }, false)).toEqual(['server-errors', 'model-errors', 'latency']);
  });
  test('judges what a file names, and nothing else', () => {
    expect(judged({ metrics: [{ id: 'latency', kind: 'latency' }] }, true)).toEqual(['latency']);
  });
});
