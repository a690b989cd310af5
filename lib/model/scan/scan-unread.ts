import type { ScanContext } from './scan-context';

/** What was not looked at to its end is never safe. */
export function unread(code: string, message: string, path: string, context: ScanContext): void {
  context.add({ grade: 'unknown', code, path, message });
}

export function outOfTime(path: string, context: ScanContext): void {
  unread('out-of-time', `not looked at to its end within ${context.limits.milliseconds} ms`, path, context);
}
