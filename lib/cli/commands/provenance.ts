import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { mlBom, signModel, verifyModel } from '../../model';
import { isInside } from '../../model/is-inside';
import type { Attestation, Signer } from '../../model/provenance';
import { archiveKey, storeAttestation, storedAttestation } from '../../model/publish';
import { contentOf } from '../content';
import { EXIT, UserError } from '../exit-codes';
import { writeOutput } from '../output-file';
import type { Session } from '../session';
import { KEY_SYNTAX, openSigner, openTrusted } from '../signing-keys';
import { Terminal } from '../terminal';
import { type Checked, checked, inspected } from './safety';

const MODEL = 'a model directory, or a .tar.gz';

interface Options {
  readonly key: string;
  readonly bucket?: string;
  readonly keyPrefix: string;
  readonly output?: string;
  readonly attestation?: string;
  readonly json?: boolean;
}

/** Signs a model's content, with what was found out about it. */
export function signed({ inspection, grade }: Checked, digest: string, signer: Signer): Promise<Attestation> {
  const { name, version, framework } = inspection;
  return signModel({ name, digest, about: { framework, scan: grade, ...(version === undefined ? {} : { version }) } }, signer);
}

/** `fledge sign`, `fledge verify` and `fledge bom`: whose a model is, and what it is made of. */
export function addProvenanceCommands(root: Command, session: Session): void {
  const withStore = (command: Command) =>
    command
      .requiredOption('--key <key>', KEY_SYNTAX)
      .option('--bucket <name>', 'bucket of the model store: the attestation lies beside the model')
      .option('--key-prefix <text>', 'what stands before the digest in the keys', 'models/')
      .option('--json', 'one JSON document on standard output');

  withStore(root.command('sign').description("sign a model's content digest, and so every file of it").argument('<model>', MODEL))
    .option('-o, --output <file>', 'where the attestation goes; without it and --bucket, DIGEST.attestation.json')
    .action(async (model: string, options: Options, command: Command) => {
      if (options.output !== undefined && options.bucket !== undefined)
        command.error('error: give either --output or --bucket: where the attestation goes');
      const terminal = new Terminal(options.json ?? false);
      if (options.output !== undefined && isSameFile(options.output, options.key))
        throw new UserError(`${options.output} is the key itself: name another file for the attestation`);
      const found = checked(model, terminal, session);
      if (options.bucket === undefined && isInside(options.output ?? '.', model))
        throw new UserError(
          `the attestation would be written into ${model}, and the signature would not hold for what that becomes: name a file elsewhere with --output`,
        );
      const { digest } = await contentOf(model, session.signal);
      const attestation = await signed(found, digest, await openSigner(options.key));
      const place =
        options.bucket === undefined
          ? writeOutput(options.output ?? `${digest}.attestation.json`, `${JSON.stringify(attestation)}\n`)
          : await storeAttestation(attestation, archiveKey(digest, options.keyPrefix), { bucket: options.bucket, signal: session.signal });
      const keyId = attestation.signatures[0]!.keyid;
      terminal.result({ digest, keyId, attestation: place });
      if (!options.json) terminal.say(`signed ${digest} with ${keyId}: ${place}`);
    });

  withStore(root.command('verify').description('check that a key signed exactly these files').argument('<model>', MODEL))
    .option('--attestation <file>', 'as fledge sign wrote it')
    .addHelpText('after', '\nExit codes: 0 the signature holds, 1 it does not, or an error, 2 wrong usage.')
    .action(async (model: string, options: Options, command: Command) => {
      if ((options.bucket === undefined) === (options.attestation === undefined))
        command.error('error: give either --attestation or --bucket: where the attestation is');
      const terminal = new Terminal(options.json ?? false);
      const { digest } = await contentOf(model, session.signal);
      const attestation =
        options.bucket === undefined
          ? parsed(options.attestation!)
          : await storedAttestation(archiveKey(digest, options.keyPrefix), { bucket: options.bucket, signal: session.signal });
      const statement = verifyModel(attestation, digest, [await openTrusted(options.key)]);
      terminal.result({ digest, holds: true, name: statement.subject[0]!.name, about: statement.predicate });
      const about = Object.entries(statement.predicate).map(([key, value]) => `${key} ${value}`);
      if (!options.json) terminal.say(`the signature holds: ${statement.subject[0]!.name}, ${about.join(', ')}, ${digest}`);
      session.exitCode = EXIT.ok;
    });

  root
    .command('bom')
    .description('write a CycloneDX 1.6 bill of materials: the model, its files, libraries, licence and training data')
    .argument('<model>', MODEL)
    .option('-o, --output <file>', 'where it goes; without it, to standard output')
    .action(async (model: string, options: { output?: string }) => {
      const inspection = inspected(model, session);
      const bill = `${JSON.stringify(mlBom(inspection, await contentOf(model, session.signal)), null, 2)}\n`;
      if (options.output === undefined) process.stdout.write(bill);
      else new Terminal(false).say(writeOutput(options.output, bill));
    });
}

function isSameFile(one: string, other: string): boolean {
  if (!existsSync(one) || !existsSync(other)) return false;
  const [a, b] = [statSync(one), statSync(other)];
  return a.ino === b.ino && a.dev === b.dev;
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UserError(`${file} cannot be read as an attestation: ${(error as Error).message}`);
  }
}
