import { decide, type PolicyMatter, type ScanOptions, scanTree } from '../scan';
import type { Finding } from './finding';
import type { ModelTree } from './model-tree';
import type { ModelYaml } from './model-yaml';

/** What a scan for code makes of the model, by the policy in its model.yaml: refusals are errors. */
export function scanFindings(tree: ModelTree, yaml: ModelYaml | undefined, options: ScanOptions): Finding[] {
  return decide(scanTree(tree, options), yaml?.scan).matters.map(findingOf);
}

function findingOf({ file, outcome, finding, reason }: PolicyMatter): Finding {
  const where = finding.path === file.path ? '' : `${finding.path}: `;
  const at = finding.offset === undefined ? '' : ` at byte ${finding.offset}`;
  const common = { code: `scan-${file.grade}`, path: file.path, message: `${where}${finding.message}${at}` };
  if (outcome === 'allowed') return { ...common, severity: 'note', remedy: `nothing: model.yaml lets these bytes in, because: ${reason}` };
  const exception = `scan: { allow: [{ sha256: ${file.sha256}, reason: ... }] } in model.yaml`;
  if (outcome === 'warn')
    return { ...common, severity: 'warning', remedy: `read what it names; if it is yours, ${exception} ends this warning` };
  return {
    ...common,
    severity: 'error',
    remedy: `do not load it if it is not yours; if it is, and you have read it, let these bytes in by ${exception}`,
  };
}
