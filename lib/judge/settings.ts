/** The ready-made settings, and the refusal of settings that mean nothing. */
import type { JudgeSettings, ProfileName } from './types';

/** Relative risks that are bet on. */
const EFFECTS = [1 / 5, 1 / 3, 1 / 2, 1 / 1.5, 1 / 1.25, 1, 1.25, 1.5, 2, 3, 5, 10, 25, 60];

const STANDARD: JudgeSettings = {
  alpha: 0.05,
  beta: 0.05,
  margin: 2,
  latencyTolerance: 0.1,
  leastSlowdownMilliseconds: 1,
  form: 'robust',
  correlation: 0.01,
  promotionCorrelation: 0.03,
  cap: 8,
  blockSeconds: 60,
  lateReserve: 0.05,
  effects: EFFECTS,
  rollbackWeights: [0, 0, 0, 0, 0, 0, 0.02, 0.12, 0.36, 0.18, 0.18, 0.1, 0.03, 0.01],
  promotionWeights: [0.05, 0.08, 0.1, 0.13, 0.16, 0.26, 0.14, 0.08, 0, 0, 0, 0, 0, 0],
  guardAlpha: 0.001,
  shareTolerance: 0.05,
  settleSeconds: 0,
  staleAfterSeconds: 900,
};

const PROFILES: Readonly<Record<ProfileName, JudgeSettings>> = { standard: STANDARD, plain: { ...STANDARD, form: 'plain' } };

/**
 * The settings of a profile, with overrides, checked.
 * `standard` allows for bursts of errors; `plain` takes each bad request as independent of the others: faster, and wrong where they are not.
 * @throws Error that names the setting, the value given and the range
 */
export function profile(name: ProfileName = 'standard', overrides: Partial<JudgeSettings> = {}): JudgeSettings {
  const base = Object.hasOwn(PROFILES, name) ? PROFILES[name] : undefined;
  if (base === undefined) throw new Error(`unknown profile '${name}'; known are ${Object.keys(PROFILES).join(', ')}`);
  if (typeof overrides !== 'object' || overrides === null) throw new Error(`settings must be an object, not ${String(overrides)}`);
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(base, key)) throw new Error(`unknown setting '${key}'; known are ${Object.keys(base).join(', ')}`);
    if (value !== undefined) merged[key] = value;
  }
  const settings = merged as unknown as JudgeSettings;
  check(settings);
  return settings;
}

function check(settings: JudgeSettings): void {
  for (const key of ['alpha', 'beta', 'guardAlpha'] as const) within(key, settings[key], 'above 0 and below 1', (x) => x > 0 && x < 1);
  for (const key of ['margin', 'cap'] as const) within(key, settings[key], 'above 1', (x) => x > 1 && x < Infinity);
  for (const key of ['correlation', 'promotionCorrelation'] as const) within(key, settings[key], 'from 0 to 1', (x) => x >= 0 && x <= 1);
  within('blockSeconds', settings.blockSeconds, 'above 0', (x) => x > 0 && x < Infinity);
  within('lateReserve', settings.lateReserve, 'at least 0 and below 1', (x) => x >= 0 && x < 1);
  for (const key of ['latencyTolerance', 'leastSlowdownMilliseconds', 'shareTolerance', 'settleSeconds', 'staleAfterSeconds'] as const) {
    within(key, settings[key], 'a number of at least 0', (x) => x >= 0 && x < Infinity);
  }
  if (settings.form !== 'robust' && settings.form !== 'plain') {
    throw new Error(`setting 'form' must be 'robust' or 'plain', not '${String(settings.form)}'`);
  }
  const { effects, rollbackWeights } = settings;
  if (!Array.isArray(effects) || !effects.every((r, k) => r > (effects[k - 1] ?? 0) && r < Infinity)) {
    throw new Error(`setting 'effects' must be positive and increasing, not ${Array.isArray(effects) ? effects.join(', ') : effects}`);
  }
  checkWeights('rollbackWeights', rollbackWeights, effects, (r) => r > 1, 'above 1');
  checkMargin(settings, settings.margin);
}

/** Refuses a margin below which no effect has weight for promotion. */
export function checkMargin({ effects, promotionWeights }: JudgeSettings, margin: number): void {
  checkWeights('promotionWeights', promotionWeights, effects, (r) => r < margin, `below the margin ${margin}`);
}

function checkWeights(key: string, weights: readonly number[], effects: readonly number[], used: (r: number) => boolean, which: string) {
  if (weights?.length !== effects.length) {
    throw new Error(`setting '${key}' must have one weight for each of the ${effects.length} effects, not ${weights?.length ?? 'none'}`);
  }
  for (const weight of weights) within(key, weight, 'at least 0', (x) => x >= 0 && x < Infinity);
  if (!effects.some((r, k) => used(r) && weights[k]! > 0)) throw new Error(`setting '${key}' gives no weight to an effect ${which}`);
}

function within(key: string, value: unknown, range: string, holds: (x: number) => boolean): void {
  if (typeof value !== 'number' || !holds(value)) throw new Error(`setting '${key}' must be ${range}, not ${String(value)}`);
}
