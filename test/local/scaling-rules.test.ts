import { parseCron } from '../../lib/local/scaling/cron';
import { steppedInstances } from '../../lib/local/scaling/step-scaling';

test.each([
  ['PercentChangeInCapacity', 50, 3, 4],
  ['PercentChangeInCapacity', 10, 3, 4],
  ['PercentChangeInCapacity', -10, 3, 2],
  ['PercentChangeInCapacity', -67, 10, 4],
  ['ExactCapacity', 7, 3, 7],
  ['ChangeInCapacity', -2, 3, 1],
] as const)('%s of %d makes of %d instances %d', (AdjustmentType, ScalingAdjustment, before, after) => {
  expect(steppedInstances({ AdjustmentType, StepAdjustments: [{ ScalingAdjustment }] }, 5, before)).toBe(after);
});

test.each([
  ['0/15 8-9 ? JAN 2#1 *', '2026-01-05T08:45', true],
  ['0/15 8-9 ? JAN 2#1 *', '2026-01-12T08:45', false],
  ['0/15 8-9 ? JAN 2#1 *', '2026-01-05T08:40', false],
  ['0 0 L 2 ? 2028', '2028-02-29T00:00', true],
  ['0 0 ? * 6L *', '2026-01-30T00:00', true],
  ['0 0 ? * 6L *', '2026-01-23T00:00', false],
  ['0 0 1W * ? *', '2026-08-03T00:00', true],
  ['5,10 */6 ? * SUN,SAT *', '2026-01-04T18:10', true],
])('cron(%s) fits %s: %s', (text, at, fits) => {
  const [year, month, day, hour, minute] = at.split(/[-T:]/).map(Number);
  expect(parseCron(text)({ year, month, day, hour, minute })).toBe(fits);
});
