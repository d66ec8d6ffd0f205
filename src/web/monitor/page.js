"use strict";
/* What is shown, of which server and time; the events that keep it up to date; keys. */
(() => {
  const $ = (id) => document.getElementById(id);
  const RANGES = [900, 3600, 21600, 86400];
  const QUIET_LIMIT = 45; /* seconds without any event, pings come every 15: then the connection is dead */
  const remember = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(`pgmend.${key}`);
      localStorage.setItem(`pgmend.${key}`, value);
    } catch { /* no storage: nothing is remembered */ }
    return null;
  };

  const sum = (parts) => {
    if (parts.length < 2) return parts;
    const totals = new Map();
    for (const part of parts) part.at.forEach((time, i) => {
      const value = part.values[i];
      if (value !== null) totals.set(time, (totals.get(time) ?? 0) + value);
      else if (!totals.has(time)) totals.set(time, null);
    });
    const at = [...totals.keys()].sort((a, b) => a - b);
    return [{ ...parts[0], at, values: at.map((time) => totals.get(time)) }];
  };
  const store = createStore();
  const charts = createCharts($("tip"));
  const shown = new Map();
  let state = null;
  let kpis = null;
  let markers = [];
  let range = RANGES.includes(Number(remember("range"))) ? Number(remember("range")) : RANGES[0];
  let server = new URLSearchParams(location.search).get("server");
  let source = null;
  let heardAt = 0;
  let lostSince = null;
  let why = "";
  let retryAt = 0;
  let clockSkew = 0;
  let isLoading = null;

  const nowServer = () => Date.now() / 1000 - clockSkew;
  const changed = () => { renderPanels(true); };

  /* ---- charts ---- */
  const linesOf = (spec) => {
    const lines = [];
    for (const line of spec.lines) {
      const name = line.of.find((metric) => store.find(metric).length);
      if (!name) continue;
      const found = store.find(name).filter((one) => !line.where || line.where(one.tags));
      if (!line.by) {
        const [one] = sum(found);
        if (one) lines.push({ ...one, title: line.title, color: line.color });
        continue;
      }
      const groups = new Map();
      for (const one of found) {
        const group = one.tags[line.by] ?? "";
        groups.set(group, [...(groups.get(group) || []), one]);
      }
      const last = (one) => one.values.findLast((value) => value !== null) ?? 0;
      const sums = [...groups].map(([group, parts]) => ({ group, one: sum(parts)[0] })).sort((a, b) => last(b.one) - last(a.one));
      const busy = sums.filter(({ one }) => one.values.some((value) => value));
      (busy.length ? busy : sums).slice(0, 6).forEach(({ group, one }) => lines.push({
        ...one, title: `${line.before || ""}${group || "other"}`, color: (line.colors && line.colors[group]) || (lines.length % 8) + 1,
      }));
    }
    return lines;
  };
  const lastValue = (part) => {
    for (let i = part.values.length - 1; i >= 0 && i >= part.values.length - 3; i -= 1) {
      if (part.values[i] !== null && part.values[i] !== undefined) return part.values[i];
    }
    return null;
  };
  const makeChart = (spec) => {
    const now = el("span", { class: "now" });
    const legend = el("div", { class: "legend" });
    const place = el("div", { class: "plot" });
    const section = el("section", { class: "panel chart", id: `chart-${spec.id}`, tabindex: "0", "aria-label": spec.title },
      el("h2", null, spec.title, el("small", null, spec.note || ""), now), legend, place);
    $(spec.isMore ? "more-charts" : "charts").append(section);
    shown.set(spec.id, { spec, section, now, legend, chart: charts.create(place, { ...spec }) });
  };
  const drawChart = (one) => {
    const lines = linesOf(one.spec);
    const isThere = lines.length > 0 || !one.spec.optional;
    one.section.hidden = !isThere;
    if (!isThere) return;
    const values = lines.map(lastValue);
    const value = one.spec.isTotal ? values.reduce((total, each) => total + (each ?? 0), 0) : values[0];
    const limit = one.spec.limitOf && state && state.server ? one.spec.limitOf(state.server) : one.spec.limit;
    one.chart.limit = limit;
    one.now.textContent = !lines.length || (state && state.server && !state.server.up) || value === null || value === undefined ? ""
      : `${one.chart.show(value)}${one.spec.isTotal && limit ? ` of ${one.chart.show(limit)}` : ""}`;
    fill(one.legend, lines.map((line) => el("span", null, el("i", { class: `c${line.color}` }), line.title)));
    charts.draw(one.chart, store, lines);
  };
  const setSpan = () => charts.setSpan(nowServer() - range, nowServer());
  const drawCharts = () => {
    setSpan();
    for (const one of shown.values()) drawChart(one);
    drawAll();
  };

  /* ---- everything that is kept: a small chart a metric, drawn while it is in view ---- */
  const small = new Map();
  const visible = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const one = small.get(entry.target.dataset.metric);
      if (!one) continue;
      if (entry.isIntersecting) { visible.add(one); drawSmall(one); } else visible.delete(one);
    }
  }, { rootMargin: "200px" });
  const unitOf = (name) => /_ratio$/.test(name) ? "ratio" : /_bytes_(per_second|rate)$/.test(name) ? "byteRate" : /_bytes$/.test(name) ? "bytes"
    : /_seconds$/.test(name) ? "seconds" : /_(rate|per_second)$/.test(name) ? "rate" : "count";
  const drawSmall = (one) => {
    const parts = store.find(one.metric).map((part, i) => ({ ...part, title: Object.values(part.tags).filter(Boolean).join(" · ") || one.metric, color: (i % 8) + 1 }));
    const values = parts.map(lastValue).filter((value) => value !== null);
    one.now.textContent = values.length === 1 ? one.chart.show(values[0]) : values.length ? `${format.count(values.length)} series` : "";
    charts.draw(one.chart, store, parts);
  };
  const drawAll = () => {
    const body = $("all").querySelector(".body");
    const isOpen = panels.isOpen("all");
    const metrics = isOpen ? store.metrics() : [];
    body.hidden = !isOpen;
    for (const [metric, one] of small) {
      if (metrics.includes(metric)) continue;
      observer.unobserve(one.element);
      visible.delete(one);
      charts.remove(one.chart);
      one.element.remove();
      small.delete(metric);
    }
    for (const metric of metrics) {
      if (small.has(metric)) continue;
      const now = el("span", { class: "now" });
      const place = el("div", { class: "plot" });
      const element = el("div", { "data-metric": metric }, el("h3", null, el("span", { title: metric }, metric.replace(/^pgmend_/, "")), now), place);
      const one = { metric, element, now };
      body.append(element);
      one.chart = charts.create(place, { isSmall: true, unit: unitOf(metric), title: metric, small: one });
      small.set(metric, one);
      observer.observe(element);
    }
    for (const one of visible) drawSmall(one);
    $("all").querySelector(".fold").setAttribute("aria-expanded", isOpen);
    $("all").querySelector("small").textContent = isOpen ? `${format.count(metrics.length)} metrics` : "";
  };

  /* ---- panels ---- */
  const shownBefore = new Map();
  /* Only what is new is drawn, and nothing under a selection that somebody is about to copy. */
  const put = (id, given, make, isForced) => {
    const panel = $(id);
    const text = JSON.stringify(given);
    const selection = getSelection();
    if (!isForced && shownBefore.get(id) === text) return;
    if (!isForced && !selection.isCollapsed && panel.contains(selection.anchorNode)) return;
    shownBefore.set(id, text);
    fill(panel.querySelector(".body") || panel, make());
  };
  const renderPanels = (isForced) => {
    if (!state || !state.server) return;
    const { server: one } = state;
    const many = state.servers.length > 1;
    put("health", [one.up, one.error, one.checkup, one.refused, one.gap, one.tick, one.missed, state.alerts], () => panels.health(state), isForced);
    put("statements", [one.up, state.statements], () => panels.statements(state.statements, changed, one), isForced);
    put("locks", [one.up, state.locks], () => panels.locks(state.locks, one), isForced);
    put("rollout", [one.up, one.progress, one.index_state, markers], () => panels.rollout(state, markers, charts.point), isForced);
    put("alerts", [state.alerts, Math.floor(state.now / 10)], () => panels.alerts(state, many), isForced);
    $("statements").querySelector("small").textContent = panels.statementsNote(state.statements);
    $("locks").querySelector("small").textContent = one.up ? panels.locksNote(state.locks) : "";
    $("alerts").querySelector("small").textContent = panels.alertsNote(state);
    $("kpi").hidden = !kpis || !kpis.length;
    if (kpis && kpis.length) put("kpi", kpis, () => panels.kpis(kpis), isForced);
    $("foot").textContent = `pgmend ${state.version} · ${one.name} · ${one.host.known ? `the machine has ${format.count(one.host.cpus)} CPUs` : `nothing is known of the machine${one.host.why_not ? `: ${one.host.why_not}` : ""}`}`;
    renderIcon();
  };
  const renderIcon = () => {
    const { health } = panels.verdictOf(state);
    const style = getComputedStyle(document.documentElement);
    const color = style.getPropertyValue(`--${health}`).trim().replace("#", "%23");
    $("icon").href = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='3.6' fill='${color}'/></svg>`;
    const firing = state.alerts.filter((alert) => alert.state === "firing").length;
    document.title = `${lostSince ? "connection lost · " : ""}${firing ? `(${firing}) ` : ""}${state.server.name} · pgmend`;
  };

  /* ---- servers ---- */
  const describe = (one) => one.up ? one.critical + one.warning ? `${one.critical + one.warning} alerts` : "" : one.tick ? "down" : "no reading yet";
  const renderServers = () => {
    const list = state.servers;
    const asButtons = list.length > 1 && list.length <= 5;
    const place = $("servers");
    $("choose").hidden = list.length <= 5;
    if (list.length === 1) {
      fill(place);
      return;
    }
    if (asButtons) {
      fill(place, list.map((one) => {
        const button = el("button", { type: "button", "aria-pressed": String(one.name === state.server.name), "data-key": one.name, title: describe(one) || one.name },
          el("span", { class: `dot ${one.health}` }), one.name, describe(one) ? el("span", { class: "hide" }, `, ${describe(one)}`) : null);
        button.addEventListener("click", () => select(one.name));
        return button;
      }));
      return;
    }
    const order = { critical: 0, warning: 1, unknown: 2, good: 3 };
    const sorted = list.slice().sort((a, b) => order[a.health] - order[b.health] || a.name.localeCompare(b.name));
    const down = list.filter((one) => one.tick && !one.up).length;
    const troubled = list.filter((one) => one.up && one.critical + one.warning).length;
    $("fleet").textContent = [`${format.count(list.length)} servers`, down ? `${format.count(down)} down` : null,
      troubled ? `${format.count(troubled)} with alerts` : null].filter(Boolean).join(" · ");
    const box = $("server");
    if (document.activeElement === box) return; /* it may be open */
    fill(box, sorted.map((one) => el("option", { value: one.name }, `${HEALTH_MARKS[one.health]} ${one.name}${describe(one) ? ` — ${describe(one)}` : ""}`)));
    box.value = state.server.name;
  };
  const select = (name) => {
    if (state && state.server && name === state.server.name) return;
    server = name;
    const url = new URL(location.href);
    url.searchParams.set("server", name);
    history.replaceState(null, "", url);
    start();
  };

  /* ---- markers ---- */
  const FAILED = new Set(["failed", "leftover"]);
  const markersOf = (rows) => {
    const found = [];
    for (const row of rows) {
      const isFlag = /flag/.test(row.kind) || /flag/.test(row.command || "");
      const what = [row.object, row.relation && row.relation !== row.object ? `on ${row.relation}` : ""].filter(Boolean).join(" ");
      const took = format.isNumber(row.ended_epoch) ? format.seconds(row.ended_epoch - row.started_epoch) : "under way";
      const isUndone = row.state === "undone" || row.state === "undoing";
      found.push({
        at: row.started_epoch, kind: FAILED.has(row.state) ? "rollback" : isFlag ? "flag" : "change",
        title: `${row.kind} ${what}`, detail: FAILED.has(row.state) ? row.state : isUndone ? "later undone" : took,
      });
      if (isUndone) found.push({ at: format.isNumber(row.ended_epoch) ? row.ended_epoch : nowServer(), kind: "rollback", title: `undo ${row.kind} ${what}`, detail: row.state });
    }
    return found;
  };
  const seenGaps = [];
  const takeMarkers = () => {
    const one = state.server;
    if (one.gap && !seenGaps.some((gap) => gap.server === one.name && gap.at === one.at)) seenGaps.push({ server: one.name, at: one.at, kind: "gap", title: one.gap, detail: "" });
    markers = markersOf(one.journal.rows).concat(seenGaps.filter((gap) => gap.server === one.name)).sort((a, b) => a.at - b.at);
    charts.setMarkers(markers);
  };

  /* ---- data ---- */
  const api = async (path) => {
    const answer = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status === 401 ? "this page needs a token" : `the monitor answered ${answer.status}`);
    return answer.json();
  };
  const query = (more) => new URLSearchParams({ ...(server ? { server } : {}), ...more }).toString();
  const loadSeries = async () => {
    const wanted = range;
    const mark = {};
    isLoading = mark;
    /* The clock of the monitor's machine counts: seconds before now, not a time of ours. */
    const answer = await api(`api/series?${query({ from: -wanted, points: 720 })}`);
    if (isLoading !== mark) return;
    isLoading = null;
    const before = performance.now();
    store.clear();
    store.load(answer, wanted, state ? state.interval : 5);
    drawCharts();
    /* When the next frame is painted: what the benchmark reads, and the tests wait for. */
    requestAnimationFrame(() => setTimeout(() => { document.documentElement.dataset.drawn = (performance.now() - before).toFixed(1); }));
  };
  const loadKpis = async () => {
    if (!state || !state.has_kpi) return;
    try {
      kpis = (await api("api/kpi")).kpis;
    } catch {
      kpis = null;
    }
    renderPanels();
  };
  const takeState = (given) => {
    const servers = given.servers || (state ? state.servers : []);
    const isFirst = !state;
    state = { ...given, servers };
    if (isFirst) loadKpis();
    clockSkew = Date.now() / 1000 - given.now;
    const one = given.server;
    if (!one) return;
    const isOther = server !== null && server !== one.name; /* the one in the address is watched no more */
    if (!server || isOther) server = one.name;
    if (isOther) loadSeries().catch(() => { isLoading = null; });
    const at = servers.findIndex((other) => other.name === one.name);
    if (at >= 0) servers[at] = { ...servers[at], ...summaryOf(one) };
    takeMarkers();
    renderServers();
    renderPanels();
    if (!isLoading && one.at) {
      store.add(Math.round(one.at), one.values, one.at - range);
      drawCharts();
    }
  };
  const summaryOf = (one) => ({ name: one.name, up: one.up, health: panels.verdictOf(state).health, critical: one.critical, warning: one.warning, tick: one.tick });

  /* ---- events ---- */
  const heard = () => {
    heardAt = Date.now();
    if (lostSince !== null) {
      lostSince = null;
      document.documentElement.classList.remove("is-lost");
      $("lost").hidden = true;
      if (state) renderIcon();
      loadSeries().catch(() => {}); /* what was missed */
      loadKpis();
    }
    renderLive();
  };
  const lost = () => {
    if (lostSince === null) lostSince = Date.now();
    fetch("health", { cache: "no-store" }).then(() => fetch("api/state", { method: "HEAD", cache: "no-store" }))
      .then((answer) => { why = answer.status === 401 ? "The monitor wants its token: open /login?token=… again. " : ""; }, () => { why = ""; });
    if (source) source.close();
    source = null;
    const waited = (Date.now() - lostSince) / 1000;
    retryAt = Date.now() + Math.min(15000, 1000 + waited * 250);
    document.documentElement.classList.add("is-lost");
    renderLive();
  };
  const listen = () => {
    if (source) source.close();
    source = new EventSource(`api/events?${query({})}`);
    const on = (name, take) => source.addEventListener(name, (event) => { heard(); take(event.data); });
    on("state", (data) => takeState(JSON.parse(data)));
    on("server", (data) => {
      if (!state) return;
      const one = JSON.parse(data);
      const at = state.servers.findIndex((other) => other.name === one.name);
      if (at >= 0) state.servers[at] = one; else state.servers.push(one);
      renderServers();
    });
    on("alerts", (data) => {
      if (!state) return;
      state.alerts = JSON.parse(data).alerts;
      renderPanels();
    });
    on("ping", () => {});
    source.addEventListener("error", lost);
  };
  const renderLive = () => {
    const live = $("live");
    const text = live.querySelector("span");
    const at = state && state.server && state.server.at;
    if (lostSince !== null) {
      live.className = "live critical";
      text.textContent = "not live";
      $("lost").hidden = false;
      $("lost").querySelector("strong").textContent = "Connection lost.";
      $("lost").querySelector("span").textContent = `${why}${at ? `What you see is of ${format.clock(at, true)}. ` : ""}Trying again in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s.`;
      return;
    }
    if (!at) {
      live.className = "live";
      text.textContent = "connecting";
      return;
    }
    const age = Math.max(0, nowServer() - at);
    live.className = age > 3 * state.interval * 2 ** state.server.slowed ? "live critical" : "live good";
    text.textContent = age < 1.5 ? "live" : `${format.seconds(Math.round(age))} ago`;
  };
  const start = () => {
    store.clear();
    shownBefore.clear();
    listen();
    loadSeries().catch(() => { isLoading = null; });
  };
  setInterval(() => {
    if (source && Date.now() - heardAt > QUIET_LIMIT * 1000) lost();
    if (!source && !document.hidden && lostSince !== null && Date.now() >= retryAt) listen();
    renderLive();
  }, 1000);

  /* ---- what the reader does ---- */
  const setRange = (seconds) => {
    range = seconds;
    remember("range", seconds);
    for (const button of $("ranges").children) button.setAttribute("aria-pressed", String(Number(button.dataset.range) === seconds));
    setSpan();
    loadSeries().catch(() => { isLoading = null; });
  };
  const THEMES = ["auto", "light", "dark"];
  const setTheme = (theme) => {
    remember("theme", theme);
    if (theme === "auto") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = theme;
    $("theme").textContent = { auto: "◐", light: "☀", dark: "☾" }[theme];
    $("theme").setAttribute("aria-label", `Colours: ${theme}`);
    recolor();
  };
  const recolor = () => {
    charts.forget(store, (chart) => { chart.shape = null; });
    drawCharts();
    if (state) renderIcon();
  };
  const movePanel = (step) => {
    const list = [...document.querySelectorAll("main .panel")].filter((panel) => panel.offsetParent);
    const at = list.findIndex((panel) => panel.contains(document.activeElement));
    const next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? (step > 0 ? 0 : list.length - 1) : at + step))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const moveServer = (step) => {
    if (!state || state.servers.length < 2) return;
    const at = state.servers.findIndex((one) => one.name === state.server.name);
    select(state.servers[(at + step + state.servers.length) % state.servers.length].name);
  };
  const KEYS = {
    j: () => movePanel(1), k: () => movePanel(-1), "[": () => moveServer(-1), "]": () => moveServer(1),
    1: () => setRange(RANGES[0]), 2: () => setRange(RANGES[1]), 3: () => setRange(RANGES[2]), 4: () => setRange(RANGES[3]),
    a: () => { $("alerts").focus(); $("alerts").scrollIntoView(); },
    e: () => $("all").querySelector(".fold").click(),
    t: () => $("theme").click(), "?": () => $("keys").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || $("keys").open) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const isPanel = event.target.classList.contains("panel");
    const key = isPanel && event.key === "ArrowDown" ? "j" : isPanel && event.key === "ArrowUp" ? "k" : event.key;
    if (!KEYS[key]) return;
    event.preventDefault();
    KEYS[key]();
  });
  for (const button of $("ranges").children) button.addEventListener("click", () => setRange(Number(button.dataset.range)));
  $("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(remember("theme") || "auto") + 1) % 3]));
  $("help").addEventListener("click", () => $("keys").showModal());
  $("server").addEventListener("change", (event) => { event.target.blur(); select(event.target.value); });
  $("lost").querySelector("button").addEventListener("click", listen);
  panels.foldable($("all").querySelector(".fold"), "all", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !source) listen(); });
  new ResizeObserver(() => requestAnimationFrame(charts.resize)).observe($("main"));

  for (const spec of CHARTS) makeChart(spec);
  setTheme(remember("theme") || "auto");
  for (const button of $("ranges").children) button.setAttribute("aria-pressed", String(Number(button.dataset.range) === range));
  start();
  setInterval(loadKpis, 300000);
})();
