import { hasReleased, releaseScaling } from './autoscaling';
import { isTransient, saying } from './aws-errors';
import { isPlain, readBase } from './configurations';
import { abortOf, say } from './controls';
import { insist } from './durable';
import { isSettled, look, towardsShare } from './endpoint';
import { type Left, NOTHING_LEFT, takeLock } from './lock';
import { type Entry, recordKey } from './record';
import type { PromotionRequest } from './request';
import type { Store } from './store';
import { change, mustBeDone, type UnderWay, Withdrawal } from './under-way';
import { clear, scaleAgain, settleOn } from './way-back';

const DURING = 'wait';
/** Tries to mend, minutes in all: the first may only see how an update ended that the dead one had begun. */
const MENDINGS = 10;

/**
 * One promotion an endpoint: waits for the one under way, or has it give way.
 *
 * @returns what a promotion that died left half way
 * @throws Withdrawal where the turn does not come
 */
export async function waitForTurn(way: UnderWay): Promise<Left> {
  const { ports, store, request, run, startedAt } = way;
  const { plan, endpointName, promotionId } = request;
  const patience = plan.deadlineSeconds * 1000;
  const turn = await way.context.waitForCondition(
    'wait for the turn',
    async (state: { held: boolean; owner: string; left: Left; problem: string; aborted: string }) => {
      const isLate = ports.now() - startedAt > patience;
      try {
        const found = await takeLock(ports, store, request, run);
        const isOther = found.owner !== '' && found.owner !== promotionId && found.owner !== state.owner;
        if (!found.held && isOther && plan.whenBusy === 'supersede') {
          const [older, newer] = await byAge(store, request, startedAt, found.owner);
          await say(ports, store, endpointName, older, { command: 'abort', by: 'the stage', reason: `${newer} is newer` });
        }
        const aborted = found.held ? '' : await abortOf(store, request);
        // Another run under this id is this promotion: how it ends is its to say.
        const isOver = !found.held && isLate && found.owner !== promotionId;
        return { ...found, aborted, problem: isOver ? `${found.owner} had the endpoint for ${patience / 1000} s` : '' };
      } catch (error) {
        return { ...state, problem: isLate || !isTransient(error) ? `the lock could not be taken: ${saying(error)}` : '' };
      }
    },
    {
      initialState: { held: false, owner: '', left: NOTHING_LEFT, problem: '', aborted: '' },
      waitStrategy: (state) =>
        state.held || state.problem !== '' || state.aborted !== ''
          ? { shouldContinue: false }
          : { shouldContinue: true, delay: { seconds: plan.tickSeconds } },
    },
  );
  if (turn.aborted !== '') throw new Withdrawal('rolled back', turn.aborted, DURING, '', true);
  if (!turn.held) throw new Withdrawal('held', turn.problem, DURING, '', true);
  return turn.left;
}

/** This promotion and the one that has the endpoint, by id, the older first. */
async function byAge(store: Store, { endpointName, promotionId }: PromotionRequest, startedAt: number, owner: string): Promise<string[]> {
  const begun = await store.read<Entry>(recordKey(endpointName, owner, '000-begin'));
  return begun !== undefined && begun.value.at > startedAt ? [promotionId, owner] : [owner, promotionId];
}

/**
 * Takes the endpoint back from a promotion that died half way: off the traffic first, then what it had found; then what it made goes. One that promoted, and could not
 * take its candidate variant out, is ended likewise.
 *
 * @returns what could not be cleared away
 * @throws Withdrawal where the endpoint cannot be taken back
 */
export async function mend(way: UnderWay, left: Left): Promise<string> {
  const { ports, store, request } = way;
  const { endpointName } = request;
  const isWhole = await insist(way.context, 'look at what was abandoned', async () => {
    const sight = await look(ports, endpointName);
    return isSettled(sight) && sight.status === 'InService' && (await isPlain(ports, sight.configName));
  });
  if (!isWhole) {
    const base = await insist(way.context, 'read what was abandoned', () => readBase(ports, left.base));
    await change(way, 'take the abandoned candidate off the traffic', 600, (move) =>
      towardsShare(ports, endpointName, base.variant.VariantName!, 0, move),
    );
    const whose = { endpointName, promotionId: left.of };
    await insist(way.context, 'take what was abandoned off scaling', async () => {
      if (await hasReleased(store, whose)) await releaseScaling(ports, store, whose, base.variant.VariantName!);
    });
    const moved = await settleOn(way, `go back to the abandoned ${left.base}`, left.base, MENDINGS);
    mustBeDone(moved, 'the endpoint was left half way by another promotion and could not be mended', DURING);
  }
  const unscaled = await scaleAgain(way, 'scale what was abandoned', left.of);
  const uncleared = await clear(way, 'clear what was abandoned', left);
  return [unscaled, uncleared].filter((problem) => problem !== '').join('; ');
}
