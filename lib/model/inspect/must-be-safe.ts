import { DEFAULT_POLICY, enforce, type ScanDecision, scanTree } from '../scan';
import { openTree } from './model-tree';
import { modelYamlOf } from './model-yaml-of';

export interface SafetyOptions {
  /** Whether the files are scanned for code, and held against the policy in model.yaml. @default true */
  readonly scan?: boolean;
  /** Where hashes and grades of unchanged files are remembered. @default - `$XDG_CACHE_HOME/cdk-fledge`, else `~/.cache/cdk-fledge` */
  readonly cacheDirectory?: string;
}

/**
 * Scans a model directory, and holds what is found against the policy in its model.yaml.
 *
 * @throws ModelError `scan-refused`, `model-yaml-invalid`, and as `listTree` does
 */
export function mustBeSafe(directory: string, { scan = true, cacheDirectory }: SafetyOptions = {}): ScanDecision | undefined {
  if (!scan) return undefined;
  const tree = openTree(directory, 0);
  try {
    return enforce(scanTree(tree, { cacheDirectory }), modelYamlOf(tree)?.yaml.scan ?? DEFAULT_POLICY);
  } finally {
    tree.close();
  }
}
