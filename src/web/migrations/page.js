"use strict";
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  const findings = [...document.querySelectorAll(".finding")].map((element) => ({
    element,
    severity: element.dataset.severity,
    group: element.dataset.group,
    revision: element.dataset.revision,
    text: element.textContent.toLowerCase() + " " + element.closest(".rule").dataset.rule,
  }));
  const rules = [...document.querySelectorAll(".rule")];
  const severities = [...form.querySelectorAll("input[type=checkbox]")];
  const group = form.querySelector("select");
  const text = form.querySelector("input[type=search]");
  const only = form.querySelector("button");
  const shown = form.querySelector(".shown");
  let revision = "";

  const show = () => {
    const wanted = new Set(severities.filter((box) => box.checked).map((box) => box.value));
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const finding of findings) {
      const fits = wanted.has(finding.severity) && (!group.value || finding.group === group.value) &&
        (!revision || finding.revision === revision) && words.every((word) => finding.text.includes(word));
      finding.element.hidden = !fits;
      count += fits;
    }
    for (const rule of rules) {
      const left = rule.querySelectorAll(".finding:not([hidden])").length;
      rule.hidden = left === 0;
      rule.querySelector(".count").textContent = left;
    }
    shown.textContent = `${count} of ${findings.length}`;
    only.hidden = !revision;
    only.textContent = `only revision ${revision} ×`;
  };

  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  only.addEventListener("click", () => { revision = ""; show(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.filter");
    if (!link) return;
    revision = link.dataset.revision;
    severities.forEach((box) => { box.checked = true; });
    group.value = "";
    text.value = "";
    show();
  });
  show();
})();
