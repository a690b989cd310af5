import { type Duration, Token } from 'aws-cdk-lib/core';
import { type JudgeSettings, profile } from '../../judge';

/** What a template may set of the judge. */
interface TemplateSettings {
  readonly margin?: number;
  readonly latencyTolerance?: number;
  readonly leastSlowdown?: Duration;
  readonly falseRollback?: number;
  readonly falsePromotion?: number;
  readonly block?: Duration;
}

/** The settings' own names are those of the papers; these are the template's. */
const NAMES = {
  alpha: 'falseRollback',
  beta: 'falsePromotion',
  blockSeconds: 'block',
  leastSlowdownMilliseconds: 'leastSlowdown',
} as const;

/**
 * The judge's settings as a template gives them.
 *
 * @throws Error for a value out of its range, or not known at synth
 * @internal
 */
export function judgeSettings(given: TemplateSettings): Partial<JudgeSettings> {
  const { margin, latencyTolerance, leastSlowdown, falseRollback, falsePromotion, block } = given;
  const values = { margin, latencyTolerance, leastSlowdown, falseRollback, falsePromotion, block };
  const token = Object.entries(values).find(([, value]) => Token.isUnresolved(value));
  if (token) throw new Error(`${token[0]} of a judge must be written out: the judge is told of it when the stack is synthesised`);
  const settings = {
    margin,
    latencyTolerance,
    leastSlowdownMilliseconds: leastSlowdown?.toMilliseconds({ integral: false }),
    alpha: falseRollback,
    beta: falsePromotion,
    blockSeconds: block?.toSeconds(),
  };
  try {
    profile('standard', settings);
  } catch (error) {
    const message = Object.entries(NAMES).reduce(
      (text, [ours, theirs]) => text.replace(`'${ours}'`, `'${theirs}'`),
      (error as Error).message,
    );
    throw new Error(message);
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
