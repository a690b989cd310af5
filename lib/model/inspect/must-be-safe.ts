import { DEFAULT_POLICY, enforce, openModel, type ScanCheck, type ScanDecision, scanOneFile, scanTree } from '../scan';
import type { ModelTree } from './model-tree';
import { modelYamlOf } from './model-yaml-of';

export interface SafetyOptions {
  /** Whether the files are scanned for code, and held against the policy in model.yaml. @default true */
  readonly scan?: boolean;
  /** Where hashes and grades of unchanged files are remembered. @default - `$XDG_CACHE_HOME/cdk-fledge`, else `~/.cache/cdk-fledge` */
  readonly cacheDirectory?: string;
}

/**
 * Scans a model directory, an archive, or a file, and says what policy it comes with: the one in its model.yaml, else the default.
 *
 * @param run does the scan, once the model is open
 * @throws ModelError `model-yaml-invalid`, and as `scan` does
 */
export function checkSafety(
  path: string,
  { cacheDirectory }: Pick<SafetyOptions, 'cacheDirectory'> = {},
  run = (scan: () => ScanCheck) => scan(),
): ScanCheck {
  const tree = openModel(path);
  if (tree === undefined) return run(() => ({ report: scanOneFile(path), policy: DEFAULT_POLICY }));
  try {
    return run(() => checkTree(tree, { cacheDirectory }));
  } finally {
    tree.close();
  }
}

/** `checkSafety` of a model that is open already. */
export function checkTree(tree: ModelTree, { cacheDirectory }: Pick<SafetyOptions, 'cacheDirectory'> = {}): ScanCheck {
  return { policy: modelYamlOf(tree)?.yaml.scan ?? DEFAULT_POLICY, report: scanTree(tree, { cacheDirectory }) };
}

/** @throws ModelError `scan-refused`, and as `checkSafety` does */
export function mustBeSafe(path: string, options: SafetyOptions = {}): ScanDecision | undefined {
  if (options.scan === false) return undefined;
  const { report, policy } = checkSafety(path, options);
  return enforce(report, policy);
}
