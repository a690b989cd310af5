/** How bursty errors are, learnt from instances that run the same version. */

/** One bin of two or more instances of the same version. */
export interface InstanceBin {
  /** Requests of each instance. */
  readonly requests: readonly number[];
  /** Bad requests of each, in the same order. */
  readonly bad: readonly number[];
}

/** An estimate of the correlation, and what it rests on. */
export interface Calibration {
  /** The intra-class correlation, at least 0. */
  readonly correlation: number;
  /** A value that the true correlation exceeds with a probability of about 5 %: the one to set. */
  readonly upper: number;
  /** Bins with two or more bad events, and their bad events. */
  readonly bins: number;
  readonly events: number;
}

/**
 * A/A calibration. Were bad events independent, Pearson's X^2 of a bin's E events over its J instances would have mean J - 1; with an intra-class
 * correlation iota it has (J - 1)(1 + iota (E - 1)). So iota = sum(X^2 - (J - 1)) / sum((J - 1)(E - 1)); with one bin and two instances that is
 * [s^2 / (E theta (1 - theta)) - 1] / (E - 1). Its standard error is taken from how the bins scatter.
 * @param bins of instances behind the same traffic split; thirty with bad events are a start
 * @throws Error when fewer than two bins have two or more bad events, or counts make no sense
 */
export function calibrateCorrelation(bins: readonly InstanceBin[]): Calibration {
  const excess: number[] = [];
  const leverage: number[] = [];
  let events = 0;
  for (const [i, { requests, bad }] of bins.entries()) {
    if (requests.length < 2 || requests.length !== bad.length) {
      throw new Error(
        `calibration, bin ${i}: ${requests.length} requests and ${bad.length} bad counts; give both for two or more instances`,
      );
    }
    for (const [j, count] of bad.entries()) {
      const of = requests[j]!;
      if (!(Number.isSafeInteger(count) && Number.isSafeInteger(of) && count >= 0 && count <= of)) {
        throw new Error(`calibration, bin ${i}, instance ${j}: ${count} bad of ${of} requests; counts must be whole, and bad at most all`);
      }
    }
    const served = requests.filter((count) => count > 0).length;
    const total = requests.reduce((sum, count) => sum + count, 0);
    const inBin = bad.reduce((sum, count) => sum + count, 0);
    if (served < 2 || inBin < 2) continue;
    let chiSquare = 0;
    for (const [j, count] of bad.entries()) {
      const expected = (inBin * requests[j]!) / total;
      if (expected > 0) chiSquare += (count - expected) ** 2 / expected;
    }
    excess.push(chiSquare - (served - 1));
    leverage.push((served - 1) * (inBin - 1));
    events += inBin;
  }
  if (excess.length < 2) {
    throw new Error(`calibration: ${excess.length} of ${bins.length} bins have two or more bad events; two are the least, thirty a start`);
  }
  const whole = leverage.reduce((sum, value) => sum + value, 0);
  const raw = excess.reduce((sum, value) => sum + value, 0) / whole;
  const scatter = excess.reduce((sum, value, i) => sum + (value - raw * leverage[i]!) ** 2, 0);
  const standardError = Math.sqrt((scatter * excess.length) / (excess.length - 1)) / whole;
  const clamp = (value: number) => Math.min(1, Math.max(0, value));
  return { correlation: clamp(raw), upper: clamp(raw + 1.645 * standardError), bins: excess.length, events };
}
