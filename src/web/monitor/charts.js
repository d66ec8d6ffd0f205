"use strict";
/*
 * Numbers over time: what is kept of the metrics, and the charts that draw it. A time without a value is
 * null, which uPlot draws as a gap; so is the time between two values that are further apart than readings are.
 */
const createStore = () => {
  const series = new Map();
  let longestStep = 15;

  const key = (metric, labels) => `${metric}\u001f${labels}`;
  const get = (metric, labels) => {
    const name = key(metric, labels);
    let one = series.get(name);
    if (!one) {
      one = { metric, labels, tags: parseLabels(labels), at: [], values: [] };
      series.set(name, one);
    }
    return one;
  };
  /* The answer of /api/series: times are steps; without them they are those of the series before. */
  const load = (answer, range, interval) => {
    let at = [];
    let widest = interval;
    for (const given of answer.series) {
      if (given.at) {
        let time = 0;
        at = given.at.map((step) => { time += step; return time; });
        const steps = given.at.slice(1).sort((a, b) => a - b);
        if (steps.length) widest = Math.max(widest, steps[Math.floor(steps.length / 2)]);
      }
      const one = get(given.metric, given.labels);
      one.at = at.slice();
      one.values = given.values;
    }
    longestStep = Math.max(3 * interval, 2.5 * widest);
  };
  /* Values of a tick; what has none now is a gap. */
  const add = (at, values, from) => {
    const seen = new Set();
    for (const [metric, labels, value] of values) {
      const one = get(metric, labels);
      seen.add(one);
      if (one.at.length && one.at[one.at.length - 1] >= at) continue;
      one.at.push(at);
      one.values.push(value);
    }
    for (const [name, one] of series) {
      if (!seen.has(one) && one.at.length && one.at[one.at.length - 1] < at && one.values[one.values.length - 1] !== null) {
        one.at.push(at);
        one.values.push(null);
      }
      let old = 0;
      while (old < one.at.length && one.at[old] < from) old += 1;
      if (old > 64) { one.at.splice(0, old); one.values.splice(0, old); }
      if (!one.at.length) series.delete(name);
    }
  };
  const clear = () => series.clear();
  const find = (metric) => [...series.values()].filter((one) => one.metric === metric);
  const metrics = () => [...new Set([...series.values()].map((one) => one.metric))].sort();

  /* Columns for uPlot: common times, a null wherever a series has nothing or a reading is missing. */
  const columns = (parts) => {
    const sameTimes = parts.every((part) => part.at.length === parts[0].at.length &&
      part.at[0] === parts[0].at[0] && part.at[part.at.length - 1] === parts[0].at[0 + part.at.length - 1]);
    let times = parts.length ? parts[0].at : [];
    let rows = parts.map((part) => part.values);
    if (parts.length > 1 && !sameTimes) {
      times = [...new Set(parts.flatMap((part) => part.at))].sort((a, b) => a - b);
      const place = new Map(times.map((time, index) => [time, index]));
      rows = parts.map((part) => {
        const row = new Array(times.length).fill(undefined);
        part.at.forEach((time, index) => { row[place.get(time)] = part.values[index]; });
        return row;
      });
    }
    return withGaps(times, rows);
  };
  const withGaps = (times, rows) => {
    let gaps = 0;
    for (let i = 1; i < times.length; i += 1) if (times[i] - times[i - 1] > longestStep) gaps += 1;
    if (!gaps) return [times, ...rows];
    const at = [];
    const filled = rows.map(() => []);
    times.forEach((time, i) => {
      if (i && time - times[i - 1] > longestStep) {
        at.push(times[i - 1] + longestStep / 2);
        filled.forEach((row) => row.push(null));
      }
      at.push(time);
      filled.forEach((row, j) => row.push(rows[j][i]));
    });
    return [at, ...filled];
  };
  return { load, add, clear, find, metrics, columns };
};

