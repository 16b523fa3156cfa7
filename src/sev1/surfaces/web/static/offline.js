// Keeps the last known state of this page, so that it can be read again while there is no connection.
// Only pages that say so are kept: never a restricted incident. service-worker.js shows the copy, with a clear mark.
"use strict";
(() => {
  if (!("serviceWorker" in navigator) || !window.caches) return;
  const COPIES = "copies", MOST = 20, SETTLED_MS = 1500;
  const body = document.body;
  navigator.serviceWorker.register("/service-worker.js").catch(() => { /* then there is no copy */ });

  const address = location.origin + location.pathname;
  let due = 0;

  async function keep() {
    const cache = await caches.open(COPIES);
    if (!("keeps" in body.dataset)) { await cache.delete(address); return; }
    if ("offline" in body.dataset || location.search) return;
    const page = document.documentElement.cloneNode(true);
    const copy = page.querySelector("body");
    copy.dataset.now = sev1.now().toISOString();
    const band = page.querySelector("#connection");
    band.hidden = true;
    band.textContent = "";
    for (const open of page.querySelectorAll("details[open]")) open.removeAttribute("open");
    const headers = { "Content-Type": "text/html; charset=utf-8", "X-Kept-At": String(Date.now()) };
    await cache.put(address, new Response(`<!doctype html>\n${page.outerHTML}`, { headers }));
    const kept = await cache.keys();
    for (const old of kept.slice(0, Math.max(0, kept.length - MOST))) await cache.delete(old);
  }

  // After every change that the page shows, once it has come to rest.
  function soon() {
    clearTimeout(due);
    due = setTimeout(() => { keep().catch(() => { /* no room: the next change tries again */ }); }, SETTLED_MS);
  }
  sev1.keepCopy = soon;
  soon();
})();
