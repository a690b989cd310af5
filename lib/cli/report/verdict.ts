import type { Outcome } from '../../promotion';

/** A verdict as one sentence: what became of the candidate, when, and why. */
export function verdictSentence({ verdict, during, reason }: Pick<Outcome, 'verdict' | 'during' | 'reason'>): string {
  const when = verdict === 'promoted' ? '' : ` ${whenOf(during)}`;
  return `${verdict}${when}: ${reasonOf(reason)}`;
}

/** The reason without the verdicts of the judge that led to it: they are said once. */
export function reasonOf(reason: string): string {
  return reason
    .replace(/^(promoted|rolled back|held): /, '')
    .replace(/: (promoted|rolled back|held|invalid): /, ': ')
    .replace(/(not enough evidence[^:]*: )not enough evidence yet: /, '$1');
}

/** A step of the way, as it reads after a verdict. */
export function whenOf(during: string): string {
  if (during.startsWith('shadow')) return 'as a shadow';
  const others: Readonly<Record<string, string>> = {
    check: 'at the check',
    stage: 'before any traffic',
    'go live': 'on going live',
    approval: 'waiting for approval',
  };
  return others[during] ?? `at ${during} of the traffic`;
}
