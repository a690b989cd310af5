import type { Command } from 'commander';
import {
  checkSafety,
  decide,
  enforce,
  type Grade,
  type Inspection,
  ModelError,
  reportJson,
  reportSarif,
  reportText,
  type ScanCheck,
} from '../../model';
import { inspectTree } from '../../model/inspect/inspect';
import { withTree } from '../../model/inspect/model-tree';
import { checkTree } from '../../model/inspect/must-be-safe';
import { EXIT } from '../exit-codes';
import { writeOutput } from '../output-file';
import { problemOf } from '../problem';
import type { Session } from '../session';
import { Terminal } from '../terminal';

/** A model that the policy lets in. */
export interface Checked {
  readonly inspection: Inspection;
  readonly grade: Grade;
}

/** Scans and inspects a model that is to be packed, signed or sent: warnings are said, what is refused is an error. @throws ModelError */
export function checked(model: string, terminal: Terminal, session: Session): Checked {
  return withTree(model, (tree) => {
    const { report, policy } = session.atOnce(() => checkTree(tree));
    for (const { outcome, finding } of enforce(report, policy).matters)
      if (outcome === 'warn') terminal.warn(`warning: ${finding.path} ${finding.message} (fledge scan ${model} says more)`);
    const inspection = inspectTree(tree, { scan: false });
    for (const { severity, path, message, remedy } of inspection.findings)
      if (severity !== 'note') terminal.warn(`${severity}: ${path === undefined ? '' : `${path}: `}${message}; ${remedy}`);
    return { inspection, grade: report.grade };
  });
}

/** Inspects a model, what its scan finds included. @throws ModelError */
export function inspected(model: string, session: Session): Inspection {
  return withTree(model, (tree) => session.atOnce(() => inspectTree(tree, {})));
}

/** `fledge scan`: whether a model is safe to load. */
export function addScan(root: Command, session: Session): void {
  root
    .command('scan')
    .description('look for code in models, archives and files by their bytes alone; the policy is the one in model.yaml')
    .argument('<path...>', 'model directories, .tar.gz archives, or files')
    .option('--strict', 'refuse what no list knows, too')
    .option('--sarif <file>', 'write the findings as SARIF 2.1.0, for code hosts')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExit codes: 0 nothing is refused, 5 something is, 1 a path could not be scanned, 2 wrong usage.')
    .action((paths: string[], options: { strict?: boolean; sarif?: string; json?: boolean }) => {
      const terminal = new Terminal(options.json ?? false);
      const checks: ScanCheck[] = [];
      const errors: { path: string; message: string }[] = [];
      for (const path of paths) {
        try {
          const { report, policy } = checkSafety(path, {}, session.atOnce);
          checks.push({ report, policy: options.strict ? { ...policy, unknown: 'refuse' } : policy });
        } catch (error) {
          const message = error instanceof ModelError ? error.message : problemOf(error);
          if (message === undefined) throw error;
          errors.push({ path, message });
        }
      }
      if (options.sarif !== undefined) writeOutput(options.sarif, reportSarif(checks));
      terminal.result({ scans: checks.map(({ report, policy }) => JSON.parse(reportJson(report, policy))), errors });
      if (!options.json) for (const { report, policy } of checks) terminal.say(reportText(report, policy).trimEnd());
      for (const { message } of errors) terminal.warn(`error: ${message}`);
      if (errors.length > 0) session.exitCode = EXIT.failed;
      if (checks.some(({ report, policy }) => decide(report, policy).verdict === 'refuse')) session.exitCode = EXIT.refused;
    });
}
