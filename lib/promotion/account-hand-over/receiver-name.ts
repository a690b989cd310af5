import { functionName } from '../canary-stage/function-name';

/** Name of the function that receives, and of its role: both accounts' policies say it. At most 64 characters. */
export const defaultReceiverName = (endpointName: string): string => functionName(endpointName, 'receive-version');

/** @throws Error for a name that Lambda or IAM would refuse */
export function requireReceiverName(name: string): string {
  if (/^[A-Za-z0-9-_]{1,64}$/.test(name)) return name;
  throw new Error(`receiverName has 1 to 64 letters, digits, hyphens and underscores, written out, got '${name}'`);
}
