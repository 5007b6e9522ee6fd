// Keys for the worklist: J K move, Enter opens, X selects, / searches. Pages work without it.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll(".work .row:not(.row-head)")];
  const current = () => rows().findIndex((row) => row.hasAttribute("aria-current"));
  const go = (step) => {
    const all = rows();
    if (!all.length) return;
    const from = current();
    const to = from < 0 ? 0 : Math.min(all.length - 1, Math.max(0, from + step));
    if (from >= 0) all[from].removeAttribute("aria-current");
    all[to].setAttribute("aria-current", "true");
    all[to].querySelector("a.who")?.focus();
  };
  const acts = {
    j: () => go(1),
    k: () => go(-1),
    x: () => rows()[current()]?.querySelector("input[type=checkbox]")?.click(),
    "/": () => document.getElementById("q")?.focus(),
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = acts[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
