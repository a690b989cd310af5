import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkOutput } from '../../lib/cli/output-file';
import type { RehearsalResult, Rehearsed } from '../../lib/cli/rehearsal/rehearsal';
import { reportPage, writeReport } from '../../lib/cli/report';
import { evaluate, type JudgeInput, type MetricInput, rateInterval, type Series, type Verdict } from '../../lib/judge';
import type { Entry, Outcome } from '../../lib/promotion';

const BEGUN = 1_800_000_000;
const LIVE_REQUESTS = 2000;
const LIVE_FAILED = 2;

/** Counts of 20 bins of a second from `from` on, the same in each. */
function series(from: number, candidate: [bad: number, of: number], baseline: [bad: number, of: number], label?: string): Series {
  const start = Array.from({ length: 20 }, (_, i) => from + i);
  const all = (value: number) => start.map(() => value);
  return {
    label,
    counts: {
      start,
      seconds: all(1),
      candidateRequests: all(candidate[1]),
      candidateBad: all(candidate[0]),
      baselineRequests: all(baseline[1]),
      baselineBad: all(baseline[0]),
    },
  };
}

/** A candidate with `bad` of 100 requests a second answered by an error, beside a live version with 5 of 100. */
function judgeInput(bad: number, from: number, share: number | undefined): JudgeInput {
  const errors = { series: [series(from, [bad, 100], [5, 100])], required: true };
  const metrics: MetricInput[] = [
    { id: 'server-errors', name: '5xx', kind: 'serverErrors', objective: { rate: 0.05, badWhen: 'both' }, ...errors },
    { id: 'model-errors', name: 'model errors', kind: 'modelErrors', ...errors },
    {
      id: 'latency',
      name: 'latency',
      kind: 'latency',
      series: [50, 90, 99].map((p) => series(from, [Math.max(5, 100 - p), 100], [Math.max(5, 100 - p), 100], `p${p}`)),
    },
    { id: 'wrong-answers', name: 'wrong answers', kind: 'wrongAnswers', series: [series(from, [13, 100], [14, 100])] },
  ];
  return { metrics, settings: { blockSeconds: 1 }, routing: share === undefined ? undefined : [{ from, share }] };
}

interface Given {
  readonly name: string;
  readonly version: string;
  readonly verdict: Outcome['verdict'];
  readonly during: string;
  readonly judged: readonly Verdict[];
  readonly reason?: string;
}

function rehearsed({ name, version, verdict, during, judged, reason }: Given): Rehearsed {
  const last = judged.at(-1) ?? null;
  const outcome: Outcome = {
    promotionId: `p-${version}`,
    endpointName: 'flights',
    modelPackageArn: 'arn:aws:sagemaker:us-east-1:000000000000:model-package/m/1',
    verdict,
    reason: reason ?? last!.sentence,
    startedAt: BEGUN * 1000,
    endedAt: (BEGUN + 70) * 1000,
    during,
    verdictKey: last === null ? null : 'key',
    endpointConfigName: 'config',
  };
  const story: Entry[] = [
    { at: BEGUN * 1000, what: 'begin', sentence: `${name} wants to go live` },
    ...judged.map((one) => ({ at: (one.until! + 1) * 1000, what: 'verdict', sentence: one.sentence, verdict: one })),
    { at: outcome.endedAt, what: 'outcome', sentence: outcome.reason, outcome },
  ];
  return { version: published(name, version), outcome, seconds: 70.4, verdict: last, story };
}

function published(name: string, version: string): RehearsalResult['live']['version'] {
  const inspection = { name, version, format: 'onnx' } as RehearsalResult['live']['version']['inspection'];
  return { directory: `models/${version}`, inspection, digest: 'd', archiveBytes: 1, modelPackageArn: 'a', modelDataUrl: 's3://b/k' };
}

const good = [evaluate(judgeInput(5, BEGUN + 5, undefined)), evaluate(judgeInput(5, BEGUN + 35, 0.5))];
const bad = [evaluate(judgeInput(30, BEGUN + 35, 0.5))];

function resultOf(...promotions: Rehearsed[]): RehearsalResult {
  const figures = {
    requests: LIVE_REQUESTS,
    failed: LIVE_FAILED,
    known: LIVE_REQUESTS - LIVE_FAILED,
    accuracy: 0.85,
    p50: 4,
    p99: 30,
    perSecond: 900,
    clientMs: 1.1,
  };
  return {
    endpointName: 'flights',
    live: { version: published('flight-delay', '1'), figures, model: { p50: 1.25, p99: 9.5 } },
    promotions,
  };
}

