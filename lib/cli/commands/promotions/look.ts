import type { Command } from 'commander';
import { type Progress, progressKey } from '../../../promotion';
import { EXIT, UserError } from '../../exit-codes';
import { reasonOf, verdictSentence } from '../../report';
import type { Session } from '../../session';
import { explain, explanationLines } from '../../stage/explanation';
import { lately, progressLine } from '../../stage/follow';
import { offeredPromotion } from '../../stage/offered';
import { isNamed, type Promotion, promotionNamed, promotionsOf, standing, titleOf, underWay, when } from '../../stage/promotions';
import { openStage, type Stage } from '../../stage/stage';
import { stagePulses } from '../../stage/stage-pulses';
import { Terminal, table } from '../../terminal';
import { type StageOptions, stageCommand } from './command';

/** `fledge status`, `history` and `explain`: what a stage does, did, and why. */
export function addLookCommands(root: Command, session: Session): void {
  stageCommand(root, 'status', 'where the promotion under way stands, or how the last one ended').action(
    async (endpoint: string, options: StageOptions) => {
      const terminal = new Terminal(options.json ?? false);
      const stage = await openStage(endpoint, options.bucket);
      const all = await promotionsOf(stage);
      const open = underWay(all);
      const waiting = all.filter(({ id, outcome, isBrokenOff }) => outcome === null && !isBrokenOff && id !== open?.id);
      const brokenOff = all.filter((one) => one.isBrokenOff);
      const last = all.filter(({ outcome }) => outcome !== null).at(-1);
      const progress = open && (await progressOf(stage, open));
      const pulses = open && progress && (await stagePulses(stage, open.request));
      terminal.result({
        endpoint,
        underWay: open
          ? {
              promotionId: open.id,
              modelPackageArn: open.request.modelPackageArn,
              progress: progress ?? null,
              pulses: typeof pulses === 'string' ? null : (pulses ?? null),
            }
          : null,
        waiting: waiting.map(named),
        brokenOff: brokenOff.map(named),
        last: last?.outcome ?? null,
      });
      if (options.json) return;
      if (open) terminal.say(`${open.id}: ${progress ? progressLine(progress) : 'begun, nothing judged yet'}`);
      if (pulses) terminal.say(`  ${lately(pulses)}`);
      for (const { id } of waiting) terminal.say(`${id}: waits for its turn`);
      for (const { id } of brokenOff) terminal.say(`${id}: broken off, another promotion took the endpoint over`);
      if (last) terminal.say(`last: ${ending(last)}`);
      if (all.length === 0) terminal.say(`${endpoint} has seen no promotion`);
    },
  );

  stageCommand(root, 'history', "an endpoint's promotions and how each ended").action(async (endpoint: string, options: StageOptions) => {
    const terminal = new Terminal(options.json ?? false);
    const all = await promotionsOf(await openStage(endpoint, options.bucket));
    terminal.result({
      endpoint,
      promotions: all.map(
        ({ id, request, begun, outcome }) =>
          outcome ?? { promotionId: id, endpointName: endpoint, modelPackageArn: request.modelPackageArn, verdict: null, startedAt: begun },
      ),
    });
    if (options.json) return;
    const rows = all.map((one) => [
      when(one.begun),
      titleOf(one.request.modelPackageArn),
      standing(one),
      one.outcome?.during ?? '',
      one.id,
      one.outcome ? reasonOf(one.outcome.reason).slice(0, 100) : '',
    ]);
    const lines = table(['began (UTC)', 'candidate', 'verdict', 'at', 'promotion', 'reason'], rows);
    for (const line of all.length === 0 ? [`${endpoint} has seen no promotion`] : lines) terminal.say(line);
  });

  stageCommand(root, 'explain', 'why a version was let in, or was not: the record of its promotion, with every verdict recomputed')
    .argument('<version>', "a version's number, a model package's ARN, or a promotion's id as history shows it")
    .option('--offered', 'the promotion in the account that offered the version, where it has had one here too')
    .addHelpText('after', '\nExit codes: 0 where every verdict comes out the same, 1 where one does not.')
    .action(async (endpoint: string, version: string, options: StageOptions & { readonly offered?: boolean }) => {
      const terminal = new Terminal(options.json ?? false);
      const stage = await openStage(endpoint, options.bucket);
      const all = await promotionsOf(stage);
      const isKnown = isNamed(all, version);
      const offered = options.offered || !isKnown ? await offeredPromotion(stage, version) : undefined;
      if (options.offered && !offered) throw new UserError(`${version} was not offered by another account's stage: leave --offered out`);
      const promotion = offered?.promotion ?? promotionNamed(stage, all, version);
      const explanation = await explain(offered?.stage ?? stage, promotion);
      terminal.result(explanation);
      session.exitCode = explanation.isRecomputed ? EXIT.ok : EXIT.failed;
      if (options.json) return;
      if (offered) terminal.say(`offered by account ${offered.account}, where this was its way:`);
      for (const line of explanationLines(explanation)) terminal.say(line);
      const others = all.filter(({ id, request }) => id !== promotion.id && request.modelPackageArn === promotion.request.modelPackageArn);
      if (others.length > 0 && version !== promotion.id)
        terminal.say(`this version came before: ${others.map((one) => `${one.id} (${standing(one)})`).join(', ')}`);
    });
}

const progressOf = async ({ store, endpoint }: Stage, { id }: Promotion): Promise<Progress | undefined> =>
  (await store.read<Progress>(progressKey(endpoint, id)))?.value;

const ending = ({ id, outcome }: Promotion): string => `${id} ${when(outcome!.endedAt)} UTC, ${verdictSentence(outcome!)}`;

const named = ({ id, request }: Promotion) => ({ promotionId: id, modelPackageArn: request.modelPackageArn });
