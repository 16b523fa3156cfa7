// Shows the kept copy of a page while there is no connection, and what is pushed.
"use strict";

// --- the last known state ----------------------------------------------------------------------------------------------

const COPIES = "copies", ASSETS = "assets";
const KEPT_MS = 24 * 3600 * 1000;
// Of what this server itself sends; a copy has no headers of its own.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
  + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'";

self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(navigate(request, url));
  else if (request.method === "GET" && url.pathname.startsWith("/static/") && url.searchParams.has("v")) event.respondWith(asset(request));
});

async function navigate(request, url) {
  let answer;
  try {
    answer = await fetch(request);
  } catch {
    return (request.method === "GET" && await copy(url)) || Response.error();
  }
  const there = new URL(answer.url || url).pathname;
  // Whoever signs in next, or has signed out, finds nothing of somebody else's.
  if (["/sign-in", "/sign-out"].includes(there) || url.pathname === "/sign-out") await caches.delete(COPIES);
  else if (answer.status === 404 || answer.status === 403) await (await caches.open(COPIES)).delete(url.origin + url.pathname);
  return answer;
}

// The copy, with the time at which it was kept and the clock set on by how long ago that is.
async function copy(url) {
  const cache = await caches.open(COPIES), kept = await cache.match(url.origin + url.pathname);
  if (!kept) return null;
  const age = Date.now() - Number(kept.headers.get("X-Kept-At"));
  if (!(age < KEPT_MS)) { await cache.delete(url.origin + url.pathname); return null; }
  const html = (await kept.text()).replace(/ data-now="([^"]*)"/, (_, then) =>
    ` data-now="${new Date(Date.parse(then) + age).toISOString()}" data-offline="${new Date(Date.parse(then)).toISOString()}"`);
  return new Response(html, { headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY, "Cache-Control": "no-store" } });
}

// Addresses with a mark never change what they hold; those of earlier releases go when a page asks for newer ones.
async function asset(request) {
  const cache = await caches.open(ASSETS), kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    const path = new URL(request.url).pathname;
    for (const old of await cache.keys()) if (new URL(old.url).pathname === path) await cache.delete(old);
    await cache.put(request, answer.clone());
  }
  return answer;
}

// --- what is pushed ----------------------------------------------------------------------------------------------------

// Nothing is acknowledged by a tap.
self.addEventListener("push", (event) => {
  let said = {};
  try { said = event.data.json(); } catch { /* shown below all the same */ }
  event.waitUntil(self.registration.showNotification(said.title || "sev1 needs you", {
    body: said.body || "Open it to see what happened.",
    tag: said.tag,
    renotify: Boolean(said.tag),
    requireInteraction: Boolean(said.stays),
    data: { url: said.url || "/" },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url, self.location.origin);
  if (url.origin !== self.location.origin) return;
  event.waitUntil((async () => {
    const windows = await clients.matchAll({ type: "window" });
    const open = windows.find((one) => one.url === url.href);
    return open ? open.focus() : clients.openWindow(url.href);
  })());
});
