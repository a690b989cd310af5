import { evaluate } from '../../../lib/judge';
import { type Entry, history, type Lock, lockKey, type Outcome, Store } from '../../../lib/promotion';
import { BUCKET, ENDPOINT, type World } from './world';

/** A candidate that ran, and whether it deserved to go live. */
export interface Ran {
  readonly version: string;
  readonly bad: boolean;
  readonly outcome: Outcome;
}

const SERVING = ['InService', 'Updating', 'RollingBack', 'SystemUpdating', 'UpdateRollbackFailed'];
/** Milliseconds that a weight takes to follow, with some room. */
const SETTLING = 60_000;

/** What was promised of promotions, held against what the endpoint, the record and the lock say. @returns what does not hold, in words */
export function violations(world: World, candidates: readonly Ran[]): Promise<string[]> {
  return world.spared(async () => [
    ...new Set([
      ...(await ofTheEnd(world, candidates)),
      ...ofTheWay(world, candidates),
      ...(await ofTheRecord(world, candidates)),
      ...(await ofTheNotices(world)),
    ]),
  ]);
}

async function ofTheEnd(world: World, candidates: readonly Ran[]): Promise<string[]> {
  const found: string[] = [];
  const end = await world.look();
  const promoted = candidates.filter(({ outcome }) => outcome.verdict === 'promoted').sort((a, b) => a.outcome.endedAt - b.outcome.endedAt);
  const live = promoted.at(-1)?.version ?? '1';
  if (end.status !== 'InService') found.push(`the endpoint ends ${end.status}`);
  if (end.shares[live] !== 100) found.push(`${live} should be live, and answers ${end.shares[live] ?? 0} % on ${end.config}`);
  if (promoted.length === 0 && end.config !== 'config-1') found.push(`nothing was promoted, but the endpoint serves ${end.config}`);
  for (const { version } of promoted.filter(({ bad }) => bad)) found.push(`${version} is bad and was promoted`);
  const left = [...(await world.configs()).filter((name) => name !== end.config && name !== 'config-1'), ...(await world.alarms())];
  // What may not be deleted stays; then the reason says so.
  const said = candidates.some(({ outcome }) => /could not be deleted/.test(outcome.reason));
  if (left.length > 0 && !said) found.push(`left behind: ${left.join(', ')}`);
  const lock = (await new Store(world.ports, BUCKET).read<Lock>(lockKey(ENDPOINT)))?.value;
  if (lock && lock.owner !== '') found.push(`the lock is still ${lock.owner}'s`);
  return found;
}

/** At every look: it serves, no candidate has more than its share, and no two are there at once. */
function ofTheWay(world: World, candidates: readonly Ran[]): string[] {
  const found: string[] = [];
  for (const look of world.looks) {
    if (!SERVING.includes(look.status)) found.push(`the endpoint was ${look.status}`);
    if (Object.values(look.shares).reduce((sum, one) => sum + one, 0) < 99.9) found.push(`requests had nowhere to go on ${look.config}`);
    const there = candidates.filter(
      ({ version, outcome }) => (look.shares[version] ?? 0) > 0 && (outcome.verdict !== 'promoted' || look.at < outcome.endedAt),
    );
    if (there.length > 1) found.push('two candidates answered at once');
    for (const { version, outcome } of there) {
      const share = look.shares[version];
      if (share > 50.01 && !/-(live|final)$/.test(look.config)) found.push(`${version} answered ${share} % on ${look.config}`);
      if (outcome.verdict !== 'promoted' && look.at > outcome.endedAt + SETTLING)
        found.push(`${version} was not promoted, and answered after the end`);
    }
  }
  return found;
}

async function ofTheRecord(world: World, candidates: readonly Ran[]): Promise<string[]> {
  const found: string[] = [];
  const store = new Store(world.ports, BUCKET);
  for (const key of (await store.list(`promotions/${ENDPOINT}/`)).filter((one) => one.includes('/record/'))) {
    const { verdict } = (await store.read<Entry>(key))!.value;
    if (verdict && evaluate(verdict.input).decision !== verdict.decision) found.push(`the verdict at ${key} cannot be recomputed`);
  }
  for (const { version, outcome } of candidates) {
    if (!outcome.reason) found.push(`${version} ended without a reason`);
    if (outcome.verdict === 'promoted' && !outcome.verdictKey && outcome.reason !== 'already live')
      found.push(`${version} was promoted without a verdict`);
  }
  return found;
}

/** Nobody was told of another end than the record holds: a run may die after it told. */
async function ofTheNotices(world: World): Promise<string[]> {
  const outcomes = await history(new Store(world.ports, BUCKET), ENDPOINT);
  return world.topic.told.flatMap(({ message }) => {
    const ended = outcomes.find(({ promotionId }) => promotionId === message.promotionId)?.verdict;
    const isEnd = ['promoted', 'rolled back', 'held'].includes(String(message.news));
    return isEnd && ended !== message.news ? [`${message.promotionId} was ${ended}, and told to be ${message.news}`] : [];
  });
}
