import { saying } from './aws-errors';
import { type Base, deleteConfiguration, deleteModel } from './configurations';
import { insist } from './durable';
import { look, towards, towardsShare } from './endpoint';
import { keepLock } from './lock';
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
  const problem = await settleOn(way, `go back to ${base.configName}`, base.configName);
  return problem === '' ? '' : `${request.endpointName} could not be taken back to ${base.configName}: ${problem}`;
}

/** Goes to a configuration however often it takes. @returns why it was given up; empty when it serves, or when another promotion has the endpoint */
export async function settleOn(way: UnderWay, name: string, target: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const moved = await change(way, `${name}, attempt ${attempt}`, 7200, (move) =>
      towards(way.ports, way.request.endpointName, target, undefined, 'of the target', move),
    );
    if (moved.state !== 'failed') return '';
    if (attempt === ATTEMPTS) return moved.reason;
    await way.context.wait(`before attempt ${attempt + 1} to ${name}`, { seconds: Math.min(300, 5 * attempt) });
  }
}

/**
 * Deletes what the promotion made and no longer serves; the old configuration last, and only if a promotion made it.
 *
 * @returns what could not be deleted, and why; empty when nothing is left
 */
export async function clean(way: UnderWay, base: Base | undefined, verdict: 'promoted' | 'rolled back'): Promise<string> {
  const { ports, store, request, names, run } = way;
  const made = [names.shadow, names.canary, names.live, names.final];
  try {
    await insist(way.context, 'clean up', async () => {
      // Whoever has taken over may by now want to go back to what this promotion made.
      if (!(await keepLock(ports, store, request, run))) return;
      const { configName } = await look(ports, request.endpointName);
      const old = base && /-[0-9a-f]{12}-final$/.test(base.configName) && verdict === 'promoted' ? [base.configName] : [];
      for (const name of [...made, ...old]) if (name !== configName) await deleteConfiguration(ports, name);
      if (verdict === 'rolled back' && !made.includes(configName)) await deleteModel(ports, names.model);
    });
    return '';
  } catch (error) {
    return `what the promotion made could not be deleted: ${saying(error)}`;
  }
}
