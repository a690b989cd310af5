import type { DurableContext } from '@aws/durable-execution-sdk-js';
import type { WholeRequest } from './checked-request';
import type { namesOf } from './configurations';
import { reach } from './durable';
import type { Move } from './endpoint';
import { keepLock } from './lock';
import type { Ports } from './ports';
import type { Store } from './store';

/** One promotion that is being run: what every part of it is given. */
export interface UnderWay {
  readonly ports: Ports;
  readonly store: Store;
  readonly request: WholeRequest;
  readonly context: DurableContext;
  /** The durable execution: tells apart two runs under one id. */
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly names: ReturnType<typeof namesOf>;
}

/** Why a candidate does not go live, and where that was seen. */
export class Withdrawal extends Error {
  /** @param lost whether another promotion has the endpoint, so that nothing may be changed any more */
  constructor(
    readonly verdict: 'rolled back' | 'held',
    reason: string,
    readonly during: string,
    readonly verdictKey = '',
    readonly lost = false,
  ) {
    super(reason);
  }
}

/** A change of the endpoint, made only while the lock is held. */
export function change(way: UnderWay, name: string, withinSeconds: number, push: (move: Move) => Promise<Move>): Promise<Move> {
  const { ports, store, request, run } = way;
  const everySeconds = Math.min(15, request.plan.tickSeconds);
  return reach(way.context, ports, name, { everySeconds, withinSeconds }, async (move) => {
    if (!(await keepLock(ports, store, request, run)))
      return { ...move, state: 'lost', reason: 'another promotion has taken the endpoint over' };
    return push(move);
  });
}

/** @throws Withdrawal unless the change was made */
export function mustBeDone(moved: Move, otherwise: string, during: string): void {
  if (moved.state !== 'done') throw new Withdrawal('rolled back', `${otherwise}: ${moved.reason}`, during, '', moved.state === 'lost');
}
