/** The rules that canaries are judged by elsewhere, each from its own documentation. All see one data point a minute. */

/** What a rule sees of one minute. */
export interface Minute {
  readonly candidateRequests: number;
  readonly baselineRequests: number;
  /** Error cells: bad requests in per cent; latency cells: the p99 in milliseconds. 0 where there were no requests. */
  readonly candidateValue: number;
  readonly baselineValue: number;
}

/** A rule: fed with minutes, it says when it would roll back. Anything not rolled back at the end is promoted by all of them. */
export interface Rule {
  /** True when the canary is to be rolled back now. */
  sees(minute: Minute): boolean;
}

/**
 * A CloudWatch alarm on the new fleet, as SageMaker's deployment guardrails use it: so many consecutive one-minute values at or above the threshold;
 * missing data does not breach. docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
 */
export function staticAlarm(threshold: number, consecutive: number): Rule {
  let breaching = 0;
  return {
    sees({ candidateRequests, candidateValue }) {
      breaching = candidateRequests > 0 && candidateValue >= threshold ? breaching + 1 : 0;
      return breaching >= consecutive;
    },
  };
}

/**
 * Flagger: every interval the value must lie within its threshold range; a failed check counts, also when there is no value, and the count is never
 * taken back; at the threshold the canary is rolled back. docs.flagger.app/usage/how-it-works, deployment-strategies; defaults of its examples.
 */
export function flagger(most: number, threshold = 5): Rule {
  let failedChecks = 0;
  return {
    sees({ candidateRequests, candidateValue }) {
      if (candidateRequests === 0 || candidateValue > most) failedChecks++;
      return failedChecks >= threshold;
    },
  };
}

/** Settings of Kayenta's NetflixACAJudge-v1.0. */
const CONFIDENCE_Z = 2.3263478740408408;
const TOLERANCE = 0.25;
const BRENT_TOLERANCE = 1e-4;

/**
 * Kayenta's judge for one metric that must not increase, missing values replaced by 0: a Mann-Whitney test at 98 % over a growing window, "High" when
 * the lower end of the interval for the shift exceeds a quarter of its estimate and the ratio of means is not below 1. It is asked every `interval`
 * minutes; its documentation recommends at least 30, and 50 data points. github.com/spinnaker/kayenta, kayenta-judge and kayenta-mannwhitney
 */
export function kayenta(interval: number, direction: 'increase' | 'either' = 'increase'): Rule {
  const candidate: number[] = [];
  const baseline: number[] = [];
  const sums = [0, 0];
  return {
    sees(minute) {
      insert(candidate, minute.candidateValue);
      insert(baseline, minute.baselineValue);
      sums[0]! += minute.candidateValue;
      sums[1]! += minute.baselineValue;
      if (candidate.length % interval !== 0) return false;
      if (candidate[0] === candidate.at(-1) && candidate[0] === baseline[0] && baseline[0] === baseline.at(-1)) return false;
      const ratio = sums[0]! / sums[1]!;
      if (!(ratio < 1) && isHigh(candidate, baseline)) return true;
      return direction === 'either' && !(ratio > 1) && isLow(candidate, baseline);
    },
  };
}

function isHigh(x: readonly number[], y: readonly number[]): boolean {
  // The lower end exceeds a quarter of |estimate| only if it exceeds 0, so only if the statistic at no shift does.
  if (statistic(x, y, 0) <= CONFIDENCE_Z) return false;
  return rootOf(x, y, CONFIDENCE_Z) > TOLERANCE * Math.abs(rootOf(x, y, 0));
}

function isLow(x: readonly number[], y: readonly number[]): boolean {
  if (statistic(x, y, 0) >= -CONFIDENCE_Z) return false;
  return rootOf(x, y, -CONFIDENCE_Z) < -TOLERANCE * Math.abs(rootOf(x, y, 0));
}

/** The standardised rank sum of x - shift among y, with its corrections for continuity and ties. Both are sorted. */
function statistic(x: readonly number[], y: readonly number[], shift: number): number {
  const n = x.length;
  const m = y.length;
  let rankSum = 0;
  let ties = 0;
  let rank = 0;
  for (let i = 0, j = 0; i < n || j < m; ) {
    const value = i < n && (j >= m || x[i]! - shift <= y[j]!) ? x[i]! - shift : y[j]!;
    let fromX = 0;
    let fromY = 0;
    for (; i < n && x[i]! - shift === value; i++) fromX++;
    for (; j < m && y[j]! === value; j++) fromY++;
    const equal = fromX + fromY;
    rankSum += fromX * (rank + (equal + 1) / 2);
    ties += equal ** 3 - equal;
    rank += equal;
  }
  const off = rankSum - (n * (n + 1)) / 2 - (n * m) / 2;
  const deviation = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
  return deviation === 0 ? 0 : (off - Math.sign(off) * 0.5) / deviation;
}

/** The shift at which the statistic reaches z, to Kayenta's tolerance; an end of the range of shifts where it never does. */
function rootOf(x: readonly number[], y: readonly number[], z: number): number {
  let low = x[0]! - y.at(-1)!;
  let high = x.at(-1)! - y[0]!;
  if (statistic(x, y, low) - z <= 0) return low;
  if (statistic(x, y, high) - z >= 0) return high;
  while (high - low > BRENT_TOLERANCE) {
    const middle = (low + high) / 2;
    if (statistic(x, y, middle) - z > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function insert(sorted: number[], value: number): void {
  let at = sorted.length;
  while (at > 0 && sorted[at - 1]! > value) at--;
  sorted.splice(at, 0, value);
}
