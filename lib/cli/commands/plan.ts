import type { Command } from 'commander';
import { plan } from '../../judge';
import { expectedTime } from '../../judge/plan';
import { atLeast, badPercent, shares } from '../options';
import { Terminal, table } from '../terminal';

/** `fledge plan`: what a verdict would cost, before any request moves. */
export function addPlan(root: Command): void {
  root
    .command('plan')
    .description('say how many requests and how much time a canary of this traffic would need')
    .requiredOption('--rate <n>', 'requests a second of the whole endpoint', atLeast(0.000_001))
    .requiredOption('--bad-rate <percent>', 'percent of the requests that go wrong today', badPercent)
    .option('--margin <times>', 'how many times as bad a candidate must be shown not to be', atLeast(1.01), 2)
    .option('--objective <percent>', 'a rate that is good enough whatever the live version does', badPercent)
    .option('--steps <percents>', 'shares of the requests', shares, [5, 10, 25, 50])
    .option('--json', 'one JSON document on standard output')
    .action((options: { rate: number; badRate: number; margin: number; objective?: number; steps: number[]; json?: boolean }) => {
      const terminal = new Terminal(options.json ?? false);
      const objectiveRate = options.objective === undefined ? undefined : options.objective / 100;
      const planned = plan({
        requestsPerSecond: options.rate,
        metrics: [{ name: 'bad requests', badRate: options.badRate / 100, margin: options.margin, objectiveRate }],
        // More than all of the requests cannot go wrong.
        effects: [2, 5, 20].filter((effect) => effect * options.badRate <= 100),
        shares: options.steps.map((percent) => percent / 100),
      });
      terminal.result(planned);
      if (options.json) return;
      terminal.say(planned.sentence);
      terminal.say();
      const rows = planned.shares.map(({ share, promotion, rollback }) => [
        `${Number((100 * share).toPrecision(12))} %`,
        Math.round(promotion[0].requests).toLocaleString('en'),
        expectedTime(promotion[0].seconds),
        ...rollback.map(({ seconds, badRequests }) => `${expectedTime(seconds)}, ${Math.round(badRequests)} bad`),
      ]);
      const effects = planned.shares[0].rollback.map(({ effect }) => `rolled back if ${effect} times as bad`);
      for (const line of table(['share', 'requests to promote', 'time', ...effects], rows)) terminal.say(line);
    });
}
