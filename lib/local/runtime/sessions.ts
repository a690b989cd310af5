import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock';
import { validationError } from './errors';
import type { Route } from './route';
import type { RunningVariant } from './running-variant';

const SESSION_SECONDS = 1200;

/** The value of the session header that asks for a new one. */
const NEW_SESSION = 'NEW_SESSION';

interface Session {
  readonly variant: RunningVariant;
  readonly expires: number;
}

/** Stateful sessions: the requests of one go to one variant. */
export class Sessions {
  private readonly open = new Map<string, Session>();

  constructor(private readonly clock: Clock) {}

  /**
   * The variant of a session.
   *
   * @returns undefined where none or a new session is asked for
   * @throws ServiceError ValidationError where there is no such session, it is over, or its variant is gone
   */
  variantOf(sessionId: string | undefined, route: Route): RunningVariant | undefined {
    if (sessionId === undefined || sessionId === NEW_SESSION) return undefined;
    const session = this.open.get(sessionId);
    if (session === undefined || session.expires <= this.clock.now() || !route.arms.some(({ variant }) => variant === session.variant)) {
      this.open.delete(sessionId);
      throw validationError(`there is no open session ${sessionId}: open one with ${NEW_SESSION}`);
    }
    return session.variant;
  }

  /** Opens a session with the variant, for 20 minutes. @returns the response header's value: the id and when it ends */
  start(variant: RunningVariant): string {
    this.forget();
    const id = randomUUID();
    const expires = this.clock.now() + SESSION_SECONDS * 1000;
    this.open.set(id, { variant, expires });
    return `${id}; Expires=${new Date(expires).toISOString().replace(/\.\d+Z$/, 'Z')}`;
  }

  /** Drops what is over: the oldest come first. */
  private forget(): void {
    for (const [id, { expires }] of this.open) {
      if (expires > this.clock.now()) return;
      this.open.delete(id);
    }
  }
}
