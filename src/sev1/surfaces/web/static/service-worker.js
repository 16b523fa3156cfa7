// Shows what is pushed, and opens its page when it is tapped. Nothing is acknowledged by a tap.
"use strict";
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
