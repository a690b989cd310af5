import type { StagePlan } from './request';

const FIELDS: Readonly<Record<keyof StagePlan, true>> = {
  steps: true,
  metrics: true,
  profile: true,
  settings: true,
  binSeconds: true,
  tickSeconds: true,
  settleSeconds: true,
  baselineSeconds: true,
  deadlineSeconds: true,
  onDeadline: true,
  approval: true,
  approvalSeconds: true,
  candidateInstances: true,
  guardrail: true,
  whenBusy: true,
  artifact: true,
  updateSeconds: true,
};

const WORDS = {
  onDeadline: ['rollBack', 'hold', 'promote', 'ask'],
  approval: ['none', 'manual'],
  whenBusy: ['wait', 'supersede'],
} as const;

/** A plan with its defaults. */
type Filled = StagePlan &
  Required<Pick<StagePlan, keyof typeof WORDS | 'tickSeconds' | 'baselineSeconds' | 'approvalSeconds' | 'updateSeconds' | 'guardrail'>>;

/**
 * A plan comes as JSON too: a word or a name that is not known must not stand for the default, least of all where a person was to be asked.
 *
 * @throws Error that names the field, and what it may be
 */
export function checkFields(plan: Filled): void {
  const unknown = Object.keys(plan).find((name) => !(name in FIELDS));
  if (unknown !== undefined) throw new Error(`plan.${unknown} is not known; a plan has ${Object.keys(FIELDS).join(', ')}`);
  for (const [name, known] of Object.entries(WORDS)) {
    const word: string = plan[name as keyof typeof WORDS];
    if (!(known as readonly string[]).includes(word)) throw new Error(`plan.${name} must be ${known.join(' or ')}, got '${word}'`);
  }
  plan.steps.forEach(({ kind, bakeSeconds = 0 }, i) => {
    if (!['shadow', 'percent'].includes(kind)) throw new Error(`plan.steps[${i}].kind must be shadow or percent, got '${kind}'`);
    within(`steps[${i}].bakeSeconds`, bakeSeconds, 0);
  });
  const { canaryPercent = 1, waitSeconds = 0 } = plan.guardrail;
  // A lock that nobody keeps between two ticks is taken over after 15 minutes.
  within('tickSeconds', plan.tickSeconds, 1, 300);
  within('baselineSeconds', plan.baselineSeconds, 1);
  within('approvalSeconds', plan.approvalSeconds, 0);
  within('updateSeconds', plan.updateSeconds, 1);
  within('candidateInstances', plan.candidateInstances ?? 1, 1);
  within('guardrail.canaryPercent', canaryPercent, 1, 50);
  within('guardrail.waitSeconds', waitSeconds, 0, 3600);
}

function within(name: string, value: number, least: number, most = Number.POSITIVE_INFINITY): void {
  if (Number.isFinite(value) && value >= least && value <= most) return;
  throw new Error(`plan.${name} must be a number of at least ${least}${most < Infinity ? ` and at most ${most}` : ''}, got ${value}`);
}