/* Charts share the cursor, the time axis and the markers. */
const createCharts = (tip) => {
  const charts = new Set();
  const sync = uPlot.sync("pgmend");
  let markers = [];
  let from = 0;
  let to = 1;
  let palette = null;
  let pointed = null;

  const colors = () => {
    if (!palette) {
      const style = getComputedStyle(document.documentElement);
      palette = new Proxy({}, { get: (known, name) => known[name] ?? (known[name] = style.getPropertyValue(`--${name}`).trim()) });
    }
    return palette;
  };

  const drawMarkers = (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    for (const marker of markers) {
      if (marker.at < from || marker.at > to) continue;
      const x = Math.round(plot.valToPos(marker.at, "x", true)) + 0.5;
      ctx.strokeStyle = ctx.fillStyle = colors()[`mark-${marker.kind}`];
      ctx.globalAlpha = pointed === marker ? 1 : 0.75;
      ctx.lineWidth = (pointed === marker ? 2 : 1) * ratio;
      ctx.setLineDash(marker.kind === "gap" ? [2 * ratio, 3 * ratio] : [4 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x - 4 * ratio, bbox.top - 1);
      ctx.lineTo(x + 4 * ratio, bbox.top - 1);
      ctx.lineTo(x, bbox.top + 5 * ratio);
      ctx.fill();
    }
    ctx.restore();
  };
  const drawLimit = (plot, limit) => {
    const { ctx, bbox } = plot;
    const y = Math.round(plot.valToPos(limit, "y", true)) + 0.5;
    if (!Number.isFinite(y) || y < bbox.top || y > bbox.top + bbox.height) return;
    ctx.save();
    ctx.strokeStyle = colors().critical;
    ctx.globalAlpha = 0.55;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([1 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  };

  const nearMarkers = (plot) => markers.filter((marker) => marker.at >= from && marker.at <= to &&
    Math.abs(plot.valToPos(marker.at, "x") - plot.cursor.left) < 6);

  /* What stands under the cursor, beside it; only of the chart that the mouse is in. */
  const showTip = (chart, plot) => {
    const { left, top, idx } = plot.cursor;
    if (left < 0 || idx === null || idx === undefined || !plot.over.matches(":hover")) {
      if (tip.owner === chart) tip.hidden = true;
      return;
    }
    const rows = chart.parts.map((part, index) => {
      const value = plot.data[index + 1][idx];
      return [part, value];
    }).filter(([, value]) => value !== null && value !== undefined);
    rows.sort((a, b) => b[1] - a[1]);
    tip.owner = chart;
    fill(tip,
      el("time", null, format.when(plot.data[0][idx])),
      el("table", { class: "legend" }, rows.slice(0, 10).map(([part, value]) => el("tr", null,
        el("td", null, el("i", { class: `c${part.color}` }), part.title || chart.title), el("td", null, chart.show(value))))),
      rows.length ? null : el("div", null, "no reading"),
      ...nearMarkers(plot).slice(0, 6).map((marker) => el("div", { class: "event" },
        el("b", null, marker.title), " ", el("time", null, format.when(marker.at)), marker.detail ? el("div", null, marker.detail) : null)));
    tip.hidden = false;
    const box = plot.over.getBoundingClientRect();
    const width = tip.offsetWidth;
    const x = box.left + left + 14 + width > innerWidth ? box.left + left - 14 - width : box.left + left + 14;
    const y = Math.min(box.top + top + 12, innerHeight - tip.offsetHeight - 6);
    tip.style.left = `${Math.max(4, x)}px`;
    tip.style.top = `${Math.max(4, y)}px`;
  };

  const axisTimes = (plot, splits) => splits.map((split) => {
    const date = new Date(split * 1000);
    const span = to - from;
    if (date.getHours() === 0 && date.getMinutes() === 0 && span > 7200) return format.day(split).slice(5);
    return format.clock(split, span < 300);
  });

  const yRange = (chart) => (plot, min, max) => {
    if (min === null || max === null || !Number.isFinite(min)) return [0, 1];
    if (chart.unit === "ratio" && chart.top) {
      const low = Math.min(min, chart.limit ?? 1);
      return [Math.max(0, low - Math.max(0.002, (1 - low) * 0.15)), 1];
    }
    const low = Math.min(0, min);
    /* A limit that is near is part of the picture; one that is far would flatten it. */
    const high = chart.limit !== undefined && chart.limit < 2.5 * max ? Math.max(max, chart.limit) : max;
    if (chart.unit === "ratio") return [low, Math.min(1.02, Math.max(high * 1.1, 0.05))];
    return [low, high > low ? high + (high - low) * 0.1 : low + 1];
  };

  /* A value between two gaps would not be seen as a line. */
  const lonely = (plot, at) => {
    const values = plot.data[at];
    const found = [];
    for (let i = 0; i < values.length; i += 1) {
      if (values[i] != null && values[i - 1] == null && values[i + 1] == null) found.push(i);
    }
    return found;
  };
  const BYTE_STEPS = Array.from({ length: 50 }, (none, power) => 2 ** power);
  const makeOptions = (chart) => {
    const shade = colors();
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: shade.faint, font, ticks: { show: false }, grid: { stroke: shade.grid, width: 1 } };
    return {
      width: chart.place.clientWidth, height: chart.place.clientHeight,
      padding: chart.isSmall ? [6, 0, 2, 0] : [8, 16, 0, 0],
      legend: { show: false }, pxAlign: 1,
      cursor: { sync: { key: "pgmend", setSeries: false }, points: { size: 6 }, drag: { x: false, y: false }, y: false },
      scales: { x: { range: () => [from, to] }, y: { range: yRange(chart) } },
      axes: [
        { ...axis, show: !chart.isSmall, size: 24, gap: 4, space: 60, values: axisTimes, grid: { show: false } },
        { ...axis, show: !chart.isSmall, size: 56, gap: 4, space: 28,
          ...(/^byte/.test(chart.unit) ? { incrs: BYTE_STEPS } : {}), values: (plot, splits) => splits.map((split) => chart.show(split)) },
      ],
      series: [{}, ...chart.parts.map((part) => ({
        stroke: shade[`c${part.color}`], width: chart.isSmall ? 1 : 1.5,
        fill: chart.parts.length === 1 ? `${shade[`c${part.color}`]}1f` : undefined,
        spanGaps: false, points: { show: true, size: 3, filter: lonely },
      }))],
      hooks: {
        drawClear: chart.isSmall ? [] : [(plot) => { if (chart.limit !== undefined) drawLimit(plot, chart.limit); }],
        draw: [drawMarkers],
        setCursor: [(plot) => showTip(chart, plot)],
      },
    };
  };

  const shape = (parts) => parts.map((part) => `${part.title}\u001f${part.color}`).join("\u001e");

  /* parts: { title, color, at, values }; as few changes to the plot as will do. */
  const draw = (chart, store, parts) => {
    const isEmpty = !parts.some((part) => part.values.some((value) => value !== null));
    chart.parts = parts;
    chart.empty.hidden = !isEmpty;
    if (isEmpty) {
      if (chart.plot) { chart.plot.destroy(); chart.plot = null; }
      return;
    }
    const data = store.columns(parts);
    const now = shape(parts);
    if (chart.plot && chart.shape === now) {
      chart.plot.setData(data);
      return;
    }
    if (chart.plot) chart.plot.destroy();
    chart.shape = now;
    chart.plot = new uPlot(makeOptions(chart), data, chart.place);
  };

  const create = (place, settings) => {
    const chart = { parts: [], plot: null, ...settings, place, show: format.units[settings.unit] || format.count };
    chart.empty = el("p", { class: "none", hidden: true }, settings.none || "no readings in this time");
    place.append(chart.empty);
    charts.add(chart);
    return chart;
  };
  const remove = (chart) => {
    if (chart.plot) chart.plot.destroy();
    charts.delete(chart);
  };
  const forget = (store, rebuild) => {
    palette = null;
    for (const chart of charts) {
      if (!chart.plot) continue;
      chart.plot.destroy();
      chart.plot = null;
      rebuild(chart);
    }
  };
  const redraw = () => { for (const chart of charts) if (chart.plot) chart.plot.redraw(false); };
  const resize = () => {
    for (const chart of charts) {
      if (chart.plot && chart.place.clientWidth && chart.plot.width !== chart.place.clientWidth) {
        chart.plot.setSize({ width: chart.place.clientWidth, height: chart.place.clientHeight });
      }
    }
  };
  return {
    create, draw, remove, forget, resize, sync,
    setSpan: (start, end) => { from = start; to = end; },
    setMarkers: (given) => { markers = given; redraw(); },
    point: (marker) => { pointed = marker; redraw(); },
    count: () => charts.size,
  };
};
