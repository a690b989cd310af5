import { type Command, Option } from 'commander';
import { EXIT, verdictCode } from '../exit-codes';
import { atLeast, shares, wholeBetween, wordsOf } from '../options';
import { checkOutput } from '../output-file';
import { narrate } from '../rehearsal/narration';
import { rehearse } from '../rehearsal/rehearsal';
import { describeResult } from '../rehearsal/result';
import { writeReport } from '../report';
import type { Session } from '../session';
import { counted } from '../sizes';
import { Terminal } from '../terminal';

interface Options {
  readonly traffic: string;
  readonly rate: number;
  readonly requests: number;
  readonly deadline: number;
  readonly onDeadline: 'roll-back' | 'hold';
  readonly steps: readonly number[];
  readonly shadow: boolean;
  readonly expect?: readonly string[];
  readonly allowCode?: boolean;
  /** False where none is wanted. */
  readonly report: string | false;
  readonly json?: boolean;
}

const EXPECTATIONS: Readonly<Record<string, readonly string[]>> = {
  promoted: ['promoted'],
  'rolled-back': ['rolled back'],
  held: ['held'],
  'not-promoted': ['rolled back', 'held'],
};

export function addRehearse(root: Command, session: Session): void {
  root
    .command('rehearse')
    .description('put the first model live on a SageMaker on this machine, replay traffic, and promote the others one after the other')
    .argument('<directory...>', 'model directories: the live version first, then the candidates')
    .requiredOption(
      '--traffic <file>',
      'requests to replay: CSV with a header or JSON lines, .gz or not; a column "outcome" is what really happened',
    )
    .option('--rate <n>', 'requests a second while a candidate is judged', atLeast(1), 500)
    .option('--requests <n>', 'requests that measure the live version first', wholeBetween(100, 1e9), 10_000)
    .option('--steps <percents>', 'shares of the requests for a candidate', shares, [5, 25, 50])
    .option('--no-shadow', 'do not mirror requests to a candidate first')
    .option('--deadline <seconds>', 'time for a decision', atLeast(1), 60)
    .addOption(
      new Option('--on-deadline <what>', 'what becomes of a candidate that was shown neither worse nor not worse')
        .choices(['roll-back', 'hold'])
        .default('hold'),
    )
    .option(
      '--expect <verdicts>',
      'one word a candidate: promoted, rolled-back, held or not-promoted; exit with 0 if all come true',
      wordsOf(Object.keys(EXPECTATIONS)),
    )
    .option('--allow-code', "let a model's own Python code run")
    .option('--report <file>', 'where the report goes: one page that opens offline', 'fledge-report.html')
    .option('--no-report', 'write no report')
    .option('--json', 'one JSON document on standard output')
    .addHelpText(
      'after',
      '\nExit codes: 0 promoted (or as expected), 3 rolled back, 4 held, 1 an error, 2 wrong usage, 130 interrupted. With several candidates the last one counts.',
    )
    .action(async (directories: string[], options: Options, command: Command) => {
      checkUsage(directories, options, command);
      session.exitCode = await run(directories, options, session.signal);
    });
}

function checkUsage(directories: readonly string[], { expect }: Options, command: Command): void {
  if (directories.length < 2) command.error('error: give at least two model directories: the live version and a candidate');
  if (expect && expect.length !== directories.length - 1)
    command.error(`error: --expect names ${counted(expect.length, 'verdict')} for ${counted(directories.length - 1, 'candidate')}`);
}

async function run(directories: readonly string[], options: Options, signal: AbortSignal): Promise<number> {
  if (options.report !== false) checkOutput(options.report);
  const terminal = new Terminal(options.json ?? false);
  const result = await rehearse(
    {
      directories,
      trafficFile: options.traffic,
      perSecond: options.rate,
      liveRequests: options.requests,
      deadlineSeconds: options.deadline,
      onDeadline: options.onDeadline === 'hold' ? 'hold' : 'rollBack',
      steps: options.steps,
      shadow: options.shadow,
      allowCode: options.allowCode ?? false,
      signal,
    },
    narrate(terminal),
  );
  let report: string | null = null;
  try {
    if (options.report !== false) report = writeReport(options.report, result);
    if (report !== null) terminal.say(`report    ${report}`);
  } finally {
    // Minutes of work are not lost with a report that the disk has no space for.
    terminal.result({ ...describeResult(result), report });
  }
  const verdicts = result.promotions.map(({ outcome }) => outcome.verdict);
  const { expect } = options;
  if (expect) {
    const surprise = verdicts.findIndex((verdict, i) => !EXPECTATIONS[expect[i]].includes(verdict));
    if (surprise < 0) return EXIT.ok;
    terminal.say(`expected ${directories[surprise + 1]} to be ${expect[surprise]}, it was ${verdicts[surprise]}`);
    return EXIT.failed;
  }
  return verdictCode(result.promotions.at(-1)!.outcome);
}
