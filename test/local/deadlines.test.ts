import { Deadlines } from '../../lib/local/runtime/deadlines';

describe('deadlines', () => {
  it('tell of those that are missed, and of no other, whatever was met in between', async () => {
    const deadlines = new Deadlines();
    const told: string[] = [];
    const first = deadlines.start(0, () => told.push('first, which was met'));
    deadlines.met(first);
    await new Promise<void>((resolve) => {
      deadlines.start(0, () => {
        told.push('second');
        resolve();
      });
      // The place that the second now has was the first's: meeting that again must not end the second.
      deadlines.met(first);
      deadlines.start(60, () => told.push('third, which is not due'));
    });
    expect(told).toEqual(['second']);
  });
});