const result = resultOf(
  rehearsed({ name: 'flight-delay', version: '2', verdict: 'promoted', during: 'go live', judged: good }),
  rehearsed({ name: '</script><b onclick="x">&', version: '3', verdict: 'rolled back', during: '50 %', judged: bad }),
  rehearsed({
    name: 'flight-delay',
    version: '4',
    verdict: 'held',
    during: 'shadow 100 %',
    judged: good.slice(0, 1),
    reason: 'not enough evidence by the deadline: held: not enough evidence yet: 5xx 0 % against 0 %',
  }),
  rehearsed({
    name: 'flight-delay',
    version: '5',
    verdict: 'rolled back',
    during: 'check',
    judged: [],
    reason: 'the artifact is another one',
  }),
);
const page = reportPage(result);

/** What a reader sees of a piece of the page. */
const readable = (markup: string): string =>
  markup
    .replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('\u202F', ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

const sections = page.split('<section class="candidate"').slice(1);
const rows = page
  .match(/<table class="versions">[\s\S]*?<\/table>/)![0]
  .split('<tr>')
  .slice(2)
  .map(readable);
const plotsOf = (section: string) => JSON.parse(section.match(/<script type="application\/json"[^>]*>(.*?)<\/script>/s)![1]);

describe('the report of a rehearsal', () => {
  it('counts the verdicts in its title', () => {
    expect(page).toContain('<title>flight-delay: 1 promoted, 2 rolled back, 1 held</title>');
  });

  it('shows every candidate with its verdict in a sentence', () => {
    expect(sections).toHaveLength(4);
    expect([good[1].decision, bad[0].decision]).toEqual(['promote', 'rollBack']);
    const sentences = sections.map((section) => readable(section.match(/<p class="verdict[^>]*>(.*?)<\/p>/s)![1]).trim());
    expect(sentences[0]).toBe(`Promoted: ${good[1].sentence.replace('promoted: ', '')}.`);
    expect(sentences[1]).toBe(`Rolled back at 50 % of the traffic: ${bad[0].sentence.replace('rolled back: ', '')}.`);
    expect(sentences[2]).toBe('Held as a shadow: not enough evidence by the deadline: 5xx 0 % against 0 %.');
    expect(sentences[3]).toBe('Rolled back at the check: the artifact is another one.');
  });

  it('lists the live version and the candidates with the numbers of their verdicts', () => {
    expect(rows).toHaveLength(5);
    expect(rows[0]).toMatch(/flight-delay 1 live /);
    expect(rows[0]).toContain('0.1 %');
    expect(rows[0]).toContain('p50 1.3 ms p99 9.5 ms');
    expect(rows[0]).toContain('15 %');
    const { totals } = bad[0].metrics[0].series[0];
    const { low, high } = rateInterval(totals.candidateBad, totals.candidateRequests);
    expect(rows[2]).toContain('rolled back at 50 % of the traffic 70 s');
    expect(rows[2]).toContain(` ${totals.candidateRequests} `.replace(/ (\d)(\d{3}) /, ' $1 $2 '));
    expect(rows[2]).toContain(` ${bad[0].crossing!.totals.candidateBad} `);
    expect(rows[2]).toContain(`30 % ${(low * 100).toFixed(1).replace(/\.0$/, '')} to ${(high * 100).toFixed(1).replace(/\.0$/, '')} %`);
  });

  it('sets the evidence of each metric beside what suffices', () => {
    const text = readable(sections[1]);
    expect(text).toContain('5xx 5 % 100 of 2 000 30 % 600 of 2 000');
    expect(text).toMatch(/All metrics together .* of 20 shown/);
    expect(readable(sections[0])).not.toMatch(/All metrics together [^T]* shown/);
  });

  it('draws share, each metric once, and evidence; what has the same counts is one plot', () => {
    const { charts, seconds } = plotsOf(sections[1]);
    expect(charts.map(({ title }: { title: string }) => title)).toEqual([
      'Traffic share of the candidate',
      'Rate of 5xx, model errors',
      'Share of slow requests',
      'Rate of wrong answers',
      'Evidence',
    ]);
    expect(seconds).toBe(70);
    const [live, candidate] = charts[1].lines;
    expect(candidate.values.at(-1)).toBe(0.3);
    expect(live.values.at(-1)).toBe(0.05);
    const { low, high } = rateInterval(600, 2000);
    expect([candidate.low.at(-1), candidate.high.at(-1)]).toEqual([low, high]);
    const worse = charts[4].lines[0].values;
    expect(Math.max(...worse)).toBeGreaterThanOrEqual(charts[4].thresholds[0].value);
  });

  it('says of the shadow what rolls back there, since it is judged for a part of the error rate of its own', () => {
    const judged = (from: number, share: number | undefined, alpha: number) =>
      evaluate({ ...judgeInput(5, BEGUN + from, share), settings: { blockSeconds: 1, alpha } });
    const labelsOf = (...verdicts: Verdict[]) => {
      const promoted = rehearsed({ name: 'flight-delay', version: '2', verdict: 'promoted', during: 'go live', judged: verdicts });
      const { thresholds } = plotsOf(reportPage(resultOf(promoted))).charts.at(-1);
      return thresholds.map(({ label }: { label: string }) => label);
    };
    expect(labelsOf(judged(5, undefined, 0.01), judged(35, 0.5, 0.04))).toEqual(['25 rolls back', '20 promotes', '100 as a shadow']);
    expect(labelsOf(judged(35, 0.5, 0.04))).toEqual(['25 rolls back', '20 promotes']);
    expect(labelsOf(judged(5, undefined, 0.05), judged(35, 0.5, 0.05))).toEqual(['20 suffices for either']);
  });

  it('interrupts the lines between the shadow and the routed shares, which count apart', () => {
    const { charts, spans } = plotsOf(sections[0]);
    expect(spans.map(({ label }: { label: string }) => label)).toEqual(['shadow', '50 %']);
    expect(charts[1].lines[0].values.filter((value: number | null) => value === null)).toHaveLength(1);
    expect(charts[0].lines[0].values.at(-1)).toBe(1);
    expect(plotsOf(sections[1]).charts[0].lines[0].values.at(-1)).toBe(0);
  });

  it('gives the counts as a table, bin by bin', () => {
    expect(sections[0].match(/<table class="counts">[\s\S]*?<\/table>/)![0].split('<tr>')).toHaveLength(3 + 40);
    expect(sections[3]).not.toContain('table class="counts"');
  });

  it('takes a candidate that was turned away before it was judged', () => {
    expect(readable(sections[3])).toContain('It was decided before any request was compared.');
    expect(sections[3]).not.toContain('class="plot"');
  });

  it('keeps markup in names from being markup, in the text and in the data', () => {
    expect(page).not.toContain('<b onclick');
    expect(page).toContain('&lt;/script&gt;&lt;b onclick=&quot;x&quot;&gt;&amp; 3');
    expect(readable(sections[1])).toContain('</script><b onclick="x">& 3');
  });

  it('fetches nothing, and its policy lets nothing but its own scripts run', () => {
    const own = page.replace(/<script>[\s\S]*?<\/script>/g, '');
    expect(own).not.toMatch(/https?:|src=|href=|@import|url\(/);
    expect(page.match(/<script>[\s\S]*?<\/script>/g)!.join('')).not.toMatch(/fetch\(|XMLHttpRequest|WebSocket|import\(/);
    const policy = page.match(/Content-Security-Policy" content="([^"]*)"/)![1].replaceAll('&#39;', "'");
    expect(policy).toMatch(/^default-src 'none';/);
    for (const [, element, text] of page.matchAll(/<(script|style)>([\s\S]*?)<\/\1>/g)) {
      const [, allowed] = policy.match(new RegExp(`${element}-src ([^;]*)`))!;
      expect(allowed).toContain(`'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    }
  });

  it('closes every element that it opens, in order, and gives each id once', () => {
    const open: string[] = [];
    const tags = page.replace(/(<(?:script|style)[^>]*>)[\s\S]*?(<\/(?:script|style)>)/g, '$1$2').replace(/^<!doctype html>/, '');
    for (const [, closing, name] of tags.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
      if (name === 'meta') continue;
      if (closing === '') open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
    const ids = [...tags.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is the same page for the same result', () => {
    expect(reportPage(JSON.parse(JSON.stringify(result)))).toBe(page);
  });
});

describe('the file of a report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is written where it was asked for', () => {
    const file = join(folder, 'report.html');
    checkOutput(file);
    expect(existsSync(file)).toBe(false);
    expect(writeReport(file, result)).toBe(file);
    expect(readFileSync(file, 'utf8')).toBe(page);
  });

  it('is refused before anything runs when it cannot be written', () => {
    expect(() => checkOutput(join(folder, 'no', 'report.html'))).toThrow(/there is no such folder$/);
    expect(() => checkOutput(folder)).toThrow('it is a folder; name a file');
  });
});
