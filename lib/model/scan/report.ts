import { createHash } from 'node:crypto';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ScanPolicy } from '../inspect/model-yaml';
import type { Grade, ScanFinding } from './grade';
import { DEFAULT_POLICY, decide } from './policy';
import type { ScanReport } from './scan';

const MOST_LINES = 20;

/** The report for a terminal: the worst first, at most 20 findings a file. */
export function reportText(report: ScanReport, policy: ScanPolicy = DEFAULT_POLICY): string {
  const { verdict, matters } = decide(report, policy);
  const counted = (grade: Grade) => report.files.filter((file) => file.grade === grade).length;
  const lines = [
    `${report.subject}: ${report.grade} (${report.files.length === 1 ? '1 file' : `${report.files.length} files`}: ${counted('safe')} safe, ${counted('unknown')} unknown, ${counted('dangerous')} dangerous), ${VERDICTS[verdict]}`,
  ];
  for (const { file, outcome, reason } of matters) {
    lines.push(`  ${file.path}: ${file.grade}${outcome === 'allowed' ? `, let in by its digest: ${reason}` : ''}`);
    const findings = [...file.findings].sort((a, b) => (a.grade === b.grade ? 0 : a.grade === 'dangerous' ? -1 : 1));
    for (const finding of findings.slice(0, MOST_LINES)) lines.push(`    ${finding.grade.padEnd(9)} ${where(finding)}${finding.message}`);
    if (findings.length > MOST_LINES) lines.push(`    and ${findings.length - MOST_LINES} more`);
    lines.push(`    sha256 ${file.sha256}`);
  }
  return `${lines.join('\n')}\n`;
}

const VERDICTS = { accept: 'accepted', warn: 'accepted with warnings', refuse: 'refused' };

function where({ path, offset, opcode }: ScanFinding): string {
  const inner = path.includes('!') ? `${path.slice(path.indexOf('!') + 1)} ` : '';
  return `${inner}${offset === undefined ? '' : `byte ${offset} `}${opcode === undefined ? '' : `${opcode} `}`;
}

/** The report as JSON, with the policy's verdict. */
export function reportJson(report: ScanReport, policy: ScanPolicy = DEFAULT_POLICY): string {
  const { verdict, matters } = decide(report, policy);
  const outcomes = matters.map(({ file, outcome, reason }) => ({ path: file.path, outcome, reason }));
  return `${JSON.stringify({ ...report, verdict, outcomes }, null, 2)}\n`;
}

/** A report, and the policy that it is held against. */
export interface ScanCheck {
  readonly report: ScanReport;
  readonly policy: ScanPolicy;
}

/**
 * Reports as one run of SARIF 2.1.0, which code hosts show beside the files: named from the current directory on, where they are below it. Findings
 * that the policy lets in are suppressed, with its reason.
 */
export function reportSarif(checks: readonly ScanCheck[]): string {
  const found = checks.flatMap(({ report, policy }) => {
    const allowed = new Map(
      decide(report, policy)
        .matters.filter(({ outcome }) => outcome === 'allowed')
        .map(({ file, reason }) => [file.path, reason]),
    );
    return report.files.flatMap((file) => file.findings.map((finding) => ({ report, file, finding, reason: allowed.get(file.path) })));
  });
  const rules = [...new Set(found.map(({ finding }) => finding.code))].sort();
  const results = found.map(({ report, file, finding, reason }) => ({
    ruleId: finding.code,
    ruleIndex: rules.indexOf(finding.code),
    level: finding.grade === 'dangerous' ? 'error' : 'warning',
    message: { text: finding.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(report, file.path) },
          ...(finding.offset === undefined ? {} : { region: { byteOffset: finding.offset } }),
        },
        ...(finding.path === file.path && report.source !== 'archive' ? {} : { logicalLocations: [{ fullyQualifiedName: finding.path }] }),
      },
    ],
    partialFingerprints: { finding: fingerprint(finding) },
    ...(reason === undefined ? {} : { suppressions: [{ kind: 'external', justification: reason }] }),
  }));
  const driver = {
    name: 'cdk-fledge scan',
    informationUri: 'https://github.com/cdk-fledge/cdk-fledge',
    rules: rules.map((id) => ({ id, shortDescription: { text: id.replaceAll('-', ' ') } })),
  };
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }] }, null, 2)}\n`;
}

/** Where a file is for whoever reads the repository: the archive, for what is inside of one. */
function uriOf({ subject, source }: ScanReport, path: string): string {
  const place = resolve(source === 'directory' ? join(subject, path) : subject);
  const below = relative(process.cwd(), place);
  return below.startsWith('..') ? pathToFileURL(place).href : encodeURI(below.split(sep).join('/'));
}

/** The same finding in the next version of a file is the same to a reviewer. */
function fingerprint({ code, path, name, message }: ScanFinding): string {
  return createHash('sha256')
    .update(`${code}\n${path}\n${name ?? message}`)
    .digest('hex')
    .slice(0, 32);
}
