// The keys of design and Settings. Never the only way; silent inside fields, with a modifier, and when turned off.
"use strict";
(() => {
  const dialog = document.getElementById("keys");
  const isOff = () => { try { return localStorage.getItem("sev1:keys") === "off"; } catch { return false; } };
  const inField = (element) => element.matches("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  let awaitsPlace = 0;

  const places = { n: "/", i: "/incidents", o: "/on-call", a: "/alerts", c: "/catalog" };

  function move(step) {
    const rows = [...document.querySelectorAll("[data-row] a:first-of-type, .entry-at")].filter((row) => row.offsetParent);
    if (!rows.length) return;
    const here = rows.indexOf(document.activeElement);
    rows[Math.min(Math.max(here + step, 0), rows.length - 1)].focus();
  }

  async function copyLink() {
    const focus = document.activeElement.closest("a[href]");
    const link = focus ? focus.href : location.href;
    try {
      await navigator.clipboard.writeText(link);
      const said = document.getElementById("said") || document.getElementById("connection");
      said.textContent = `Copied ${link}`;
      said.hidden = false;
    } catch { /* no clipboard here */ }
  }

  function write(kind) {
    const tab = document.getElementById(`kind-${kind}`);
    if (!tab) return false;
    tab.checked = true;
    document.querySelector(`.kind[data-kind="${kind}"] .first`)?.focus();
    return true;
  }

  function back() {
    const path = document.body.dataset.keyBack;
    if (path) location.href = path;
  }

  const keys = {
    "/": () => { if (window.sev1?.begin) sev1.begin("/"); },
    "?": () => dialog.showModal(),
    g: () => { awaitsPlace = Date.now() + 1500; },
    j: () => move(1),
    k: () => move(-1),
    c: copyLink,
    u: () => write("update"),
    t: () => { if (window.sev1?.begin) sev1.begin("/task @"); },
    Escape: back,
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (dialog.open) return;
    if (event.key === "Escape" && inField(event.target)) { event.target.blur(); return; }
    if (inField(event.target) || (isOff() && event.key !== "Escape")) return;
    if (awaitsPlace > Date.now() && places[event.key]) { location.href = places[event.key]; return; }
    // What the page is about comes before what every page has.
    const named = `[data-key="${CSS.escape(event.key)}"]`;
    const target = document.querySelector(`main ${named}`) || document.querySelector(named);
    const act = keys[event.key];
    if (!act && !target) return;
    event.preventDefault();
    if (act) act();
    // Escalating wakes somebody: the key only goes to the button, Enter confirms.
    else if (target.matches("[data-key-focus]")) target.focus();
    else target.click();
  });

  const off = document.getElementById("keys-off");
  if (off) {
    off.checked = isOff();
    off.addEventListener("change", () => { try { localStorage.setItem("sev1:keys", off.checked ? "off" : "on"); } catch { /* not kept */ } });
  }
})();
