/**
 * Draws docs/judging.svg: the evidence of three canaries, minute by minute, as the judge of lib/judge weighs it.
 * Run as `node --import tsx bench/judge/plot.ts`.
 */
import { writeFileSync } from 'node:fs';
import { type Bin, countsOf, type TracePoint, trace } from '../../lib/judge';
import { Random } from './random';

const MINUTES = 40;
const PER_SECOND = 50;
const SHARE = 0.1;
const BASE = 0.005;
const ENOUGH = 20;

/** Drawn from blue to red as they get worse; each colour has a lightness for either background. */
const CANARIES = [
  { name: 'as good', times: 1, style: 'good' },
  { name: '2 times the errors', times: 2, style: 'double' },
  { name: '5 times the errors', times: 5, style: 'worse' },
];

function canary(times: number): TracePoint[] {
  const random = new Random(`plot ${times}`);
  const bins = Array.from({ length: MINUTES }, (_, i): Bin => {
    const requests = random.poisson(PER_SECOND * 60);
    const candidateRequests = random.binomial(requests, SHARE);
    const baselineRequests = requests - candidateRequests;
    const candidateBad = random.binomial(candidateRequests, BASE * times);
    return {
      start: 60 * i,
      seconds: 60,
      candidateRequests,
      candidateBad,
      baselineRequests,
      baselineBad: random.binomial(baselineRequests, BASE),
    };
  });
  return trace({ metrics: [{ id: '5xx', series: [{ counts: countsOf(bins) }] }] }, true);
}

const WIDTH = 760;
const PANEL = { left: 62, right: 620, height: 170 };
const [LEAST, MOST] = [1e-3, 1e3];

const x = (minute: number) => PANEL.left + ((PANEL.right - PANEL.left) * minute) / MINUTES;
const y = (top: number, evidence: number) => {
  const part = (Math.log(Math.min(MOST, Math.max(LEAST, evidence))) - Math.log(LEAST)) / (Math.log(MOST) - Math.log(LEAST));
  return top + PANEL.height * (1 - part);
};
const n = (value: number) => Number(value.toFixed(1));

function panel(top: number, title: string, decision: TracePoint['decision'], of: (point: TracePoint) => number): string {
  const parts: string[] = [`<text class="title" x="${PANEL.left}" y="${top - 12}">${title}</text>`];
  for (const [tick, label] of [
    [1e-3, '0.001'],
    [0.1, '0.1'],
    [1, '1'],
    [20, '20'],
    [1000, '1000'],
  ] as const) {
    parts.push(
      `<line class="${tick === ENOUGH ? 'enough' : 'grid'}" x1="${PANEL.left}" x2="${PANEL.right}" y1="${n(y(top, tick))}" y2="${n(y(top, tick))}"/>`,
    );
    parts.push(`<text class="tick" text-anchor="end" x="${PANEL.left - 8}" y="${n(y(top, tick) + 4)}">${label}</text>`);
  }
  parts.push(`<text class="label" x="${PANEL.right + 8}" y="${n(y(top, ENOUGH) + 4)}">enough: 20</text>`);
  const labels: { x: number; y: number }[] = [];
  for (const { name, times, style } of CANARIES) {
    const points = canary(times);
    const line = [`${n(x(0))},${n(y(top, 1))}`, ...points.map((point) => `${n(x(point.at / 60))},${n(y(top, Math.exp(of(point))))}`)];
    const last = points.at(-1)!;
    const [endX, endY] = [x(last.at / 60), y(top, Math.exp(of(last)))];
    parts.push(`<polyline class="${style}" points="${line.join(' ')}"/>`);
    const decided = last.decision === decision;
    if (decided) parts.push(`<circle class="${style}" cx="${n(endX)}" cy="${n(endY)}" r="4.5"/>`);
    const minutes = `${last.at / 60} min`;
    const text = decided ? `${name}: ${decision === 'promote' ? 'promoted' : 'rolled back'}, ${minutes}` : name;
    let labelY = endY + (decided ? -9 : 15);
    while (labels.some((other) => Math.abs(other.y - labelY) < 15 && Math.abs(other.x - endX) < 250)) labelY += 15;
    labels.push({ x: endX, y: labelY });
    parts.push(`<text class="label ${style}" x="${n(endX + 7)}" y="${n(labelY)}">${text}</text>`);
  }
  return parts.join('\n');
}

function draw(): string {
  const [first, second] = [46, 46 + PANEL.height + 62];
  const bottom = second + PANEL.height;
  const ticks = [0, 10, 20, 30, 40].map(
    (minute) => `<text class="tick" text-anchor="middle" x="${n(x(minute))}" y="${bottom + 20}">${minute}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 48}" role="img" font-family="system-ui, sans-serif">
<title>Evidence of three canaries, minute by minute</title>
<style>
  svg { background: #ffffff; color: #1b1f24 }
  text { font-size: 13px; fill: #1b1f24 } .title { font-weight: 600; font-size: 14px } .tick { fill: #59636e; font-size: 12px }
  .grid { stroke: #d9dee3 } .enough { stroke: #59636e; stroke-dasharray: 5 4 }
  polyline { fill: none; stroke-width: 2.2; stroke-linejoin: round }
  polyline.good { stroke: #0969da } polyline.double { stroke: #9a6700 } polyline.worse { stroke: #cf222e }
  .good { fill: #0969da } .double { fill: #9a6700 } .worse { fill: #cf222e } polyline { fill: none !important }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 } text { fill: #e6edf3 } .tick { fill: #9198a1 } .grid { stroke: #30363d } .enough { stroke: #9198a1 }
    polyline.good { stroke: #58a6ff } polyline.double { stroke: #e3b341 } polyline.worse { stroke: #ff7b72 }
    .good { fill: #58a6ff } .double { fill: #e3b341 } .worse { fill: #ff7b72 }
  }
</style>
<rect width="100%" height="100%" fill="none"/>
${panel(first, 'Evidence that the candidate is worse', 'rollBack', ({ logWorse }) => logWorse)}
${panel(second, 'Evidence that it is less than twice as bad', 'promote', ({ logNotWorse }) => logNotWorse!)}
${ticks.join('\n')}
<text class="tick" text-anchor="middle" x="${n((PANEL.left + PANEL.right) / 2)}" y="${bottom + 40}">minutes since the canary began (50 requests/s, 10 % of them to the candidate, 0.5 % errors)</text>
</svg>
`;
}

writeFileSync('docs/judging.svg', draw());
