import type { MetricEvidence, SeriesEvidence, Verdict } from '../../judge';
import type { Rehearsed } from '../rehearsal/rehearsal';
import { type Chart, type Line, plotsOf } from './charts';
import { countsTable } from './counts-table';
import { evidence, grouped, percent, times, unbroken } from './figures';
import { html, json, type Markup } from './markup';
import { verdictSentence } from './verdict';
import { titleOf } from './versions';

/** One candidate: the verdict, what it rests on, and how it came about. */
export function candidateSection(rehearsed: Rehearsed, index: number): Markup {
  const { version, outcome, verdict } = rehearsed;
  const plots = plotsOf(rehearsed);
  const id = `candidate-${index + 1}`;
  return html`<section class="candidate" aria-labelledby="${id}">
<h2 id="${id}">${titleOf(version)}</h2>
<p class="verdict ${outcome.verdict.replace(' ', '-')}">${unbroken(capital(verdictSentence(outcome)))}.</p>
${verdict ? evidenceTable(verdict) : html`<p class="note">It was decided before any request was compared.</p>`}
${
  plots
    ? html`<div class="plots">
${plots.charts.map(
  (chart, i) => html`<figure>
<figcaption><h3>${chart.title}</h3><p class="note">${unbroken(chart.note)}</p></figcaption>
${legend(chart)}
<div class="plot" data-plots="${id}-data" data-chart="${i}" role="img" aria-label="${spoken(chart)}"></div>
</figure>
`,
)}</div>
<script type="application/json" id="${id}-data">${json(plots)}</script>`
    : ''
}
${verdict ? countsTable(rehearsed) : ''}
${storyList(rehearsed)}
</section>
`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function evidenceTable(verdict: Verdict): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Evidence by metric"><table>
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Live</th><th scope="col" class="number">Candidate</th><th scope="col" class="number">Times as often</th><th scope="col" class="number">Evidence: worse</th><th scope="col" class="number">Evidence: not worse</th></tr></thead>
<tbody>
${verdict.metrics.map((metric) => metric.series.map((series, i) => evidenceRow(metric, series, i)))}</tbody>
<tfoot><tr><th scope="row" colspan="4">All metrics together</th><td class="number">${weighed(verdict.logWorse, verdict.logWorseThreshold)}</td><td></td></tr></tfoot>
</table></div>`;
}

function evidenceRow(metric: MetricEvidence, series: SeriesEvidence, i: number): Markup {
  const { totals, relativeRisk } = series;
  const label = series.label === metric.name ? metric.name : `${metric.name} ${series.label}`;
  const of = (bad: number, requests: number, share: number | null) =>
    share === null ? 'no requests' : html`${percent(share)} <span class="interval">${grouped(bad)} of ${grouped(requests)}</span>`;
  const { low, high } = relativeRisk;
  const risk = high === null ? (low === 0 ? 'unknown' : `at least ${times(low)}`) : `${times(low)} to ${times(high)}`;
  const rows = metric.series.length;
  const spanning = (log: number, threshold: number | null) =>
    i > 0 ? '' : html`<td class="number" rowspan="${rows}">${weighed(log, threshold)}</td>`;
  return html`<tr><th scope="row">${label}</th><td class="number">${of(totals.baselineBad, totals.baselineRequests, series.baselineRate)}</td><td class="number">${of(totals.candidateBad, totals.candidateRequests, series.candidateRate)}</td><td class="number">${risk}</td>${spanning(metric.logWorse, metric.logWorseThreshold)}${spanning(metric.logNotWorse, metric.required ? metric.logNotWorseThreshold : null)}</tr>
`;
}

/** Evidence beside what suffices; null where it decides nothing. */
function weighed(log: number, threshold: number | null): Markup {
  if (threshold === null) return html`${evidence(log)}`;
  const shown = log >= threshold ? html` <strong>shown</strong>` : '';
  return html`${evidence(log)} <span class="interval">of ${evidence(threshold)}</span>${shown}`;
}

function legend({ lines }: Chart): Markup {
  const shown = lines.filter((line, i) => lines.findIndex(({ role }) => role === line.role) === i);
  return html`<ul class="legend">${shown.map(
    (line) =>
      html`<li class="${line.role}${line.dots ? ' dots' : ''}">${line.tag ? line.label.replace(` ${line.tag}`, '') : line.label}</li>`,
  )}</ul>`;
}

/** What the plot shows, for those who do not see it. */
function spoken({ title, lines, unit }: Chart): string {
  const ends = lines.map((line) => `${line.label} ${atEnd(line, unit)}`);
  return `${title} over time; at the end: ${ends.join(', ')}`;
}

function atEnd({ values }: Line, unit: Chart['unit']): string {
  const last = values.filter((value) => value !== null).at(-1);
  if (last === undefined) return 'unknown';
  if (unit === 'log evidence') return evidence(last * Math.LN10);
  return percent(unit === 'share' ? last : 10 ** last);
}

function storyList({ story }: Rehearsed): Markup {
  const [first] = story;
  return html`<details><summary>What happened</summary><ol class="story">${story.map(
    ({ at, sentence }) =>
      html`<li><time datetime="${new Date(at).toISOString()}">${((at - first.at) / 1000).toFixed(0)} s</time> ${sentence}</li>`,
  )}</ol></details>`;
}
