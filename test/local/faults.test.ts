import { Faults } from '../../lib/local/faults';

const call = { service: 'SageMaker', operation: 'UpdateEndpoint' };

it('strikes from the nth matching call on, as many times as the rule says', () => {
  const faults = new Faults([{ operation: 'UpdateEndpoint', kind: 'throttle', nth: 2, times: 2 }]);
  const struck = [1, 2, 3, 4].map(() => faults.strike(call, ['throttle'])?.kind);
  expect(struck).toEqual([undefined, 'throttle', 'throttle', undefined]);
});

it('leaves calls alone that do not match', () => {
  const faults = new Faults([{ service: 'SageMaker', operation: 'UpdateEndpoint', endpoint: 'a', kind: 'error' }]);
  expect(faults.strike({ ...call, operation: 'DescribeEndpoint', endpoint: 'a' }, ['error'])).toBeUndefined();
  expect(faults.strike({ ...call, endpoint: 'b' }, ['error'])).toBeUndefined();
  expect(faults.strike({ ...call, endpoint: 'a' }, ['error'])).toBeDefined();
});

it('does not use up a rule where its kind cannot act', () => {
  const faults = new Faults([{ kind: 'capacity', times: 1 }]);
  expect(faults.strike(call, ['throttle', 'error'])).toBeUndefined();
  expect(faults.strike({ ...call, operation: 'StartInstances' }, ['capacity'])?.kind).toBe('capacity');
});

it('gives the same faults for the same seed', () => {
  const draw = (seed: number) => {
    const faults = new Faults([{ kind: 'error', probability: 0.5 }], seed);
    return Array.from({ length: 64 }, () => (faults.strike(call, ['error']) === undefined ? '.' : 'x')).join('');
  };
  expect(draw(7)).toBe(draw(7));
  expect(draw(7)).not.toBe(draw(8));
  expect(draw(7)).toMatch(/x.*\..*x/);
});

it('tells an observer every call, and what struck it', () => {
  const faults = new Faults([{ kind: 'error', nth: 2, times: 1 }]);
  const seen: string[] = [];
  faults.observe(({ operation, fault }) => seen.push(`${operation} ${fault?.kind ?? 'passed'}`));
  faults.strike(call, ['error']);
  faults.strike(call, ['error']);
  expect(seen).toEqual(['UpdateEndpoint passed', 'UpdateEndpoint error']);
});

it('counts matches and strikes, and strikes no more once removed', () => {
  const faults = new Faults();
  const fault = faults.add({ kind: 'throttle', nth: 2 });
  faults.strike(call, ['throttle']);
  faults.strike(call, ['throttle']);
  expect(fault).toMatchObject({ matched: 2, struck: 1 });
  fault.remove();
  expect(faults.active).toBe(false);
});

it.each([
  [{ kind: 'error', probability: 1.5 }, "a fault's probability is between 0 and 1, got 1.5"],
  [{ kind: 'error', nth: 0 }, "a fault's nth and times count from 1, got nth 0, times 1"],
] as const)('refuses the rule %j', (rule, message) => {
  expect(() => new Faults([rule])).toThrow(message);
});
