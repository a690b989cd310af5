import type { Command } from 'commander';
import { Option } from 'commander';
import { type ArchiveMode, archive, type Inspection, inspect } from '../../model';
import type { Session } from '../session';
import { Terminal, table } from '../terminal';

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
      const inspection = inspect(path);
      terminal.result(inspection);
      if (!options.json) for (const line of describe(inspection)) terminal.say(line);
      session.exitCode = inspection.findings.some((finding) => finding.severity === 'error') ? 1 : 0;
    });

  root
    .command('package')
    .description("pack a model directory into the archive that its container loads, named by its content's digest")
    .argument('<directory>', 'a model directory')
    .option('-o, --output <directory>', 'where the archive goes', '.')
    .addOption(
      new Option('--mode <mode>', 'smallest, quickest, or not compressed at all').choices(['size', 'speed', 'stored']).default('size'),
    )
    .option('--json', 'one JSON document on standard output')
    .action(async (directory: string, options: { output: string; mode: ArchiveMode; json?: boolean }) => {
      const terminal = new Terminal(options.json ?? false);
      inspect(directory);
      const packed = await archive(directory, {
        output: options.output,
        mode: options.mode,
        signal: session.signal,
        onProgress: ({ done, total }) => terminal.now(`packing  ${megabytes(done)} of ${megabytes(total)}`),
      });
      terminal.now('');
      terminal.result(packed);
      if (!options.json)
        terminal.say(`${packed.reused ? 'there already' : 'packed'}: ${packed.path}, ${packed.files} files, ${megabytes(packed.bytes)}`);
    });
}

const megabytes = (bytes: number): string => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function describe(inspection: Inspection): string[] {
  const { name, version, framework, format, modelFile, parameters, dtypes, signature, needs, facts, findings, files, totalBytes } =
    inspection;
  const lines = [
    `${name}${version ? ` ${version}` : ''}: ${framework}, ${format}, ${files.length} files, ${megabytes(totalBytes)}`,
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
  for (const finding of findings) lines.push('', `${finding.severity}: ${finding.message}`);
  return lines;
}
