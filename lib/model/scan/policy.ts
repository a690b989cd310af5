import type { ScanPolicy } from '../inspect/model-yaml';
import { ModelError } from '../model-error';
import type { ScanFinding } from './grade';
import type { FileScan, ScanReport } from './scan';

/** Without a word in model.yaml: what would do harm is refused, what no list knows is told. */
export const DEFAULT_POLICY: ScanPolicy = { dangerous: 'refuse', unknown: 'warn', allow: [] };

/** One file that the policy did not let pass silently. */
export interface PolicyMatter {
  readonly file: FileScan;
  /** `allowed`: by its digest, for the reason given. */
  readonly outcome: 'refuse' | 'warn' | 'allowed';
  /** One that weighs most: a call, where there is one. */
  readonly finding: ScanFinding;
  readonly reason?: string;
}

export interface ScanDecision {
  readonly verdict: 'accept' | 'warn' | 'refuse';
  readonly matters: readonly PolicyMatter[];
}

/** Holds a report against a policy: file by file, exceptions by digest first. */
export function decide(report: ScanReport, policy: ScanPolicy = DEFAULT_POLICY): ScanDecision {
  const matters = report.files.flatMap((file): PolicyMatter[] => {
    if (file.grade === 'safe') return [];
    const weighty = file.findings.filter(({ grade }) => grade === file.grade);
    const finding = weighty.find(({ call }) => call !== undefined) ?? weighty[0]!;
    const exception = policy.allow.find(({ sha256 }) => sha256 === file.sha256);
    if (exception !== undefined) return [{ file, outcome: 'allowed', finding, reason: exception.reason }];
    return [{ file, outcome: policy[file.grade], finding }];
  });
  const outcomes = matters.map(({ outcome }) => outcome);
  return { verdict: outcomes.includes('refuse') ? 'refuse' : outcomes.includes('warn') ? 'warn' : 'accept', matters };
}

/** Refuses what the policy refuses. @throws ModelError `scan-refused`, with the file, what it would have done, and what to do */
export function enforce(report: ScanReport, policy: ScanPolicy = DEFAULT_POLICY): ScanDecision {
  const decision = decide(report, policy);
  const refused = decision.matters.filter(({ outcome }) => outcome === 'refuse');
  const [first] = refused;
  if (first === undefined) return decision;
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more files)` : '';
  throw new ModelError(
    'scan-refused',
    report.subject,
    `${report.subject} is not safe to load: ${first.finding.path}${place(first.finding)} ${first.finding.message}${more}. ${remedy(first.file)}`,
  );
}

function place({ offset }: ScanFinding): string {
  return offset === undefined ? '' : ` at byte ${offset}`;
}

function remedy(file: FileScan): string {
  return `If it is not yours, do not load it; if it is and you have read it, let these bytes in by model.yaml: scan: { allow: [{ sha256: ${file.sha256}, reason: ... }] }`;
}
