import type { Command } from 'commander';
import { say } from '../../../promotion';
import { EXIT, UserError, verdictCode } from '../../exit-codes';
import type { Session } from '../../session';
import { approve, packageNamed } from '../../stage/approval';
import { begun } from '../../stage/follow';
import { livePackage, previousPackage } from '../../stage/live-version';
import { promotionsOf, titleOf, underWay } from '../../stage/promotions';
import { openStage, type Stage } from '../../stage/stage';
import { Terminal } from '../../terminal';
import { byPerson, type PersonOptions, signed, stageCommand } from './command';
import { EVERY, VERDICT_CODES, watched } from './watch';

interface Options extends PersonOptions {
  readonly watch?: boolean;
  readonly every: number;
}

/** `fledge promote` and `fledge rollback`: a version wants to go live, or to come back. */
export function addPromoteCommands(root: Command, session: Session): void {
  byPerson(stageCommand(root, 'promote', 'approve a version of the model package group, which starts its promotion'))
    .argument('<version>', "its number in the stage's model package group, or its model package's ARN")
    .option('--watch', 'follow the promotion until it ends')
    .option(...EVERY)
    .addHelpText('after', `${VERDICT_CODES} Without --watch 0 says that it is approved.`)
    .action(async (endpoint: string, version: string, options: Options) => {
      const stage = await openStage(endpoint, options.bucket);
      const arn = await packageNamed(stage, version);
      if ((await livePackage(stage)) === arn) throw new UserError(`${titleOf(arn)} is live on ${endpoint} already`);
      await start(stage, arn, 'approved', options, session);
    });

  byPerson(stageCommand(root, 'rollback', 'abort the promotion under way; where none is, promote the version that was live before'))
    .option('--watch', 'follow until the endpoint is back')
    .option(...EVERY)
    .addHelpText('after', '\nExit codes: 0 done as asked, 3 the earlier version was rolled back itself, 4 it was held, 1 an error.')
    .action(async (endpoint: string, options: Options) => {
      const stage = await openStage(endpoint, options.bucket);
      const all = await promotionsOf(stage);
      const open = underWay(all);
      if (open) return abort(stage, open.id, options, session);
      const previous = await previousPackage(stage, all);
      const live = await livePackage(stage);
      const from = live === null ? 'the live version' : titleOf(live);
      new Terminal(options.json ?? false).say(
        `nothing is under way: ${titleOf(previous)}, live before ${from}, comes back by a promotion of its own, judged like any other`,
      );
      await start(stage, previous, `rolled back from ${from}`, options, session);
    });
}

async function start(stage: Stage, arn: string, what: string, options: Options, session: Session): Promise<void> {
  const { endpoint } = stage;
  const terminal = new Terminal(options.json ?? false);
  const before = await promotionsOf(stage);
  const open = underWay(before);
  await approve(stage, arn, signed(what, options));
  const turn = open?.request.plan.whenBusy === 'supersede' ? `takes over from ${open.id}` : `waits for ${open?.id}`;
  terminal.say(`${titleOf(arn)} is approved: its promotion on ${endpoint} ${open ? turn : 'begins'}`);
  if (!options.watch) {
    terminal.result({ endpoint, modelPackageArn: arn, approved: true });
    if (!options.json) terminal.say(`fledge watch ${endpoint}        follows it`);
    return;
  }
  const follow = { terminal, every: options.every, signal: session.signal };
  const outcome = await watched(stage, () => begun(stage, arn, before, follow), session, follow);
  if (outcome) session.exitCode = verdictCode(outcome);
}

async function abort(stage: Stage, id: string, options: Options, session: Session): Promise<void> {
  const { endpoint, ports, store } = stage;
  const terminal = new Terminal(options.json ?? false);
  await say(ports, store, endpoint, id, { command: 'abort', by: options.by, reason: options.reason });
  terminal.say(
    `${id} is under way: it is aborted, and ${endpoint} goes back to what was live before it, unless the live variant is moving already`,
  );
  if (!options.watch) return terminal.result({ endpoint, promotionId: id, aborted: true });
  const outcome = await watched(stage, id, session, { terminal, every: options.every, signal: session.signal });
  if (outcome) session.exitCode = outcome.verdict === 'rolled back' ? EXIT.ok : outcome.verdict === 'held' ? EXIT.held : EXIT.failed;
}
