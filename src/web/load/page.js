"use strict";
/* The curves. Everything else on the page is there without this. */
(() => {
  const source = document.getElementById("data");
  const place = document.getElementById("charts");
  if (!source || !place) return;
  const data = JSON.parse(source.textContent);
  const run = data.run;
  const before = data.before;
  const facts = data.facts || {};
  const NARROW = "\u202f";

  const el = (name, kind, text) => {
    const element = document.createElement(name);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const digits = (value) => {
    const size = Math.abs(value);
    if (size >= 99.95) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, NARROW);
    return String(Number(value.toPrecision(3)));
  };
  const seconds = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size < 0.001) return `${digits(value * 1e6)}${NARROW}µs`;
    return size < 1 ? `${digits(value * 1e3)}${NARROW}ms` : `${digits(value)}${NARROW}s`;
  };
  const percent = (value) => `${digits(value * 100)}${NARROW}%`;
  const clock = (value) => {
    const size = Math.abs(Math.round(value));
    const sign = value < 0 ? "−" : "";
    if (size < 120) return `${sign}${size}${NARROW}s`;
    return `${sign}${Math.floor(size / 60)}:${String(size % 60).padStart(2, "0")}`;
  };

  /* Another run's seconds, laid over those of this one. */
  const over = (at, otherAt, values) => {
    const found = new Map(otherAt.map((time, index) => [time, values[index]]));
    return at.map((time) => found.get(time) ?? null);
  };
  const line = (label, color, values, dash) => ({ label, color, values, dash });
  const was = (label, name) => before ? [line(label, "before", over(run.at, before.at, before[name]), true)] : [];

  const charts = [
    { title: "Answers a second", show: digits, at: run.at,
      lines: [line("good", "after", run.rate), line("errors", "error", run.errors), ...was("good before", "rate")] },
    { title: "Latency", show: seconds, at: run.at, isLog: true,
      lines: [line("p50", "third", run.p50), line("p95", "after", run.p95), line("p99", "fourth", run.p99),
        ...was("p95 before", "p95")] },
    { title: "Connections", show: digits, at: run.at, lines: [line("open", "after", run.open), ...was("before", "open")] },
    { title: "How late the generator was, p99", show: seconds, at: run.at, lines: [line("late", "third", run.lag)] },
  ];
  const factLines = (parts) => parts.filter(([, , name]) => facts[name])
    .map(([label, color, name]) => line(label, color, facts[name]));
  const processors = factLines([["PostgreSQL", "after", "pg"], ["API", "third", "api"], ["generator", "fourth", "generator"]]);
  const sessions = factLines([["at work", "after", "active"], ["waiting for a lock", "error", "waits"]]);
  if (processors.length) charts.push({ title: "Share of all processors", show: percent, at: facts.at, lines: processors });
  if (sessions.length) charts.push({ title: "Sessions of the database", show: digits, at: facts.at, lines: sessions });

  const from = Math.min(run.at[0], facts.at ? facts.at[0] : 0);
  const to = run.at[run.at.length - 1];
  let palette;
  const color = (name) => palette.getPropertyValue(`--${name}`).trim();

  /* What does not count: before 0, and after its end. */
  const shade = (plot) => {
    const { ctx, bbox } = plot;
    const bar = (start, end) => {
      const left = Math.max(plot.valToPos(start, "x", true), bbox.left);
      const right = Math.min(plot.valToPos(end, "x", true), bbox.left + bbox.width);
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
    };
    ctx.save();
    ctx.fillStyle = color("shade");
    bar(from, 0);
    bar(run.counted, to);
    ctx.restore();
  };

  const options = (chart, box) => {
    const axis = { stroke: color("faint"), font: `11px ${getComputedStyle(document.body).fontFamily}`, ticks: { show: false },
      grid: { stroke: color("line"), width: 1 } };
    return {
      width: box.clientWidth, height: box.clientHeight, padding: [8, 12, 0, 0], legend: { show: false },
      cursor: { sync: { key: "load" }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: {
        x: { time: false, range: () => [from, Math.max(to, from + 1)] },
        y: chart.isLog ? { distr: 3 } : { range: (plot, low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        { ...axis, size: 24, gap: 4, space: 64, grid: { show: false }, incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600], values: (plot, splits) => splits.map(clock) },
        { ...axis, size: 58, gap: 4, space: 26, values: (plot, splits) => splits.map((split) => split === null ? "" : chart.show(split)) },
      ],
      series: [{}, ...chart.lines.map((one) => ({
        stroke: color(one.color), width: one.dash ? 1.2 : 1.6, dash: one.dash ? [5, 4] : undefined, spanGaps: false,
        points: { show: false },
      }))],
      hooks: { drawClear: [shade], setCursor: [(plot) => tell(chart, plot.cursor.idx)] },
    };
  };

  /* Beside each name its number under the cursor. */
  const tell = (chart, index) => {
    const isThere = index !== null && index !== undefined;
    chart.when.textContent = isThere ? clock(chart.at[index]) : "";
    chart.lines.forEach((one) => {
      const value = isThere ? one.values[index] : null;
      one.now.textContent = value === null || value === undefined ? "" : ` ${chart.show(value)}`;
    });
  };
  /* A logarithm has no zero. */
  const columns = (chart) => [chart.at, ...chart.lines.map((one) =>
    chart.isLog ? one.values.map((value) => value > 0 ? value : null) : one.values)];

  const build = (chart) => {
    if (chart.plot) chart.plot.destroy();
    chart.plot = new uPlot(options(chart, chart.box), columns(chart), chart.box);
  };
  const move = (chart, event) => {
    const last = chart.at.length - 1;
    const now = chart.plot.cursor.idx ?? 0;
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const index = Math.min(Math.max(next, 0), last);
    chart.plot.setCursor({ left: chart.plot.valToPos(chart.at[index], "x"), top: 10 });
  };

  palette = getComputedStyle(document.documentElement);
  for (const chart of charts) {
    const figure = el("figure", "chart");
    const heading = el("h3", "", chart.title);
    const legend = el("div", "legend");
    figure.tabIndex = 0;
    figure.setAttribute("aria-label", chart.title);
    chart.when = el("small");
    heading.append(chart.when);
    for (const one of chart.lines) {
      const entry = el("span", one.color, one.label);
      one.now = el("b");
      entry.append(one.now);
      legend.append(entry);
    }
    chart.box = el("div", "plot");
    figure.append(heading, legend, chart.box);
    figure.addEventListener("keydown", (event) => move(chart, event));
    place.append(figure);
  }
  charts.forEach(build);
  const again = () => { palette = getComputedStyle(document.documentElement); charts.forEach(build); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; again(); } });
})();
