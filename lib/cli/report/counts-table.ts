import type { Counts, Series } from '../../judge';
import type { Rehearsed } from '../rehearsal/rehearsal';
import { grouped, percent } from './figures';
import { html, type Markup } from './markup';
import { judgedBins, metricName, type Stretch, stretchesOf } from './stretches';

/** The counts that were judged, bin by bin: the plots as a table. */
export function countsTable(rehearsed: Rehearsed): Markup {
  const stretches = stretchesOf(rehearsed);
  if (stretches.length === 0) return html``;
  const columns = columnsOf(stretches.at(-1)!);
  const begun = rehearsed.outcome.startedAt / 1000;
  return html`<details><summary>The counts, bin by bin</summary><div class="scroll" tabindex="0" role="region" aria-label="Counts, bin by bin"><table class="counts">
<thead>
<tr><th scope="col" rowspan="2">Second</th><th scope="col" rowspan="2">Routed</th><th scope="colgroup" colspan="2">Requests</th>${columns.map(({ label }) => html`<th scope="colgroup" colspan="2">${label}</th>`)}</tr>
<tr>${[null, ...columns].map(() => html`<th scope="col" class="number">live</th><th scope="col" class="number">candidate</th>`)}</tr>
</thead>
<tbody>
${stretches.map((stretch) => rowsOf(stretch, begun))}</tbody>
</table></div></details>`;
}

interface Column {
  readonly label: string;
  readonly series: Series;
}

const columnsOf = ({ input }: Stretch): Column[] =>
  input.metrics.flatMap((metric) =>
    metric.series.map((series) => ({ label: [metricName(metric), series.label].filter(Boolean).join(' '), series })),
  );

function rowsOf(stretch: Stretch, begun: number): Markup[] {
  const columns = columnsOf(stretch);
  const { counts } = columns[0].series;
  return judgedBins(counts, stretch).map((i) => {
    const start = counts.start[i];
    const routed = stretch.routing.filter(({ from }) => from <= start).at(-1);
    return html`<tr><th scope="row" class="number">${Math.round(start - begun)}</th><td>${routed ? percent(routed.share) : 'shadow'}</td>${pair(counts, 'Requests', start)}${columns.map(({ series }) => pair(series.counts, 'Bad', start))}</tr>
`;
  });
}

function pair(counts: Counts, what: 'Requests' | 'Bad', start: number): Markup[] {
  const i = counts.start.indexOf(start);
  return (['baseline', 'candidate'] as const).map(
    (arm) => html`<td class="number">${i < 0 ? '' : grouped(counts[`${arm}${what}`][i])}</td>`,
  );
}
