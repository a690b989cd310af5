import type { Ports } from './ports';
import { promotionPrefix } from './record';
import type { PromotionRequest } from './request';
import type { Store } from './store';

/** What a person may say while a promotion is under way. */
export type Command = 'pause' | 'resume' | 'approve' | 'abort' | 'extend';

/** One word said, kept for ever beside the record. */
export interface Control {
  readonly command: Command;
  /** Who said it. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reason?: string;
  /** For `extend`: seconds that the deadline moves on. */
  readonly seconds?: number;
}

/** All words so far, folded. */
export interface Said {
  readonly paused: boolean;
  readonly approvedBy: string;
  readonly aborted: string;
  /** By which the deadline moves on: what was granted, and the time between each pause and its resume. */
  readonly extraSeconds: number;
}

interface Folded extends Said {
  /** Milliseconds since 1970 of the last pause. */
  readonly pausedAt: number;
}

const controlsPrefix = (endpointName: string, promotionId: string): string => `${promotionPrefix(endpointName, promotionId)}controls/`;

/** Says something to a promotion. Nothing said before is overwritten. */
export async function say(
  ports: Pick<Ports, 'now'>,
  store: Store,
  endpointName: string,
  promotionId: string,
  control: Omit<Control, 'at'>,
): Promise<void> {
  const at = ports.now();
  const stamp = String(at).padStart(15, '0');
  for (let i = 0; ; i++) {
    if (await store.create(`${controlsPrefix(endpointName, promotionId)}${stamp}-${i}-${control.command}.json`, { ...control, at })) return;
  }
}

/** What was said so far: the last of pause and resume counts, an approval or an abort stands. */
export async function heard(store: Store, endpointName: string, promotionId: string): Promise<Said> {
  const nothing: Folded = { paused: false, pausedAt: 0, approvedBy: '', aborted: '', extraSeconds: 0 };
  return (await words(store, endpointName, promotionId)).reduce(fold, nothing);
}

/** Who aborted a promotion, and why; empty where nobody did. */
export const abortOf = async (store: Store, { endpointName, promotionId }: Pick<PromotionRequest, 'endpointName' | 'promotionId'>) =>
  (await heard(store, endpointName, promotionId)).aborted;

/** Every word that was said, in order. */
export async function words(store: Store, endpointName: string, promotionId: string): Promise<Control[]> {
  const said: Control[] = [];
  for (const key of await store.list(controlsPrefix(endpointName, promotionId))) {
    const control = (await store.read<Control>(key))?.value;
    if (control) said.push(control);
  }
  return said;
}

function fold(said: Folded, { command, by, at, reason, seconds }: Control): Folded {
  switch (command) {
    case 'pause':
      return said.paused ? said : { ...said, paused: true, pausedAt: at };
    case 'resume':
      return said.paused ? { ...said, paused: false, extraSeconds: said.extraSeconds + (at - said.pausedAt) / 1000 } : said;
    case 'approve':
      return { ...said, approvedBy: by };
    case 'abort':
      return { ...said, aborted: `aborted by ${by}${reason ? `: ${reason}` : ''}` };
    case 'extend':
      return { ...said, extraSeconds: said.extraSeconds + (seconds ?? 0) };
  }
}
