import type { Command } from 'commander';
import { type LocalSageMaker, startLocal } from '../../local';
import { awsPorts, type StagePlan } from '../../promotion';
import { atLeast, ended, endpointName, wholeBetween } from '../options';
import { columnsOf } from '../rehearsal/columns';
import { asTaken } from '../rehearsal/header';
import { OutcomeRecorder } from '../rehearsal/outcome-recorder';
import { Replay } from '../rehearsal/replay';
import { readTraffic, type Traffic, unknownOutcomes } from '../rehearsal/traffic';
import { verdictSentence } from '../report';
import type { Session } from '../session';
import { hostStage, localPlan, readPlan } from '../stage/host';
import { titleOf } from '../stage/promotions';
import { Terminal } from '../terminal';

interface Options {
  readonly port: number;
  readonly state?: string;
  readonly speed: number;
  readonly allowCode?: boolean;
  readonly stage?: string;
  readonly live?: string;
  readonly plan?: string;
  readonly traffic?: string;
  readonly rate: number;
}

/** Requests under way at once, at the most. */
const CLIENTS = 32;

/** `fledge local`: a SageMaker on this machine, empty or with a stage. */
export function addLocal(root: Command, session: Session): void {
  root
    .command('local')
    .description('start a SageMaker on 127.0.0.1 for any AWS SDK or CLI, until Ctrl-C; prints the variables to export')
    .option('--port <port>', '0 takes a free one', wholeBetween(0, 65_535), 8080)
    .option('--state <directory>', 'keep endpoints, models, objects there, and find them again')
    .option('--speed <factor>', 'seconds of its clock in a second', atLeast(0), 1)
    .option('--allow-code', "let models' own Python code run")
    .option(
      '--stage <endpoint>',
      'with a canary stage: every version approved in its model package group is promoted on this endpoint',
      endpointName,
    )
    .option('--live <directory>', 'model directory that is live on it first')
    .option('--plan <file>', "the stage's plan, as JSON; what it leaves out is as in docs/local.md")
    .option('--traffic <file>', 'requests to send to it all the time, in a circle: CSV with a header or JSON lines, .gz or not')
    .option('--rate <n>', 'of them, a second', atLeast(0.1), 50)
    .action((options: Options, command: Command) => {
      checkUsage(options, command);
      return run(options, session);
    });
}

function checkUsage(options: Options, command: Command): void {
  const { stage, speed } = options;
  for (const name of ['live', 'plan', 'traffic'] as const)
    if (options[name] !== undefined && stage === undefined) command.error(`error: --${name} is of a stage: name its endpoint with --stage`);
  if (stage !== undefined && speed !== 1) command.error('error: a stage runs in real time: leave --speed out');
}

async function run(options: Options, session: Session): Promise<void> {
  const { stage, speed } = options;
  const columns = options.live === undefined ? undefined : columnsOf(options.live);
  const traffic = options.traffic === undefined ? undefined : readTraffic(options.traffic, columns);
  const usual = localPlan(traffic?.outcomes !== undefined);
  const plan = options.plan === undefined ? usual : readPlan(options.plan, usual);
  const terminal = new Terminal(false);
  const engines = { allowCode: options.allowCode ?? false };
  const warn = (message: string) => terminal.warn(`warning: ${message}`);
  const local = await startLocal({ port: options.port, stateDirectory: options.state, clock: { speed }, engines, warn });
  const closing: (() => Promise<void>)[] = [() => local.close()];
  try {
    const variables = Object.entries(local.environment());
    if (stage !== undefined) {
      Object.assign(process.env, local.environment());
      closing.unshift(await hostAndTell(local, stage, plan, options, terminal));
      if (traffic) {
        const unknown = unknownOutcomes(options.traffic!, traffic);
        if (unknown !== undefined) warn(unknown);
        closing.unshift(keepAsking(local, stage, await asTaken(awsPorts(), stage, traffic), options.rate));
      }
    }
    for (const [name, value] of variables) terminal.say(`export ${name}=${value}`);
    if (stage !== undefined) terminal.say(`${stage} is live; every approval in the model package group ${stage} starts a promotion`);
    await ended(session.signal);
  } finally {
    for (const close of closing) await close();
  }
}

function hostAndTell(local: LocalSageMaker, endpoint: string, plan: StagePlan, { live }: Options, terminal: Terminal) {
  return hostStage(local, {
    endpoint,
    live,
    plan,
    onBegin: ({ promotionId, modelPackageArn }) =>
      terminal.say(`${promotionId}: ${titleOf(modelPackageArn)} wants to go live on ${endpoint}`),
    onEnd: ({ promotionId }, outcome) =>
      terminal.say(`${promotionId}: ${outcome instanceof Error ? outcome.message : verdictSentence(outcome)}`),
  });
}

/** @returns ends it */
function keepAsking(local: LocalSageMaker, endpointName: string, traffic: Traffic, perSecond: number): () => Promise<void> {
  const recorder = new OutcomeRecorder(awsPorts(), endpointName, traffic);
  const replay = new Replay({ url: local.url, region: local.region, endpointName, ...traffic }, (report) => recorder.take(report));
  replay.pace(perSecond, CLIENTS);
  return () => replay.stop();
}
