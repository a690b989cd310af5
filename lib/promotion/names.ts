import { createHash } from 'node:crypto';

/** Name of the variant that wants to go live. */
export const CANDIDATE = 'candidate';

/**
 * What the names of all models and configurations of an endpoint's stage begin with, and of no other's. SageMaker takes 63 characters; 26 are for what follows, so a long
 * name is cut, and told by its digest from another that begins alike.
 */
export const stemOf = (endpointName: string): string =>
  endpointName.length <= 36 ? endpointName : `${endpointName.slice(0, 27)}-${markOf(endpointName).slice(0, 8)}`;

/** Twelve hexadecimal digits that tell apart what was made for different reasons, the same at every run. */
export const markOf = (reason: string): string => createHash('sha256').update(reason).digest('hex').slice(0, 12);

/** The alarms on the fleet that a promotion brings, by what the names of all that it makes begin with. */
export function alarmNames(stem: string): { readonly errorsAlarm: string; readonly latencyAlarm: string } {
  return { errorsAlarm: `${stem}-errors`.toLowerCase(), latencyAlarm: `${stem}-latency`.toLowerCase() };
}

/** Names that a stage gave, to be told from others' that begin alike. */
export const isMade = (endpointName: string, name: string): boolean =>
  name.startsWith(`${stemOf(endpointName)}-`) &&
  /^[0-9a-f]{12}-(model|shadow2?|canary|live|final|first)$/.test(name.slice(stemOf(endpointName).length + 1));
