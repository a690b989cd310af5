import { createHash } from 'node:crypto';
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
    `${report.subject}: ${report.grade} (${report.files.length} files: ${counted('safe')} safe, ${counted('unknown')} unknown, ${counted('dangerous')} dangerous), ${VERDICTS[verdict]}`,
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

/** The report as SARIF 2.1.0, which code hosts show beside the files. Findings that the policy lets in are suppressed, with its reason. */
export function reportSarif(report: ScanReport, policy: ScanPolicy = DEFAULT_POLICY): string {
  const allowed = new Map(
    decide(report, policy)
      .matters.filter(({ outcome }) => outcome === 'allowed')
      .map(({ file, reason }) => [file.path, reason]),
  );
  const findings = report.files.flatMap((file) => file.findings.map((finding) => ({ file, finding })));
  const rules = [...new Set(findings.map(({ finding }) => finding.code))].sort();
  const results = findings.map(({ file, finding }) => ({
    ruleId: finding.code,
    ruleIndex: rules.indexOf(finding.code),
    level: finding.grade === 'dangerous' ? 'error' : 'warning',
    message: { text: finding.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(file.path) },
          ...(finding.offset === undefined ? {} : { region: { byteOffset: finding.offset } }),
        },
        ...(finding.path === file.path ? {} : { logicalLocations: [{ fullyQualifiedName: finding.path }] }),
      },
    ],
    partialFingerprints: { finding: fingerprint(finding) },
    ...(allowed.has(file.path) ? { suppressions: [{ kind: 'external', justification: allowed.get(file.path) }] } : {}),
  }));
  const driver = {
    name: 'cdk-fledge scan',
    informationUri: 'https://github.com/cdk-fledge/cdk-fledge',
    rules: rules.map((id) => ({ id, shortDescription: { text: id.replaceAll('-', ' ') } })),
  };
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }] }, null, 2)}\n`;
}

/** The same finding in the next version of a file is the same to a reviewer. */
function fingerprint({ code, path, name, message }: ScanFinding): string {
  return createHash('sha256')
    .update(`${code}\n${path}\n${name ?? message}`)
    .digest('hex')
    .slice(0, 32);
}
