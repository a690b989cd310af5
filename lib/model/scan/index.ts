/** Looks for code in a model's files, by content and without executing any of it, and says what a policy makes of it. */
export { type Grade, type ScanFinding, worst } from './grade';
export { judgeName } from './names';
export { DEFAULT_POLICY, decide, enforce, type PolicyMatter, type ScanDecision } from './policy';
export { reportJson, reportSarif, reportText, type ScanCheck } from './report';
export { type FileScan, openModel, reportOf, type ScanOptions, type ScanReport, scan, scanFile, scanOneFile, scanTree } from './scan';
export type { ScanLimits } from './scan-context';
