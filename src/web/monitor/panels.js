"use strict";
/* The panels that are no charts: each takes a part of the state and gives elements. */
const panels = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const opened = new Set();

  /* A button that opens and closes what belongs to the key; told again after each tick. */
  const foldable = (element, key, changed) => {
    element.dataset.key = key;
    element.setAttribute("aria-expanded", opened.has(key));
    element.addEventListener("click", () => {
      if (opened.has(key)) opened.delete(key); else opened.add(key);
      changed();
    });
    return element;
  };
  const plural = (number, one, many) => `${format.count(number)} ${number === 1 ? one : many}`;
  /* Names of settings and extensions stay as they are. */
  const capital = (text) => /^\S*_/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  const none = (text) => el("p", { class: "none" }, text);
  const ago = (epoch, now) => format.seconds(Math.max(0, now - epoch));

  /* "Blocked sessions, slots and 2 more" */
  const titles = (items) => {
    const names = items.map((item, at) => at ? item.title : capital(item.title));
    const last = names.length > 3 ? `${names.length - 2} more` : names[names.length - 1];
    return `${names.slice(0, names.length > 3 ? 2 : -1).join(", ")} and ${last}`;
  };

  const verdictOf = (state) => {
    const server = state.server;
    if (!server || server.tick === 0) return { health: "unknown", title: "No reading yet", more: "The first one is under way." };
    if (!server.up) {
      return {
        health: "critical",
        title: server.down_since ? `Down since ${format.when(server.down_since)}` : "Down",
        more: server.error ? server.error.message : "", hint: server.error && server.error.hint,
      };
    }
    const items = server.checkup ? server.checkup.items : [];
    const worst = ["critical", "warning"].find((health) => items.some((item) => item.health === health));
    const firing = state.alerts.filter((alert) => alert.server === server.name && alert.state === "firing" && alert.severity !== "info");
    const critical = firing.some((alert) => alert.severity === "critical");
    const health = critical || worst === "critical" ? "critical" : firing.length || worst ? "warning" : "good";
    const bad = items.filter((item) => item.health === "critical" || item.health === "warning");
    const title = health === "good" ? "Healthy"
      : bad.length === 1 ? `${capital(bad[0].title)}: ${bad[0].says}`
        : bad.length ? titles(bad) : plural(firing.length, "alert", "alerts");
    return { health, title, firing: firing.length };
  };

  const facts = (state) => {
    const server = state.server;
    const row = server.server && server.server.rows[0];
    const texts = [];
    if (row) {
      texts.push(`PostgreSQL ${String(row.version).split(" ")[0]}`, row.in_recovery ? "standby" : "primary",
        `up ${format.seconds(row.now_epoch - row.started_epoch)}`);
    } else if (server.major) {
      texts.push(`PostgreSQL ${server.major}`);
    }
    texts.push(`every ${format.seconds(state.interval * 2 ** server.slowed)}`);
    if (server.up) texts.push(`costs ${format.ratio(server.cost_ratio)} of a CPU`);
    if (server.slowed) texts.push("slowed down to save the server");
    if (server.missed) texts.push(`${format.count(server.missed)} ticks left out`);
    return texts;
  };

  const troubleElement = (item) => el("li", null, markElement(item.health), el("div", null,
    el("span", { class: "title" }, capital(item.title)), " ", el("span", { class: "says" }, item.says),
    item.evidence.length ? el("ul", { class: "evidence" }, item.evidence.map((line) => el("li", null, line))) : null,
    item.mend ? commandElement(item.mend) : null));

  const health = (state) => {
    const server = state.server;
    const verdict = verdictOf(state);
    const items = server && server.up && server.checkup ? server.checkup.items : [];
    const order = ["critical", "warning"];
    const bad = items.filter((item) => order.includes(item.health)).sort((a, b) => order.indexOf(a.health) - order.indexOf(b.health));
    const fine = items.filter((item) => item.health === "good");
    const unknown = items.filter((item) => item.health === "unknown");
    const fineElement = (item) => el("li", { title: `${item.title}: ${item.says}` }, markElement(item.health), el("b", null, capital(item.title)), " ", el("span", { class: "says" }, item.says));
    const refused = server ? server.refused : [];
    return [
      el("div", { class: `verdict ${verdict.health}` },
        el("span", { class: "badge", "aria-hidden": "true" }, HEALTH_MARKS[verdict.health]),
        el("div", null, el("h1", { "aria-live": "polite" }, verdict.title),
          verdict.more ? el("p", null, verdict.more) : null, verdict.hint ? el("p", null, verdict.hint) : null,
          server && server.gap ? el("p", null, `Just now: ${server.gap}. Rates begin anew.`) : null,
          verdict.firing ? el("p", null, el("a", { href: "#alerts" }, `${plural(verdict.firing, "alert fires", "alerts fire")}`)) : null),
        server ? el("div", { class: "facts" }, facts(state).map((text) => el("span", null, text))) : null),
      bad.length ? el("ul", { class: "trouble" }, bad.map(troubleElement)) : null,
      fine.length || unknown.length ? el("ul", { class: "fine" }, fine.map(fineElement), unknown.map(fineElement)) : null,
      refused.length ? el("details", { "data-key": "refused" },
        el("summary", null, `${plural(refused.length, "thing", "things")} this role may not see`),
        el("ul", { class: "trouble" }, refused.map((one) => troubleElement({
          health: "unknown", title: one.summary, says: one.message || "", evidence: [], mend: one.needs,
        })))) : null,
    ];
  };

  /* A line with holes where nothing is known. */
  const sparkline = (values) => {
    const most = Math.max(...values.filter(format.isNumber), 0) || 1;
    const step = 110 / Math.max(values.length - 1, 1);
    let line = "";
    let area = "";
    let start = null;
    const close = (at) => { if (start !== null) area += `L${((at - 1) * step).toFixed(1)} 22L${(start * step).toFixed(1)} 22Z`; start = null; };
    values.forEach((value, at) => {
      if (!format.isNumber(value)) { close(at); return; }
      const point = `${(at * step).toFixed(1)} ${(20.5 - 19 * value / most).toFixed(1)}`;
      line += `${start === null ? "M" : "L"}${point}`;
      area += `${start === null ? "M" : "L"}${point}`;
      if (start === null) start = at;
    });
    close(values.length);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "line");
    svg.setAttribute("viewBox", "0 0 110 22");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `load, at most ${format.count(most)}`);
    for (const [name, path] of [["area", area], ["", line]]) {
      const shape = document.createElementNS(SVG, "path");
      if (name) shape.setAttribute("class", name);
      shape.setAttribute("d", path);
      svg.append(shape);
    }
    return svg;
  };

  const statementRow = (item, span, changed) => {
    const key = `statement ${item.id} ${item.database_id}`;
    const isOpen = opened.has(key);
    const bar = el("i", { "aria-hidden": "true" });
    bar.style.width = `${Math.max(0, Math.min(1, item.share || 0)) * 100}%`;
    const text = item.text === null ? "text not known yet" : isOpen ? item.text : item.text.replace(/\s+/g, " ");
    return el("tr", null,
      el("td", null, el("div", { class: "share" }, bar, el("b", null, format.ratio(item.share)))),
      el("td", { class: "text" },
        foldable(el("button", { type: "button", class: item.text === null ? "q unknown" : "q" }, item.is_new ? el("span", { class: "new" }, "new") : null, text), key, changed),
        isOpen ? el("div", { class: "more" }, `query id ${item.id} · ${format.count(item.calls)} calls, ${format.seconds(item.seconds)} in ${format.seconds(span)}`) : null),
      el("td", { class: "n" }, item.calls / span < 0.1 ? `${format.count(item.calls)}×` : format.rate(item.calls / span)),
      el("td", { class: "n" }, format.seconds(item.mean)),
      el("td", { class: "n wide" }, format.count(item.rows)),
      el("td", { class: "n wide" }, format.ratio(item.hit_ratio)),
      el("td", null, sparkline(item.load)));
  };

  const silent = (server) => none(server.tick ? "The server does not answer." : "No reading yet.");

  const statements = (given, changed, server) => {
    if (!given.known && !server.up) return [silent(server)];
    if (!given.known) {
      return [none(given.error ? `Statements cannot be read: ${given.error}` : "Statements have not been read yet."), given.error && given.needs ? commandElement(given.needs) : null];
    }
    if (!given.items.length) return [none(given.span ? "No statement has run." : given.gap || "The second reading is under way: only differences are shown.")];
    const heads = [["share of the time", ""], ["statement", ""], ["calls", "n"], ["mean", "n"], ["rows a call", "n wide"], ["from cache", "n wide"], ["load", ""]];
    return [
      el("div", { class: "scroll" }, el("table", { class: "list" },
        el("thead", null, el("tr", null, heads.map(([title, name]) => el("th", { class: name, scope: "col" }, title)))),
        el("tbody", null, given.items.map((item) => statementRow(item, given.span, changed))))),
      given.gap ? none(given.gap) : null,
    ];
  };
  const statementsNote = (given) => given.known && given.items.length
    ? `the last ${format.seconds(given.span)}, ${format.count(given.seconds / given.span)} at once on average` : "";

  const sessionElement = (session) => {
    const since = format.isNumber(session.query_seconds) && session.state === "active" ? session.query_seconds : session.state_seconds;
    const waits = session.wait_event_type === "Lock" ? `waits for ${session.wait_event}` : null;
    return el("div", { class: "session" },
      el("div", { class: "who" },
        el("span", { class: "pid" }, String(session.pid)),
        el("span", null, [session.usename, session.application_name].filter(Boolean).join(" · ") || session.backend_type || ""),
        session.blocks ? el("span", { class: "critical-text" }, `blocks ${format.count(session.blocks)}`) : null,
        waits ? el("span", { class: "warning-text" }, waits) : null,
        el("span", { class: "sub" }, [session.state, format.isNumber(since) ? format.seconds(since) : null,
          format.isNumber(session.xact_seconds) ? `transaction ${format.seconds(session.xact_seconds)}` : null].filter(Boolean).join(", "))),
      session.query ? el("code", { title: session.query }, session.query.replace(/\s+/g, " ")) : null);
  };
  /* Who waits for whom: under each blocker those that it blocks; one that waits for several stands under each. */
  const lockTree = (sessions) => {
    const waiting = new Map();
    const known = new Set(sessions.map((session) => session.pid));
    for (const session of sessions) {
      for (const pid of (session.blocked_by || "").split(",").filter(Boolean).map(Number)) {
        if (!waiting.has(pid)) waiting.set(pid, []);
        waiting.get(pid).push(session);
      }
    }
    const branch = (session, path) => el("li", null, sessionElement(session),
      waiting.has(session.pid) && !path.includes(session.pid)
        ? el("ul", null, waiting.get(session.pid).map((one) => branch(one, [...path, session.pid]))) : null);
    let roots = sessions.filter((session) => waiting.has(session.pid) && !session.blocked_by);
    const gone = [...waiting.keys()].filter((pid) => !known.has(pid));
    roots = roots.concat(gone.map((pid) => ({ pid, blocks: waiting.get(pid).length, state: pid === 0 ? "prepared transaction" : "not among the sessions shown" })));
    if (!roots.length) roots = sessions.filter((session) => waiting.has(session.pid)).slice(0, 1); /* a ring: a deadlock */
    return roots.map((session) => branch(session, []));
  };
  const locks = (given, server) => {
    const { session } = given;
    if (!server.up) return [silent(server)];
    if (!session.known) return [none("Sessions have not been read yet.")];
    const tree = lockTree(session.rows);
    const others = session.rows.filter((one) => !one.blocks && !one.blocked_by && one.state && one.state !== "idle" &&
      format.isNumber(one.xact_seconds)).sort((a, b) => b.xact_seconds - a.xact_seconds).slice(0, 6);
    return [
      tree.length ? el("ul", { class: "tree" }, tree) : none("Nobody waits for a lock."),
      others.length ? el("h3", null, "oldest transactions") : null,
      others.length ? el("ul", { class: "tree" }, others.map((one) => el("li", null, sessionElement(one)))) : null,
    ];
  };
  const locksNote = (given) => {
    const waiting = given.session.rows.filter((one) => one.blocked_by).length;
    return waiting ? `${plural(waiting, "session waits", "sessions wait")}` : "";
  };

  const progressElement = (row) => {
    const part = row.total > 0 ? Math.min(1, row.done / row.total) : null;
    const bar = el("i");
    bar.style.width = `${(part ?? 0) * 100}%`;
    const amount = row.unit === "bytes" ? format.bytes : format.count;
    const sub = [row.phase, row.total > 0 ? `${amount(row.done)} of ${amount(row.total)} ${row.unit === "bytes" ? "" : row.unit}`.trim() : null,
      row.lockers_total ? `waited for ${row.lockers_done} of ${row.lockers_total} sessions` : null,
      row.locker_pid ? `waits for session ${row.locker_pid}` : null].filter(Boolean).join(" · ");
    return el("div", { class: "progress" },
      el("div", { class: "what" }, el("b", null, `${row.command} ${row.object || row.relation}`),
        el("span", null, [part !== null ? format.ratio(part) : null, format.isNumber(row.xact_seconds) ? format.seconds(row.xact_seconds) : null].filter(Boolean).join(" · "))),
      el("div", { class: "track", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": part === null ? undefined : Math.round(part * 100) }, bar),
      el("div", { class: "sub" }, row.object && row.relation ? `on ${row.relation} · ${sub}` : sub));
  };
  const invalidElement = (row) => el("li", null, markElement(row.is_building ? "unknown" : "warning"), el("div", null,
    el("span", { class: "title" }, `${row.schemaname}.${row.indexrelname}`), " ",
    el("span", { class: "says" }, row.is_building ? "is being built" : row.is_ready
      ? `is not usable but kept up with every write (${format.bytes(row.size_bytes)})` : "is not usable: a rest of a build that failed"),
    row.is_building ? null : commandElement(row.is_ours ? "pgmend status" : `DROP INDEX CONCURRENTLY ${quoted(row.schemaname)}.${quoted(row.indexrelname)}`)));
  const quoted = (name) => /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
  const changeElement = (marker, point) => {
    const line = el("li", null, el("span", { class: `flag ${marker.kind === "flag" ? "flag-step" : marker.kind}` }),
      el("time", { title: format.when(marker.at) }, format.clock(marker.at, true)), el("span", null, marker.title), el("span", { class: "sub" }, marker.detail || ""));
    line.addEventListener("mouseenter", () => point(marker));
    line.addEventListener("mouseleave", () => point(null));
    return line;
  };
  const rollout = (state, markers, point) => {
    const server = state.server;
    const indexes = server.index_state.rows;
    const changes = markers.slice().reverse();
    if (!server.up && !changes.length) return [silent(server)];
    if (server.up && !server.progress.known && !server.journal.known) return [none("Not read yet.")];
    return [
      !server.up ? silent(server) : server.progress.rows.length ? el("div", null, server.progress.rows.map(progressElement)) : none("Nothing is being built, vacuumed or copied."),
      indexes.length ? el("ul", { class: "trouble" }, indexes.map(invalidElement)) : null,
      changes.length ? el("h3", null, "changes of the last two days") : null,
      changes.length ? el("ol", { class: "changes" }, changes.slice(0, 10).map((marker) => changeElement(marker, point))) : null,
      changes.length > 10 ? none(`and ${format.count(changes.length - 10)} before; pgmend history shows all`) : null,
    ];
  };

  const kpiValue = (kpi, value) => {
    if (!format.isNumber(value)) return "–";
    const unit = kpi.unit || "";
    if (unit === "ratio") return format.ratio(value);
    if (unit === "seconds") return format.seconds(value);
    if (unit === "bytes") return format.bytes(value);
    return `${format.count(value)}${unit && unit !== "count" ? ` ${unit}` : ""}`;
  };
  const trendText = (kpi) => !format.isNumber(kpi.trend) ? ""
    : `${kpi.trend > 0 ? "↗" : kpi.trend < 0 ? "↘" : "→"} ${kpiValue(kpi, Math.abs(kpi.trend))} a week`;
  const kpiRow = (kpi) => {
    const met = kpi.state === "met";
    const isKnown = format.isNumber(kpi.before) && format.isNumber(kpi.now) && kpi.before !== kpi.target;
    const way = met ? 1 : isKnown ? Math.max(0, Math.min(1, (kpi.before - kpi.now) / (kpi.before - kpi.target))) : 0;
    const bar = el("i", { class: met ? "met" : "" });
    bar.style.width = `${way * 100}%`;
    const isBetter = kpi.less_is_better ? kpi.trend < 0 : kpi.trend > 0;
    const sign = kpi.less_is_better ? (kpi.target_is_inclusive ? "≤" : "<") : (kpi.target_is_inclusive ? "≥" : ">");
    return el("tr", null,
      el("td", null, capital(kpi.title || kpi.name)),
      el("td", { class: "n", title: kpi.before_source }, format.isNumber(kpi.before) ? kpiValue(kpi, kpi.before) : kpi.planned || "–"),
      el("td", { class: `n ${met ? "good-text" : kpi.state === "late" ? "critical-text" : ""}` }, el("b", null, kpiValue(kpi, kpi.now))),
      el("td", { class: "n" }, format.isNumber(kpi.target) ? `${sign} ${kpiValue(kpi, kpi.target)}` : ""),
      el("td", null, el("span", { class: "goal", role: "img", "aria-label": met ? "met" : `${format.ratio(way)} of the way, ${kpi.state}` }, bar)),
      el("td", { class: `n wide ${kpi.trend ? (isBetter ? "good-text" : "critical-text") : ""}` }, trendText(kpi)),
      el("td", { class: "wide" }, kpi.deadline || ""), el("td", { class: "wide sub" }, kpi.source || ""));
  };
  const kpis = (list) => {
    const heads = [["goal", ""], ["before", "n"], ["now", "n"], ["target", "n"], ["way", ""], ["trend", "n wide"], ["until", "wide"], ["source", "wide"]];
    const groups = [...new Set(list.map((kpi) => kpi.group))];
    return [el("div", { class: "scroll" }, el("table", { class: "list" },
      el("thead", null, el("tr", null, heads.map(([title, name]) => el("th", { class: name, scope: "col" }, title)))),
      groups.map((group) => el("tbody", null, groups.length > 1 ? el("tr", null, el("th", { colspan: heads.length, scope: "rowgroup" }, group || "")) : null,
        list.filter((kpi) => kpi.group === group).map(kpiRow)))))];
  };

  const SEVERITY_HEALTH = { critical: "critical", warning: "warning", info: "unknown" };
  const alertElement = (alert, now, manyServers) => el("div", { class: alert.quiet ? "alert quiet" : "alert" },
    markElement(alert.state === "resolved" ? "good" : SEVERITY_HEALTH[alert.severity]),
    el("div", null,
      el("div", null, el("b", null, capital(alert.summary)), alert.labels ? ` ${alert.labels.replaceAll('"', "")}` : "", manyServers ? ` on ${alert.server}` : ""),
      el("div", { class: "sub" }, [
        alert.state === "pending" ? `over its threshold for ${ago(alert.since, now)}, not told yet`
          : alert.state === "firing" ? `since ${format.when(alert.since)}, ${ago(alert.since, now)}`
            : `${format.when(alert.since)} to ${format.when(alert.resolved)}`,
        alert.quiet ? `quiet: ${alert.quiet}` : null, alert.rule].filter(Boolean).join(" · ")),
      alert.cause ? el("div", null, alert.cause) : null,
      alert.next && alert.state !== "resolved" ? commandElement(alert.next) : null),
    el("div", { class: "value" }, alert.value));
  const alerts = (state, manyServers) => {
    const open = state.alerts.filter((alert) => alert.state !== "resolved");
    const resolved = state.alerts.filter((alert) => alert.state === "resolved");
    return [
      open.length ? open.map((alert) => alertElement(alert, state.now, manyServers)) : none("No alert is open."),
      resolved.length ? el("details", { "data-key": "resolved" }, el("summary", null, `${plural(resolved.length, "alert", "alerts")} resolved in the last day`),
        resolved.map((alert) => alertElement(alert, state.now, manyServers))) : null,
    ];
  };
  const alertsNote = (state) => {
    const firing = state.alerts.filter((alert) => alert.state === "firing").length;
    const pending = state.alerts.filter((alert) => alert.state === "pending").length;
    return [firing ? `${format.count(firing)} firing` : null, pending ? `${format.count(pending)} pending` : null].filter(Boolean).join(", ");
  };

  return { verdictOf, health, statements, statementsNote, locks, locksNote, rollout, kpis, alerts, alertsNote, isOpen: (key) => opened.has(key), foldable };
})();
