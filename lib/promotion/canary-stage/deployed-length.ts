/** What CloudFormation puts in place of a reference, in characters: ARNs of keys and roles, names of buckets. */
const PSEUDO: Record<string, number> = { 'AWS::Partition': 10, 'AWS::Region': 14, 'AWS::AccountId': 12, 'AWS::URLSuffix': 16 };
const NAME = 64;
const ARN = 96;

/**
 * How long a resolved piece of a template is once it is deployed, as JSON without spaces: about, since references have their lengths only then.
 *
 * @internal
 */
export function deployedLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + deployedLength(one) + 1, 1);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value).length;
  const { Ref: ref, 'Fn::Join': join } = value as Record<string, unknown>;
  if (typeof ref === 'string') return PSEUDO[ref] ?? NAME;
  if (Array.isArray(join)) return (join[1] as unknown[]).reduce((sum: number, part) => sum + deployedLength(part), 0);
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0].startsWith('Fn::')) return ARN;
  return entries.reduce((sum, [key, one]) => sum + key.length + 4 + deployedLength(one), 1);
}
