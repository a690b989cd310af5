import { LocalClock } from '../../lib/local/clock';

describe('a clock that stands still', () => {
  const start = Date.UTC(2026, 0, 1);

  it('moves only by jumps, and runs what falls due on the way in order of its time', async () => {
    const clock = new LocalClock({ start, speed: 0 });
    const seen: string[] = [];
    clock.schedule(2000, () => seen.push(`second ${clock.now() - start}`));
    clock.schedule(1000, () => seen.push(`first ${clock.now() - start}`));
    clock.schedule(9000, () => seen.push('too early'));
    await clock.jump(5000);
    expect(seen).toEqual(['first 1000', 'second 2000']);
    expect(clock.now()).toBe(start + 5000);
  });

  it('runs what was scheduled by something that fell due in the same jump', async () => {
    const clock = new LocalClock({ start, speed: 0 });
    const ticks: number[] = [];
    const tick = () => {
      ticks.push(clock.now() - start);
      clock.schedule(1000, tick);
    };
    clock.schedule(1000, tick);
    await clock.jump(3500);
    expect(ticks).toEqual([1000, 2000, 3000]);
  });

  it('does not overtake work in real time', async () => {
    const clock = new LocalClock({ start, speed: 0 });
    let loadedAt: number | undefined;
    clock.schedule(1000, () => {
      void clock.during(new Promise((resolve) => setTimeout(resolve, 30))).then(() => {
        loadedAt = clock.now() - start;
      });
    });
    await clock.jump(60_000);
    expect(loadedAt).toBe(1000);
  });

  it('does not run what was cancelled', async () => {
    const clock = new LocalClock({ start, speed: 0 });
    const action = jest.fn();
    clock.schedule(10, action).cancel();
    await clock.jump(100);
    expect(action).not.toHaveBeenCalled();
  });

  it('ends a sleep early when its signal is aborted', async () => {
    const clock = new LocalClock({ start, speed: 0 });
    const abort = new AbortController();
    const sleep = clock.sleep(1000, abort.signal);
    abort.abort(new Error('no longer'));
    await expect(sleep).rejects.toThrow('no longer');
  });
});

describe('a clock that runs fast', () => {
  it('sleeps a minute in a thousandth of it', async () => {
    const clock = new LocalClock({ speed: 100_000 });
    const before = clock.now();
    await clock.sleep(60_000);
    expect(clock.now() - before).toBeGreaterThanOrEqual(60_000);
    clock.close();
  });

  it('keeps the time when its speed changes', () => {
    const clock = new LocalClock({ start: 1_000_000, speed: 0 });
    clock.speed = 1;
    expect(clock.now() - 1_000_000).toBeLessThan(1000);
    clock.close();
  });
});

it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a speed of %d', (speed) => {
  expect(() => new LocalClock({ speed })).toThrow(`a clock's speed is 0 or a positive number, got ${speed}`);
});

it('refuses to jump back', async () => {
  await expect(new LocalClock({ speed: 0 }).jump(-1)).rejects.toThrow('a jump is ahead by a finite time, got -1 ms');
});
