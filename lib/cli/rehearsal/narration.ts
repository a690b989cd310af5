import { evidenceLine } from '../evidence-line';
import type { Published } from '../local-stage';
import { pulsesLine } from '../pulse';
import { titleOf, verdictSentence, whenOf } from '../report';
import type { Terminal } from '../terminal';
import type { ReplayFigures } from './measure';
import type { RehearsalEvents } from './rehearsal';

/** What a person sees as it goes: a line for each thing that happened, and on a terminal two more that say how both variants do and where the evidence stands. */
export function narrate(terminal: Terminal): RehearsalEvents {
  let during = '';
  let judged: Published | undefined;
  const clock = (seconds: number) => `${seconds.toFixed(0).padStart(5)} s`;
  return {
    published: (version) => {
      const { inspection, archiveBytes, digest } = version;
      terminal.say(`packed    ${titleOf(version)}: ${inspection.format}, ${(archiveBytes / 1000).toFixed(0)} kB, ${digest.slice(0, 12)}`);
      terminal.now('live      measuring the first one');
    },
    live: ({ version, figures, model }) => {
      terminal.now();
      const right = figures.accuracy === null ? '' : `, accuracy ${(100 * figures.accuracy).toFixed(1)} %`;
      const latency = `model latency p50 ${model.p50.toFixed(2)} ms, p99 ${model.p99.toFixed(2)} ms`;
      terminal.say(`live      ${titleOf(version)}: ${figures.requests} requests${right}, ${latency}`);
      terminal.say(`          ${throughClient(figures)}`);
    },
    begins: (version) => {
      during = '';
      judged = version;
      terminal.say(terminal.style('bold', `candidate ${titleOf(version)}`));
      terminal.now(`${clock(0)}  checked and staged`);
    },
    progress: (version, progress, pulses, seconds) => {
      // A last look may come in after the end.
      if (version !== judged) return;
      if (progress.during !== during) terminal.say(`${clock(seconds)}  judged ${whenOf(progress.during)}`);
      during = progress.during;
      terminal.now(
        `${clock(seconds)}  ${pulsesLine(pulses)}`,
        `${MARGIN}${progress.percent === 0 ? 'mirrored' : `${progress.percent} %`}: ${evidenceLine(progress)}`,
      );
    },
    warned: (message) => terminal.warn(`warning: ${message}`),
    ended: ({ outcome, seconds }) => {
      judged = undefined;
      terminal.now();
      const kind = { promoted: 'good', 'rolled back': 'bad', held: 'open' } as const;
      const { verdict } = outcome;
      const rest = verdictSentence(outcome).slice(verdict.length);
      const [first, ...others] = wrapped(`${clock(seconds)}  ${verdict}${rest}`);
      terminal.say(first.replace(verdict, terminal.style(kind[verdict], verdict)));
      for (const line of others) terminal.say(line);
    },
  };
}

const MARGIN = ' '.repeat(9);

/** What a client saw, and what of it was the client's own work. */
export function throughClient({ p50, p99, perSecond, clientMs }: ReplayFigures): string {
  const seen = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${perSecond.toFixed(0)} requests/s`;
  return `through the AWS SDK's client, whose own work is ${clientMs.toFixed(1)} ms a request: ${seen}`;
}

/** Breaks a line where the terminal ends, the rest below its words; as it is where nobody's eyes are. */
function wrapped(text: string): string[] {
  const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  const lines = [''];
  for (const word of text.split(/(?<=\S) /)) {
    const last = lines.at(-1)!;
    const longer = last === '' ? word : `${last} ${word}`;
    if (longer.length < width || last === '') lines[lines.length - 1] = longer;
    else lines.push(MARGIN + word);
  }
  return lines;
}
