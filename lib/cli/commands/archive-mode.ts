import { type Command, Option } from 'commander';
import { type ArchiveMode, modeForUplink } from '../../model';
import { atLeast } from '../options';

export interface ModeOptions {
  readonly mode?: ArchiveMode;
  /** Megabits a second. */
  readonly uplink?: number;
}

/** How an archive is compressed: said, or chosen for an uplink. */
export function withMode(command: Command): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'smallest (the default), quickest, or not compressed, which is also unpacked the fastest').choices([
        'size',
        'speed',
        'stored',
      ]),
    )
    .addOption(
      new Option('--uplink <mbit/s>', 'take the mode in which the model is up soonest at this rate')
        .argParser(atLeast(0.001))
        .conflicts('mode'),
    );
}

export function modeOf({ mode, uplink }: ModeOptions): ArchiveMode {
  return mode ?? (uplink === undefined ? 'size' : modeForUplink(uplink));
}
