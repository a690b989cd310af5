import type { Command } from 'commander';
import { archive, type Inspection } from '../../model';
import { UserError } from '../exit-codes';
import type { Session } from '../session';
import { counted, inBytes } from '../sizes';
import { Terminal, table } from '../terminal';
import { type ModeOptions, modeOf, withMode } from './archive-mode';
import { checked, inspected } from './safety';

/** `fledge inspect` and `fledge package`: what a directory holds, and its archive. */
export function addModelCommands(root: Command, session: Session): void {
  root
    .command('inspect')
    .description('say what a model directory or archive holds, from its bytes alone: nothing of it is run')
    .argument('<path>', 'a model directory, or a .tar.gz')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExit codes: 0, or 1 where a container would not load it or it is no model.')
    .action((path: string, options: { json?: boolean }) => {
      const terminal = new Terminal(options.json ?? false);
      const inspection = inspected(path, session);
      terminal.result(inspection);
      if (!options.json) for (const line of describe(inspection)) terminal.say(line);
      session.exitCode = inspection.findings.some((finding) => finding.severity === 'error') ? 1 : 0;
    });

  withMode(
    root
      .command('package')
      .description("pack a model directory into the archive that its container loads, named by its content's digest")
      .argument('<directory>', 'a model directory')
      .option('-o, --output <directory>', 'where the archive goes', '.'),
  )
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExit codes: 0, 1 an error, 2 wrong usage, 5 refused by the scan, 130 interrupted.')
    .action(async (directory: string, options: ModeOptions & { output: string; json?: boolean }) => {
      const terminal = new Terminal(options.json ?? false);
      if (checked(directory, terminal, session).inspection.source === 'archive')
        throw new UserError(`${directory} is packed already: fledge publish and ModelArtifact.fromArchive take it as it is`);
      const packed = await archive(directory, {
        output: options.output,
        mode: modeOf(options),
        scan: false,
        signal: session.signal,
        onProgress: ({ done, total }) => terminal.now(`packing  ${inBytes(done)} of ${inBytes(total)}`),
      });
      terminal.now();
      terminal.result(packed);
      if (!options.json)
        terminal.say(
          `${packed.reused ? 'there already' : 'packed'}: ${packed.path}, ${counted(packed.files, 'file')}, ${inBytes(packed.bytes)}`,
        );
    });
}

function describe(inspection: Inspection): string[] {
  const { name, version, framework, format, modelFile, parameters, dtypes, signature, needs, facts, findings, files, totalBytes } =
    inspection;
  const lines = [
    `${name}${version ? ` ${version}` : ''}: ${framework}, ${format}, ${counted(files.length, 'file')}, ${inBytes(totalBytes)}`,
    `model      ${modelFile}`,
  ];
  if (parameters !== undefined) {
    const types = Object.entries(dtypes ?? {}).map(([type, count]) => `${count.toLocaleString('en')} ${type}`);
    lines.push(`parameters ${parameters.toLocaleString('en')}${types.length > 0 ? ` (${types.join(', ')})` : ''}`);
  }
  lines.push(`needs      ${needs.image}`);
  for (const fact of facts) lines.push(`${fact.name.padEnd(10)} ${fact.value}`);
  if (signature) {
    const row = (kind: string) => (spec: { name: string; type: string; shape?: readonly (number | string)[] }) => [
      kind,
      spec.name,
      spec.type,
      spec.shape ? `[${spec.shape.join(', ')}]` : '',
    ];
    lines.push(
      '',
      ...table(['', 'name', 'type', 'shape'], [...signature.inputs.map(row('input')), ...signature.outputs.map(row('output'))]),
    );
  }
  for (const finding of findings) lines.push('', `${finding.severity}: ${finding.message}; ${finding.remedy}`);
  return lines;
}
