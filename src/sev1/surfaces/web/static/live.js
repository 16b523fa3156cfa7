// Keeps the page true: hears the stream, puts changed parts in their place, and says so when the connection is lost.
// Nothing is moved under a finger or a caret, and no field that somebody changed is overwritten: such a part waits.
"use strict";
(() => {
  const body = document.body;
  const SILENT_MS = 25000; // the server gives a sign of life every 15 s
  const AGAIN_MS = 2000;
  const HAND_MS = 600; // a hand that moved over a part so lately may be about to press something in it
  const waiting = new Map(); // id of a part -> its new element
  let held = []; // timeline entries that wait behind "3 new"
  let pressed = false, moved = 0;
  let mine = 0; // until when changes are likely those that this page asked for

  // --- parts ---------------------------------------------------------------------------------------------------------

  const isChanged = (field) => {
    if (field.type === "hidden" || field.type === "submit") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") {
      const preset = [...field.options].findIndex((option) => option.defaultSelected);
      return field.options.length > 0 && field.selectedIndex !== Math.max(preset, 0);
    }
    return "defaultValue" in field && field.value !== field.defaultValue;
  };

  function isBusy(part) {
    const isMine = Date.now() < mine; // what one just pressed for may change under the hand
    if (!isMine && part.matches(":hover") && (pressed || Date.now() - moved < HAND_MS)) return true;
    const focus = document.activeElement;
    if (part.contains(focus) && focus.matches("input:not([type=radio], [type=checkbox]), textarea, select")) return true;
    if (part.querySelector("form[data-keep] .said")) return true; // refused, with what was typed still in it
    const selection = getSelection();
    if (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) return true;
    return [...part.querySelectorAll("input, textarea, select")].some(isChanged);
  }

  // What a part says, without what the browser itself keeps fresh.
  function gist(part) {
    const copy = part.cloneNode(true);
    for (const time of copy.querySelectorAll("time[data-t]")) { time.textContent = ""; time.className = ""; }
    for (const open of copy.querySelectorAll("details[open]")) open.removeAttribute("open");
    for (const token of copy.querySelectorAll("input[name=csrf]")) token.removeAttribute("value"); // another each time
    return copy.className + copy.innerHTML.replace(/ class=""/g, "").replace(/\s+/g, " ");
  }

  function put(part) {
    const current = document.getElementById(part.id);
    if (!current) return;
    if (gist(current) === gist(part)) { waiting.delete(part.id); return; }
    if (isBusy(current)) { waiting.set(part.id, part); return; }
    waiting.delete(part.id);
    for (const open of current.querySelectorAll("details[open][id]")) {
      const again = part.querySelector("#" + CSS.escape(open.id));
      if (again) again.open = true;
    }
    const focus = current.contains(document.activeElement) ? pathTo(document.activeElement) : null;
    current.replaceWith(part);
    if (window.htmx) htmx.process(part);
    if (focus) focusAgain(part, focus);
  }

  // A button or link that has the focus is found again in the new part; where it is gone, the part itself takes over.
  function pathTo(element) {
    if (element.id) return `#${CSS.escape(element.id)}`;
    if (element.form?.id) return `#${CSS.escape(element.form.id)} button`;
    if (element.hasAttribute("href")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
    if (element.parentElement?.id) return `#${CSS.escape(element.parentElement.id)} > ${element.localName}`;
    return "";
  }

  function focusAgain(part, path) {
    const again = path && part.querySelector(path);
    if (!again) part.tabIndex = -1;
    (again || part).focus({ preventScroll: true });
  }

  function settle() {
    for (const part of [...waiting.values()]) put(part);
    if (held.length && !readsFurtherDown()) showHeld();
  }

  // --- timeline ------------------------------------------------------------------------------------------------------

  const log = document.getElementById("log");
  const timeline = document.getElementById("timeline");
  const newsButton = document.getElementById("timeline-news");

  const scrolls = () => log && log.scrollHeight > log.clientHeight + 4 && getComputedStyle(log).overflowY !== "visible";
  function readsFurtherDown() {
    const top = scrolls() ? log.scrollTop : timeline.getBoundingClientRect().top < 0 ? 1 : 0;
    return top > 8 * (scrolls() ? 1 : 0) || isBusy(timeline) || (timeline.matches(":hover") && pressed);
  }

  function grow(entries) {
    const kinds = timeline.dataset.kinds ? timeline.dataset.kinds.split(" ") : null;
    for (const entry of entries) {
      if (document.getElementById(entry.id) || held.some((other) => other.id === entry.id)) continue;
      if (entry.dataset.corrects) strike(entry);
      if (kinds && !kinds.some((kind) => entry.classList.contains(kind))) continue;
      held.push(entry);
    }
    if (!held.length) return;
    if (!("past" in timeline.dataset) && (Date.now() < mine || !readsFurtherDown())) showHeld();
    else {
      newsButton.textContent = `${held.length} new`;
      newsButton.hidden = false;
    }
    const tab = document.getElementById("tab-timeline-news");
    if (tab && held.length) tab.textContent = `(${held.length} new)`;
  }

  // What a new entry takes back stays where it is, struck, with the way to what corrects it.
  function strike(by) {
    const id = `entry-${by.dataset.corrects}`;
    const entry = held.find((other) => other.id === id) || document.getElementById(id);
    const byline = entry?.querySelector(".byline");
    if (!byline || entry.classList.contains("corrected")) return;
    entry.classList.add("corrected");
    byline.querySelector(".undo")?.remove();
    const link = document.createElement("a");
    link.href = `#${by.id}`;
    link.textContent = `undone by ${by.id.replace("-", " ")}`;
    byline.append(" ", link);
  }

  function showHeld() {
    for (const empty of timeline.querySelectorAll(".empty")) empty.remove();
    for (const entry of held) timeline.prepend(entry);
    held = [];
    newsButton.hidden = true;
    const tab = document.getElementById("tab-timeline-news");
    if (tab) tab.textContent = "";
  }

  if (newsButton) newsButton.addEventListener("click", () => {
    if ("past" in timeline.dataset) { location.search = ""; return; }
    showHeld();
    if (scrolls()) log.scrollTop = 0; else timeline.scrollIntoView();
    timeline.querySelector("a")?.focus({ preventScroll: true });
  });

  function take(html) {
    const fragment = new DOMParser().parseFromString(html, "text/html");
    for (const part of fragment.querySelectorAll("[data-part]")) put(document.adoptNode(part));
    if (timeline) grow([...fragment.querySelectorAll('[data-append="timeline"] > li')].map((li) => document.adoptNode(li)));
    sev1.refreshTimes();
    sev1.keepCopy?.();
  }

  // --- the page fetches itself again -----------------------------------------------------------------------------------

  let fetching = null, again = false;
  async function refetch() {
    if (fetching) { again = true; return; }
    fetching = fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    try {
      const answer = await fetching;
      if (answer.redirected && new URL(answer.url).pathname === "/sign-in") { signedOut(); return; }
      if (answer.ok) { take(await answer.text()); isAlive(); }
    } catch { isLost(); } finally {
      fetching = null;
      if (again) { again = false; refetch(); }
    }
  }

  // --- the connection --------------------------------------------------------------------------------------------------

  const band = document.getElementById("connection");
  let source = null, version = body.dataset.version, lostAt = null, watchdog = 0, over = false, wasOpen = false;

  // A copy that was kept says so at once, and goes on saying so until the stream is there.
  let heard = body.dataset.offline ? new Date(body.dataset.offline) : sev1.now();

  function address() {
    const url = new URL(body.dataset.stream, location.href);
    if (version !== undefined) url.searchParams.set("after", version);
    if (!wasOpen && body.dataset.fingerprint) url.searchParams.set("has", body.dataset.fingerprint);
    return url;
  }

  function connect() {
    if (over || !body.dataset.stream || document.hidden) return;
    disconnect();
    source = new EventSource(address());
    source.onopen = () => {
      wasOpen = true;
      isAlive();
    };
    source.addEventListener("alive", (event) => { sev1.hearTime(event.data); isAlive(); });
    source.addEventListener("change", (event) => {
      if (event.lastEventId) { version = event.lastEventId; body.dataset.version = version; }
      take(event.data);
      isAlive();
    });
    source.addEventListener("news", refetch);
    source.addEventListener("signed-out", signedOut);
    source.onerror = () => {
      isLost();
      // The browser tries again by itself after a cut, but not after an answer that is no stream.
      if (source && source.readyState === EventSource.CLOSED) { disconnect(); setTimeout(check, AGAIN_MS); }
    };
    watch();
  }

  function disconnect() {
    clearTimeout(watchdog);
    if (source) source.close();
    source = null;
  }

  function watch() {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => { isLost(); disconnect(); connect(); }, SILENT_MS);
  }

  // Refused instead of cut: perhaps the session is over. Ask once what the page itself would answer.
  async function check() {
    if (source || over) return;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (answer.redirected && new URL(answer.url).pathname === "/sign-in") { signedOut(); return; }
    } catch { /* still lost */ }
    connect();
  }

  function isAlive() {
    heard = sev1.now();
    delete body.dataset.offline;
    if (lostAt) { lostAt = null; say(""); }
    if (source) watch();
  }

  function isLost() {
    if (over) return;
    if (!lostAt) lostAt = sev1.now();
    if (body.dataset.offline) {
      say(`⚠️ Offline copy of ${sev1.clock(heard)}. Not live. What you type is kept; trying again.`);
      return;
    }
    say(`⚠️ Connection lost since ${sev1.clock(lostAt)}. Shown as of ${sev1.clock(heard)}. What you type is kept; trying again.`);
  }

  function signedOut() {
    over = true;
    disconnect();
    const link = document.createElement("a");
    link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = "Sign in again";
    say("You are signed out. What you typed is kept in this tab. ", link);
  }

  function say(text, link) {
    band.hidden = !text;
    band.replaceChildren(text, ...(link ? [link] : []));
  }

  // --- wiring ----------------------------------------------------------------------------------------------------------

  sev1.expectMine = () => { mine = Date.now() + 3000; };
  sev1.isLost = isLost;
  sev1.refetch = refetch;
  sev1.isChanged = isChanged;
  for (const name of ["focusout", "change", "selectionchange"]) document.addEventListener(name, () => setTimeout(settle, 50));
  addEventListener("pointerdown", () => { pressed = true; });
  addEventListener("pointermove", () => { moved = Date.now(); }, { passive: true });
  document.addEventListener("htmx:afterSwap", () => setTimeout(settle, 50));
  // Not every end of an edit has an event of its own (a field that leaves the page takes its focus along).
  setInterval(() => { if (waiting.size || held.length) settle(); }, 700);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { pressed = false; setTimeout(settle, 300); });
  (log || document).addEventListener("scroll", () => { if (held.length && !readsFurtherDown()) showHeld(); }, { passive: true });
  // The old stream may still hand over what was on its way, and the page would look alive: only a new one is believed.
  addEventListener("offline", () => { disconnect(); isLost(); setTimeout(check, AGAIN_MS); });
  addEventListener("online", connect);
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  // A browser opens only six connections to a server: a tab that nobody sees gives its one back.
  if (body.dataset.offline) isLost();
  let hiding = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(disconnect, 30000);
    else if (!source) connect();
  });
  connect();
})();
