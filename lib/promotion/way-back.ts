import { restoreScaling } from './autoscaling';
import { saying } from './aws-errors';
import { type Base, deleteConfiguration, deleteModel, namesOf } from './configurations';
import { insist } from './durable';
import { look, type Move, towards, towardsShare } from './endpoint';
import { deleteGuardrailAlarms } from './guardrail-alarms';
import { keepLock, type Left } from './lock';
import { change, type UnderWay } from './under-way';

/** Tries to leave a state that must not last, minutes apart: hours in all. */
const ATTEMPTS = 100;

/**
 * The way back, insisted on: off the traffic first, then what was live before, then what is left over.
 *
 * @returns what stands in the way; empty when the endpoint serves what it served before
 */
export async function goBack(way: UnderWay, base: Base): Promise<string> {
  const { ports, request } = way;
  const off = await change(way, 'take the candidate off the traffic', 600, (move) =>
    towardsShare(ports, request.endpointName, base.variant.VariantName!, 0, move),
  );
  if (off.state === 'lost') return '';
  const { state, reason } = await settleOn(way, `go back to ${base.configName}`, base.configName);
  return state === 'failed' ? `${request.endpointName} could not be taken back to ${base.configName}: ${reason}` : '';
}

/** Goes to a configuration however often it takes. @returns `failed` where it was given up */
export async function settleOn(way: UnderWay, name: string, target: string, attempts = ATTEMPTS): Promise<Move> {
  for (let attempt = 1; ; attempt++) {
    const moved = await change(way, `${name}, attempt ${attempt}`, 7200, (move) =>
      towards(way.ports, way.request.endpointName, target, undefined, ['DesiredWeight'], move),
    );
    if (moved.state !== 'failed' || attempt === attempts) return moved;
    await way.context.wait(`before attempt ${attempt + 1} to ${name}`, { seconds: Math.min(300, 5 * attempt) });
  }
}

/**
 * Deletes what a promotion made and no longer serves; the configuration that it came from last, and only if a promotion made that and it is left for good.
 *
 * @returns what could not be deleted, and why; empty when nothing is left
 */
export async function clear(way: UnderWay, name: string, left: Left): Promise<string> {
  const { ports, store, request, run } = way;
  const { endpointName } = request;
  const names = namesOf({ endpointName, promotionId: left.of });
  const made = [names.shadow, names.shadow2, names.canary, names.live, names.final];
  const problems = [await disarm(way, name, left.of)];
  try {
    await insist(way.context, name, async () => {
      // Whoever has taken over may by now want to go back to what this promotion made.
      if (!(await keepLock(ports, store, request, run))) return;
      const { configName } = await look(ports, endpointName);
      const isLive = configName === names.live || configName === names.final;
      const old = isLive && /-[0-9a-f]{12}-final$/.test(left.base) ? [left.base] : [];
      for (const one of [...made, ...old]) if (one !== configName) await deleteConfiguration(ports, one);
      if (!made.includes(configName)) await deleteModel(ports, names.model);
    });
  } catch (error) {
    problems.push(`what the promotion ${left.of} made could not be deleted: ${saying(error)}`);
  }
  return problems.filter((problem) => problem !== '').join('; ');
}

/** Deletes the alarms alone, where all else must stay. @returns why they could not be; empty when they are gone */
export async function disarm({ context, ports, request }: UnderWay, name: string, promotionId: string): Promise<string> {
  try {
    const names = namesOf({ endpointName: request.endpointName, promotionId });
    await insist(context, `${name}: alarms`, () => deleteGuardrailAlarms(ports, names));
    return '';
  } catch (error) {
    return `the alarms of the promotion ${promotionId} could not be deleted: ${saying(error)}`;
  }
}

/** Puts back what scaled the live variant before a promotion. @returns why it could not be; empty when it scales as before */
export async function scaleAgain({ context, ports, store, request }: UnderWay, name: string, promotionId: string): Promise<string> {
  try {
    await insist(context, name, () => restoreScaling(ports, store, { endpointName: request.endpointName, promotionId }));
    return '';
  } catch (error) {
    return `the scaling from before the promotion ${promotionId}, kept as scaling.json beside its record, could not be put back: ${saying(error)}`;
  }
}
