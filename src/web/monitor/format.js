"use strict";
/* Elements and numbers. Texts of the server become text nodes, never markup. */
const el = (name, attributes, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) throw new Error("handlers are added by addEventListener");
    element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

/* Other children; the focus stays where it was and what is open stays open, by data-key. */
const fill = (element, ...children) => {
  const active = document.activeElement;
  const key = active !== element && element.contains(active) ? active.dataset.key : undefined;
  const open = new Set([...element.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  for (const details of element.querySelectorAll("details")) details.open = open.has(details.dataset.key);
  if (key === undefined) return;
  const again = [...element.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  if (again) again.focus({ preventScroll: true });
};

const format = (() => {
  const THIN = " "; /* narrow, does not break */
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const grouped = (text) => text.replace(/\B(?=(\d{3})+$)/g, THIN);

  /* Three digits, or all of those before the point. */
  const digits = (value) => {
    const size = Math.abs(value);
    if (size >= 99.95) return grouped(String(Math.round(value)));
    if (size >= 9.995) return value.toFixed(1).replace(/\.0$/, "");
    if (size >= 0.01 || size === 0) return value.toFixed(2).replace(/\.?0+$/, "") || "0";
    return value.toPrecision(2).replace(/e.*/, (power) => `·10^${Number(power.slice(1))}`);
  };
  const scaled = (value, step, units) => {
    let at = 0;
    while (Math.abs(value) >= step * 0.9995 && at < units.length - 1) { value /= step; at += 1; }
    return digits(value) + (units[at] ? THIN + units[at] : "");
  };
  const count = (value) => !isNumber(value) ? "–" : Math.abs(value) < 1e5 ? digits(value) : scaled(value, 1000, ["", "k", "M", "G", "T"]);
  const bytes = (value) => isNumber(value) ? scaled(value, 1024, ["B", "kB", "MB", "GB", "TB", "PB"]) : "–";
  const seconds = (value) => {
    if (!isNumber(value)) return "–";
    const size = Math.abs(value);
    if (size === 0) return `0${THIN}s`;
    if (size < 0.001) return `${digits(value * 1e6)}${THIN}µs`;
    if (size < 1) return `${digits(value * 1e3)}${THIN}ms`;
    if (size < 100) return `${digits(value)}${THIN}s`;
    if (size < 5400) return `${Math.round(value / 60)}${THIN}min`;
    if (size < 172800) return `${digits(value / 3600)}${THIN}h`;
    return `${Math.round(value / 86400)}${THIN}d`;
  };
  /* Close to 1 the nines count: 99.97 %. */
  const ratio = (value) => {
    if (!isNumber(value)) return "–";
    const percent = value * 100;
    const places = percent === 100 || percent === 0 ? 0 : percent > 99.9 ? 3 : percent > 99 ? 2 : percent >= 10 ? 1 : 2;
    const text = percent.toFixed(places);
    return `${percent < 100 && Number(text) === 100 ? "99.999" : text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "")}${THIN}%`;
  };
  const rate = (value) => isNumber(value) ? `${count(value)}${THIN}/s` : "–";
  const byteRate = (value) => isNumber(value) ? `${bytes(value)}/s` : "–";

  const two = (value) => String(value).padStart(2, "0");
  const clock = (epoch, withSeconds) => {
    const date = new Date(epoch * 1000);
    return `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ""}`;
  };
  const day = (epoch) => {
    const date = new Date(epoch * 1000);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  };
  /* The time alone if it is of today. */
  const when = (epoch) => day(epoch) === day(Date.now() / 1000) ? clock(epoch, true) : `${day(epoch)} ${clock(epoch)}`;

  return {
    count, bytes, seconds, ratio, rate, byteRate, clock, day, when, isNumber,
    units: { count, bytes, seconds, ratio, rate, byteRate },
  };
})();

/* A command with a button that copies it. */
const commandElement = (text) => {
  const button = el("button", { type: "button", "data-key": `copy ${text}` }, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.previousSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Ctrl-C";
    }
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });
  return el("div", { class: "command" }, el("code", null, text), button);
};

const HEALTH_MARKS = { good: "✓", warning: "!", critical: "✕", unknown: "?" };
const markElement = (health) => el("span", { class: `mark ${health}`, role: "img", "aria-label": health }, HEALTH_MARKS[health] || "?");

/* "a="1",b="2"" → { a: "1", b: "2" } */
const parseLabels = (text) => {
  const labels = {};
  for (const [, name, value] of text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/gs)) {
    labels[name] = value.replace(/\\(.)/gs, (all, c) => c === "n" ? "\n" : c);
  }
  return labels;
};
