import { createHash } from 'node:crypto';
import type { Outcome } from '../../promotion';
import type { RehearsalResult, Rehearsed } from '../rehearsal/rehearsal';
import { type Assets, readAssets } from './assets';
import { candidateSection } from './candidate';
import { grouped } from './figures';
import { html, Markup } from './markup';
import { type Rate, seconds, titleOf, type VersionRow, versionRows } from './versions';

/** Everything that the page says is in the result: the same result makes the same page. */
export function reportPage(result: RehearsalResult, assets: Assets = readAssets()): string {
  const { live, promotions, endpointName } = result;
  const title = `${live.version.inspection.name}: ${summary(promotions)}`;
  const { startedAt } = promotions[0].outcome;
  const style = new Markup(assets.style);
  const scripts = assets.scripts.map((script) => new Markup(script));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(assets)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="kicker">Rehearsal of ${endpointName}, <time datetime="${new Date(startedAt).toISOString()}">${day(startedAt)}</time></p>
<h1>${title}</h1>
<p>${titleOf(live.version)} was live first; each candidate was compared with what was live when it came. Rates are of all requests that were judged; an interval beside a rate holds the true one, at every moment, with a probability of 95 %.</p>
</header>
<main>
<section aria-labelledby="versions">
<h2 id="versions">Versions</h2>
${versionsTable(versionRows(result))}
</section>
<noscript><p class="note">The plots need JavaScript, which this page brings along; every number is in the tables.</p></noscript>
${promotions.map(candidateSection)}
</main>
${scripts.map((script) => html`<script>${script}</script>\n`)}</body>
</html>
`.text;
}

/** e.g. `2 promoted, 1 held`. */
function summary(promotions: readonly Rehearsed[]): string {
  const verdicts: Outcome['verdict'][] = ['promoted', 'rolled back', 'held'];
  return verdicts
    .map((verdict) => ({ verdict, count: promotions.filter(({ outcome }) => outcome.verdict === verdict).length }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${count} ${verdict}`)
    .join(', ');
}

/** Nothing but what the page carries may run, and nothing may be fetched. */
function policy({ style, scripts }: Assets): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return `default-src 'none'; style-src ${hash(style)}; script-src ${scripts.map(hash).join(' ')}; base-uri 'none'; form-action 'none'`;
}

const day = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function versionsTable(rows: readonly VersionRow[]): Markup {
  const answers = rows.some(({ wrongAnswers }) => wrongAnswers !== null);
  return html`<table class="versions">
<thead><tr><th scope="col">Version</th><th scope="col">Verdict</th><th scope="col">Decided</th><th scope="col" class="number">Took</th><th scope="col" class="number">Requests</th><th scope="col" class="number">Bad requests</th><th scope="col" class="number">5xx</th><th scope="col" class="number">Latency, or share slower than live’s</th>${answers ? html`<th scope="col" class="number">Wrong answers</th>` : ''}</tr></thead>
<tbody>
${rows.map(
  (row) => html`<tr>
<th scope="row">${row.title}</th>
<td data-head="Verdict">${badge(row.verdict)}</td>
<td data-head="Decided">${row.when || none}</td>
<td data-head="Took" class="number">${row.seconds === null ? none : seconds(row.seconds)}</td>
<td data-head="Requests" class="number">${row.requests === null ? none : grouped(row.requests)}</td>
<td data-head="Bad requests" class="number">${row.badRequests === null ? none : grouped(row.badRequests)}</td>
<td data-head="5xx" class="number">${withInterval(row.errors)}</td>
<td data-head="${row.verdict === 'live' ? 'Latency' : 'Slower than live’s'}" class="number">${row.latency.length === 0 ? none : html`<div>${row.latency.map((one) => html`<div><span class="label">${one.label}</span> ${withInterval(one)}</div>`)}</div>`}</td>
${answers ? html`<td data-head="Wrong answers" class="number">${withInterval(row.wrongAnswers)}</td>` : ''}
</tr>
`,
)}</tbody>
</table>`;
}

const none = html`<span class="none">–</span>`;

const withInterval = (rate: Rate | null): Markup => {
  if (rate === null) return none;
  return html`<span class="rate">${rate.text}${rate.interval ? html` <span class="interval">${rate.interval}</span>` : ''}</span>`;
};

const badge = (verdict: VersionRow['verdict']): Markup => html`<span class="badge ${verdict.replace(' ', '-')}">${verdict}</span>`;
