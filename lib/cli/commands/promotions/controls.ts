import type { Command } from 'commander';
import { type Command as ControlCommand, heard, say } from '../../../promotion';
import { atLeast } from '../../options';
import { mustBeUnderWay } from '../../stage/promotions';
import { openStage } from '../../stage/stage';
import { Terminal } from '../../terminal';
import { byPerson, type PersonOptions, stageCommand } from './command';

const CONTROLS: Readonly<Record<ControlCommand, string>> = {
  pause: 'stop the promotion under way from going on; it is still rolled back when it is shown worse',
  resume: 'let a paused promotion go on',
  approve: 'agree that the candidate goes live',
  abort: 'take the candidate off and go back',
  extend: 'give the promotion under way more time',
};

/** `fledge pause`, `resume`, `approve`, `abort` and `extend`: what people say to a promotion under way. */
export function addControls(root: Command): void {
  for (const [name, description] of Object.entries(CONTROLS) as [ControlCommand, string][]) {
    const command = byPerson(stageCommand(root, name, description));
    if (name === 'extend') command.requiredOption('--seconds <n>', 'how much more', atLeast(1));
    command.action(async (endpoint: string, options: PersonOptions & { seconds?: number }) => {
      const terminal = new Terminal(options.json ?? false);
      const stage = await openStage(endpoint, options.bucket);
      const { id } = await mustBeUnderWay(stage);
      const { by, reason, seconds } = options;
      await say(stage.ports, stage.store, endpoint, id, { command: name, by, reason, seconds });
      terminal.result({ endpoint, promotionId: id, ...(await heard(stage.store, endpoint, id)) });
      if (!options.json) terminal.say(`${id}: ${name} said; it is heard at the next tick, unless the live variant is moving already`);
    });
  }
}
