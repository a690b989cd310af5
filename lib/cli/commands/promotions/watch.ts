import type { Command } from 'commander';
import type { Outcome } from '../../../promotion';
import { EXIT, UserError, verdictCode } from '../../exit-codes';
import { atLeast } from '../../options';
import { verdictSentence } from '../../report';
import type { Session } from '../../session';
import { newestApproved } from '../../stage/approval';
import { begun, type FollowOptions, follow } from '../../stage/follow';
import { livePackage } from '../../stage/live-version';
import { promotionNamed, promotionsOf, titleOf, underWay } from '../../stage/promotions';
import { openStage, type Stage } from '../../stage/stage';
import { Terminal } from '../../terminal';
import { type StageOptions, stageCommand } from './command';

export const EVERY = ['--every <seconds>', 'between two looks', atLeast(0.1), 5] as const;
export const VERDICT_CODES =
  '\nExit codes: 0 promoted, 3 rolled back, 4 held; 130 when Ctrl-C ends the watching, which the promotion does not mind.';

interface WatchOptions extends StageOptions {
  readonly every: number;
  readonly newest?: boolean;
}

/** `fledge watch`: follows a promotion until it ends. */
export function addWatch(root: Command, session: Session): void {
  stageCommand(root, 'watch', 'follow the promotion under way until it ends')
    .argument('[version]', "a version's number or a promotion's id, in place of what is under way")
    .option('--newest', 'follow the newest approved version, waiting for its promotion to begin; for pipelines, after a deployment')
    .option(...EVERY)
    .addHelpText('after', `${VERDICT_CODES} With --newest also 0 where that version is live already.`)
    .action(async (endpoint: string, version: string | undefined, options: WatchOptions, command: Command) => {
      if (options.newest && version !== undefined) command.error('error: give either a version or --newest');
      const terminal = new Terminal(options.json ?? false);
      const stage = await openStage(endpoint, options.bucket);
      if (options.newest) return watchNewest(stage, session, { terminal, every: options.every, signal: session.signal });
      const all = await promotionsOf(stage);
      const followed = version === undefined ? (underWay(all) ?? all.at(-1)) : promotionNamed(stage, all, version);
      if (!followed) throw new UserError(`${endpoint} has seen no promotion`);
      if (followed.isBrokenOff)
        throw new UserError(`${followed.id} was broken off: another promotion took the endpoint over, and no outcome will come`);
      const outcome = await watched(stage, followed.id, session, { terminal, every: options.every, signal: session.signal });
      if (outcome) session.exitCode = verdictCode(outcome);
    });
}

async function watchNewest(stage: Stage, session: Session, follow: FollowOptions): Promise<void> {
  const arn = await newestApproved(stage);
  const all = await promotionsOf(stage);
  const known = all.filter(({ request, isBrokenOff }) => request.modelPackageArn === arn && !isBrokenOff).at(-1);
  const isOpen = known?.outcome === null;
  if (!isOpen && (await livePackage(stage)) === arn) {
    follow.terminal.result({ endpoint: stage.endpoint, modelPackageArn: arn, live: true });
    follow.terminal.say(`${titleOf(arn)}, the newest approved version, is live on ${stage.endpoint}`);
    return;
  }
  const outcome = await watched(stage, () => (known ? Promise.resolve(known.id) : begun(stage, arn, all, follow)), session, follow);
  if (outcome) session.exitCode = verdictCode(outcome);
}

/** Follows to the end and says how it ended; undefined, with its exit code, where the user stops watching. */
export async function watched(
  stage: Stage,
  id: string | (() => Promise<string>),
  session: Session,
  options: FollowOptions,
): Promise<Outcome | undefined> {
  const { terminal } = options;
  try {
    const followed = typeof id === 'string' ? id : await id();
    const outcome = await follow(stage, followed, options);
    terminal.result(outcome);
    terminal.say(`${followed}: ${verdictSentence(outcome)}`);
    return outcome;
  } catch (error) {
    if (!session.signal.aborted) throw error;
    terminal.now();
    terminal.say(`stopped watching; the promotion goes on: fledge watch ${stage.endpoint} follows it again`);
    session.exitCode = EXIT.interrupted;
    return undefined;
  }
}
