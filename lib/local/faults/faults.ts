import { random } from './random';
import type { ActiveFault, FaultKind, FaultPoint, FaultRule } from './rules';

interface Counted extends ActiveFault {
  matched: number;
  struck: number;
}

/** One call or moment, as an observer sees it. */
export interface Passed extends FaultPoint {
  /** The fault that struck there, if one did. */
  readonly fault?: FaultRule;
}

/** The rules in force, asked at every call and at every moment of a deployment. */
export class Faults {
  private rules: Counted[] = [];
  private readonly draw: () => number;
  private observer: ((passed: Passed) => void) | undefined;

  /**
   * @param rules in force from the start
   * @param seed of the generator behind `probability`: the same seed and the same calls give the same faults
   */
  constructor(rules: readonly FaultRule[] = [], seed = 1) {
    this.draw = random(seed);
    for (const rule of rules) this.add(rule);
  }

  /** Whether a rule or an observer is there at all: a hot path asks this first. */
  get active(): boolean {
    return this.rules.length > 0 || this.observer !== undefined;
  }

  /** @throws RangeError for a probability outside 0 to 1, or a count below 1 */
  add(rule: FaultRule): ActiveFault {
    const { probability = 1, nth = 1, times = 1 } = rule;
    if (!(probability >= 0 && probability <= 1)) throw new RangeError(`a fault's probability is between 0 and 1, got ${probability}`);
    if (!(nth >= 1 && times >= 1)) throw new RangeError(`a fault's nth and times count from 1, got nth ${nth}, times ${times}`);
    const counted: Counted = {
      rule,
      matched: 0,
      struck: 0,
      remove: () => {
        this.rules = this.rules.filter((other) => other !== counted);
      },
    };
    this.rules = [...this.rules, counted];
    return counted;
  }

  clear(): void {
    this.rules = [];
  }

  /** Is told of every call and moment as it passes; one observer at a time, undefined ends it. */
  observe(observer: ((passed: Passed) => void) | undefined): void {
    this.observer = observer;
  }

  /** The first rule that strikes here among those whose kind the caller can act on. */
  strike(point: FaultPoint, kinds: readonly FaultKind[]): FaultRule | undefined {
    let fault: FaultRule | undefined;
    for (const counted of this.rules) {
      if (!kinds.includes(counted.rule.kind) || !matches(counted.rule, point)) continue;
      counted.matched += 1;
      const { nth = 1, times = Number.POSITIVE_INFINITY, probability = 1 } = counted.rule;
      const inTurn = counted.matched >= nth && counted.matched < nth + times;
      if (fault !== undefined || !inTurn || (probability < 1 && this.draw() >= probability)) continue;
      counted.struck += 1;
      fault = counted.rule;
    }
    this.observer?.({ ...point, fault });
    return fault;
  }
}

function matches(rule: FaultRule, point: FaultPoint): boolean {
  return (
    (rule.service === undefined || rule.service === point.service) &&
    (rule.operation === undefined || rule.operation === point.operation) &&
    (rule.endpoint === undefined || rule.endpoint === point.endpoint) &&
    (rule.variant === undefined || rule.variant === point.variant) &&
    (rule.config === undefined || rule.config === point.config)
  );
}
