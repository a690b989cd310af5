import type { Command } from 'commander';
import { evaluate } from '../../judge';
import {
  awsPorts,
  type Command as ControlCommand,
  type Entry,
  heard,
  history,
  type Outcome,
  outcomeKey,
  type Progress,
  progressKey,
  promotionPrefix,
  Store,
  say,
  story,
} from '../../promotion';
import { EXIT, UserError } from '../exit-codes';
import { atLeast, ended } from '../options';
import type { Session } from '../session';
import { Terminal, table } from '../terminal';

interface StageOptions {
  readonly bucket: string;
  readonly json?: boolean;
}

const when = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 19);
const verdictExit = (outcome: Outcome): number => ({ promoted: EXIT.ok, 'rolled back': EXIT.rolledBack, held: EXIT.held })[outcome.verdict];

/** What people ask a stage and tell it: on AWS, or on a SageMaker on this machine, by the same code; the clients go where the environment says. */
export function addStageCommands(root: Command, session: Session): void {
  const stageCommand = (name: string, description: string) =>
    root
      .command(name)
      .description(description)
      .argument('<endpoint>', 'name of the endpoint')
      .requiredOption('--bucket <name>', "the stage's bucket", process.env.FLEDGE_BUCKET)
      .option('--json', 'one JSON document on standard output');

  stageCommand('status', 'where the promotion under way stands, or how the last one ended').action(
    async (endpoint: string, options: StageOptions) => {
      const { store, terminal } = open(options);
      const id = await latest(store, endpoint);
      const progress = (await store.read<Progress>(progressKey(endpoint, id)))?.value;
      const outcome = (await store.read<Outcome>(outcomeKey(endpoint, id)))?.value;
      terminal.result({ promotionId: id, progress: progress ?? null, outcome: outcome ?? null });
      if (options.json) return;
      if (outcome) terminal.say(`${id}: ${outcome.verdict} at ${outcome.during}, ${when(outcome.endedAt)}: ${outcome.reason}`);
      else if (progress)
        terminal.say(
          `${id}: ${progress.during}${progress.paused ? ', paused' : ''}, ${progress.percent} % of the requests: ${progress.sentence}`,
        );
      else terminal.say(`${id}: begun, nothing judged yet`);
    },
  );

  stageCommand('history', "an endpoint's promotions and how each ended").action(async (endpoint: string, options: StageOptions) => {
    const { store, terminal } = open(options);
    const outcomes = await history(store, endpoint);
    terminal.result({ endpoint, promotions: outcomes });
    if (options.json) return;
    const rows = outcomes.map((one) => [when(one.endedAt), one.promotionId, one.verdict, one.during, one.reason.slice(0, 100)]);
    for (const line of outcomes.length === 0
      ? [`${endpoint} has seen no promotion`]
      : table(['ended', 'promotion', 'verdict', 'at', 'reason'], rows))
      terminal.say(line);
  });

  stageCommand('explain', 'the record of a promotion, its verdicts recomputed from the stored counts')
    .argument('<promotion>', 'its id, as history shows it')
    .action(async (endpoint: string, promotionId: string, options: StageOptions) => {
      const { store, terminal } = open(options);
      const entries = await story(store, endpoint, promotionId);
      if (entries.length === 0) throw new UserError(`${endpoint} has no promotion ${promotionId}: fledge history shows those it has`);
      const checked = entries.map((entry) => ({ ...entry, recomputed: recomputed(entry) }));
      terminal.result({ promotionId, record: checked });
      if (!options.json)
        for (const { at, sentence, recomputed: agrees } of checked)
          terminal.say(
            `${when(at)}  ${sentence}${agrees === null ? '' : `  [${agrees ? 'recomputed: the same' : 'RECOMPUTED: DIFFERENT'}]`}`,
          );
      session.exitCode = checked.some((entry) => entry.recomputed === false) ? EXIT.failed : EXIT.ok;
    });

  stageCommand('watch', 'follow the promotion under way until it ends')
    .option('--every <seconds>', 'between two looks', atLeast(1), 5)
    .addHelpText('after', '\nExit codes: 0 promoted, 3 rolled back, 4 held.')
    .action(async (endpoint: string, options: StageOptions & { every: number }) => {
      const { store, terminal } = open(options);
      const id = await latest(store, endpoint);
      for (let told = ''; ; ) {
        const outcome = (await store.read<Outcome>(outcomeKey(endpoint, id)))?.value;
        if (outcome) {
          terminal.result(outcome);
          if (!options.json) terminal.say(`${outcome.verdict} at ${outcome.during}: ${outcome.reason}`);
          session.exitCode = verdictExit(outcome);
          return;
        }
        const progress = (await store.read<Progress>(progressKey(endpoint, id)))?.value;
        if (progress && progress.during !== told) terminal.say(`${when(progress.at)}  ${progress.during}`);
        told = progress?.during ?? told;
        terminal.now(progress?.sentence ?? '');
        await Promise.race([new Promise((resolve) => setTimeout(resolve, options.every * 1000)), ended(session.signal)]);
        session.signal.throwIfAborted();
      }
    });

  const controls: Readonly<Record<ControlCommand, string>> = {
    pause: 'stop the promotion under way from going on; it is still rolled back when it is shown worse',
    resume: 'let a paused promotion go on',
    approve: 'agree that the candidate goes live',
    abort: 'take the candidate off and go back',
    extend: 'give the promotion under way more time',
  };
  for (const [name, description] of Object.entries(controls) as [ControlCommand, string][]) {
    const command = stageCommand(name, description)
      .option('--by <name>', 'who says it', process.env.USER ?? 'unknown')
      .option('--reason <text>', 'why');
    if (name === 'extend') command.requiredOption('--seconds <n>', 'how much more', atLeast(1));
    command.action(async (endpoint: string, options: StageOptions & { by: string; reason?: string; seconds?: number }) => {
      const { store, terminal, ports } = open(options);
      const id = await latest(store, endpoint);
      if (await store.read(outcomeKey(endpoint, id))) throw new UserError(`${endpoint} has no promotion under way: ${id} has ended`);
      await say(ports, store, endpoint, id, { command: name, by: options.by, reason: options.reason, seconds: options.seconds });
      terminal.result({ promotionId: id, ...(await heard(store, endpoint, id)) });
      if (!options.json) terminal.say(`${id}: ${name} said; it is heard at the next tick`);
    });
  }
}

function open(options: StageOptions) {
  const ports = awsPorts();
  return { ports, store: new Store(ports, options.bucket), terminal: new Terminal(options.json ?? false) };
}

/** The promotion that began last. @throws UserError where there was none */
async function latest(store: Store, endpoint: string): Promise<string> {
  const begun = (await store.list(`promotions/${endpoint}/`)).filter((key) => key.endsWith('/record/000-begin.json'));
  const entries = await Promise.all(begun.map(async (key) => (await store.read<Entry>(key))!.value));
  const last = entries.sort((a, b) => a.at - b.at).at(-1);
  if (!last?.request) throw new UserError(`${endpoint} has seen no promotion in s3://${store.bucket}/${promotionPrefix(endpoint, '')}`);
  return last.request.promotionId;
}

/** Whether the stored counts give the stored verdict again; null for an entry without one. */
function recomputed({ verdict }: Entry): boolean | null {
  if (!verdict) return null;
  const again = evaluate(verdict.input);
  return again.decision === verdict.decision && again.sentence === verdict.sentence;
}
