/* Draws the page's plots from the data beside them; runs in the reader's browser. */
(() => {
  const FONT = '12px system-ui, sans-serif';
  const HEIGHT = 210;
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

  const share = (value) => `${value === 0 ? 0 : Number((value * 100).toPrecision(value < 0.995 ? 2 : 3))} %`;
  const evidence = (log) => {
    const value = 10 ** log;
    if (log >= 6) return 'over a million';
    return value >= 100 ? Math.round(value).toLocaleString('en').replaceAll(',', '\u202f') : String(Number(value.toPrecision(2)));
  };
  const UNITS = {
    share: { write: share, splits: undefined, tick: share },
    'log share': {
      write: (log) => (log <= -3 ? 'at most 0.1 %' : share(10 ** log)),
      splits: [-3, -2, -1, 0],
      tick: (log) => share(10 ** log),
    },
    'log evidence': {
      write: evidence,
      splits: [-4, -2, 0, 2, 4, 6],
      tick: (log) => (log < -2 || log > 2 ? `10${{ '-': '⁻' }[String(log)[0]] ?? ''}${'⁰¹²³⁴⁵⁶'[Math.abs(log)]}` : String(10 ** log)),
    },
  };

  /** Values that no line reaches, since there is none before and none after them. */
  const lonely = (values) =>
    [...values.keys()].filter((i) => values[i] !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null);

  /** Lines in the order of the data, each interval as two unseen ones after all others. */
  function seriesOf({ lines, unit }) {
    const series = lines.map((line) => ({
      label: line.label,
      stroke: () => colour(line.role),
      width: line.dots ? 0 : 2,
      points: line.dots
        ? { show: true, size: 4, width: 0, fill: () => colour(line.role) }
        : { show: true, size: 5, width: 0, fill: () => colour(line.role), filter: () => lonely(line.values) },
      paths: line.dots ? () => null : line.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
      value: (_, value) => (value == null ? '–' : UNITS[unit].write(value)),
    }));
    const data = lines.map((line) => line.values);
    const bands = [];
    for (const line of lines) {
      if (!line.high) continue;
      bands.push({ series: [series.length + 2, series.length + 1], fill: () => colour(`${line.role}-band`) });
      for (const edge of [line.low, line.high]) {
        series.push({ stroke: 'transparent', width: 0, points: { show: false } });
        data.push(edge);
      }
    }
    return { series, data, bands };
  }

  function shadeSpans(u, spans) {
    const { ctx } = u;
    const { top, height, left, width } = u.bbox;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = 'bottom';
    ctx.textAlign = 'left';
    let free = 0;
    for (const [i, span] of spans.entries()) {
      const from = Math.max(left, u.valToPos(span.from, 'x', true));
      const until = Math.min(left + width, u.valToPos(span.until, 'x', true));
      ctx.fillStyle = colour(i % 2 === 0 ? 'span' : 'span-other');
      ctx.fillRect(from, top, until - from, height);
      ctx.fillStyle = colour('muted');
      const wide = ctx.measureText(span.label).width;
      const at = Math.min(Math.max(left, (from + until - wide) / 2), left + width - wide);
      if (at < free) continue;
      ctx.fillText(span.label, at, top - 2 * ratio);
      free = at + wide + 4 * ratio;
    }
    ctx.restore();
  }

  /** A label goes to the right of those that it would overlap, and over the lines. */
  function drawThresholds(u, thresholds) {
    const { ctx } = u;
    const { left, width, top, height } = u.bbox;
    const ratio = devicePixelRatio;
    const shown = thresholds
      .map(({ value, label }) => ({ label, y: u.valToPos(value, 'y', true) }))
      .filter(({ y }) => y >= top && y <= top + height);
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'bottom';
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    ctx.lineWidth = ratio;
    ctx.strokeStyle = colour('ink');
    for (const { y } of shown) {
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    ctx.lineWidth = 4 * ratio;
    ctx.strokeStyle = colour('paper');
    ctx.fillStyle = colour('ink');
    const written = [];
    for (const { y, label } of shown) {
      const beside = written.filter((other) => Math.abs(other.y - y) < 12 * ratio).map(({ end }) => end + 10 * ratio);
      const at = Math.max(left + 4 * ratio, ...beside);
      ctx.strokeText(label, at, y - 2 * ratio);
      ctx.fillText(label, at, y - 2 * ratio);
      written.push({ y, end: at + ctx.measureText(label).width });
    }
    ctx.restore();
  }

  /** Names lines at their right end; of two that would overlap the first is named. */
  function tagLines(u, lines) {
    const { ctx } = u;
    const ratio = devicePixelRatio;
    const taken = [];
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    for (const { tag, values, role } of lines) {
      const last = values.findLastIndex((value) => value !== null);
      if (!tag || last < 0) continue;
      const y = u.valToPos(values[last], 'y', true);
      if (taken.some((other) => Math.abs(other - y) < 11 * ratio)) continue;
      taken.push(y);
      ctx.fillStyle = colour(role);
      ctx.fillText(tag, u.bbox.left + u.bbox.width + 4 * ratio, y);
    }
    ctx.restore();
  }

  /** What the lines are at the cursor, in all plots of the candidate. */
  function readOut(u, chart, place) {
    const i = u.cursor.idx;
    if (i == null || u.cursor.left < 0) {
      place.textContent = '';
      return;
    }
    const parts = chart.lines
      .filter((line) => line.values[i] !== null)
      .map((line) => `${line.label} ${UNITS[chart.unit].write(line.values[i])}`);
    place.textContent = parts.length === 0 ? '' : `${Math.round(chart.x[i])} s: ${parts.join(', ')}`;
  }

  function draw(holder, { spans, seconds }, chart) {
    const { series, data, bands } = seriesOf(chart);
    const unit = UNITS[chart.unit];
    const place = document.createElement('p');
    place.className = 'readout';
    holder.after(place);
    const axis = { stroke: () => colour('muted'), font: FONT, grid: { stroke: () => colour('grid'), width: 1 }, ticks: { show: false } };
    const plot = new uPlot(
      {
        width: holder.clientWidth,
        height: HEIGHT,
        padding: [18, chart.lines.some(({ tag }) => tag) ? 34 : 12, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: holder.dataset.plots, scales: ['x', null] }, drag: { x: false, y: false }, y: false },
        scales: { x: { time: false, range: [0, seconds] }, y: { range: chart.range } },
        axes: [
          { ...axis, size: 28, values: (_, splits) => splits.map((second) => `${second} s`) },
          {
            ...axis,
            size: 54,
            gap: 4,
            ...(unit.splits ? { splits: () => unit.splits } : {}),
            values: (_, splits) => splits.map(unit.tick),
          },
        ],
        series: [{}, ...series],
        bands,
        hooks: {
          drawClear: [(u) => shadeSpans(u, spans)],
          draw: [(u) => drawThresholds(u, chart.thresholds), (u) => tagLines(u, chart.lines)],
          setCursor: [(u) => readOut(u, chart, place)],
        },
      },
      [chart.x, ...data],
      holder,
    );
    new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: HEIGHT })).observe(holder);
    for (const media of ['(prefers-color-scheme: dark)', 'print']) matchMedia(media).addEventListener('change', () => plot.redraw(false));
  }

  for (const holder of document.querySelectorAll('.plot')) {
    const plots = JSON.parse(document.getElementById(holder.dataset.plots).textContent);
    draw(holder, plots, plots.charts[Number(holder.dataset.chart)]);
  }
})();
