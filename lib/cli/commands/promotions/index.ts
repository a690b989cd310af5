/** What people ask a stage and tell it: on AWS, or on a SageMaker on this machine, by the same code; the clients go where the environment says. */
import type { Command } from 'commander';
import type { Session } from '../../session';
import { addControls } from './controls';
import { addLookCommands } from './look';
import { addPromoteCommands } from './promote';
import { addWatch } from './watch';

export function addStageCommands(root: Command, session: Session): void {
  addPromoteCommands(root, session);
  addWatch(root, session);
  addControls(root);
  addLookCommands(root, session);
}
