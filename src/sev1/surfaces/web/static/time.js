// Keeps relative times true: "12 min", "update due in 6 min" -> "update late by 3 min". The words are those of moments.py.
"use strict";
(() => {
  // The server's clock, not the device's: a phone may be minutes off.
  let ahead = Date.parse(document.body.dataset.now) - Date.now();
  const pad = (n) => String(n).padStart(2, "0");

  function spell(seconds) {
    const s = Math.max(Math.floor(seconds), 0);
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${pad(Math.floor((s % 3600) / 60))} min`;
    const days = Math.floor(s / 86400), hours = Math.floor((s % 86400) / 3600);
    return hours && days < 7 ? `${days} d ${hours} h` : `${days} d`;
  }
  const ago = (s) => (s < 60 ? "under 1 min" : spell(s));
  function until(s) {
    if (s < 60) return `0:${pad(Math.max(Math.floor(s), 0))}`;
    return spell(s < 3600 ? Math.floor((s + 59) / 60) * 60 : s);
  }

  function say(element, now) {
    const left = (Date.parse(element.dateTime) - now) / 1000;
    let words;
    if (element.dataset.t === "ago") words = ago(-left);
    else if (element.dataset.t === "until") words = until(left);
    else {
      const late = left <= 0;
      words = (late ? element.dataset.after : element.dataset.before).replace("{}", late ? ago(-left) : until(left));
      element.classList.toggle("late", late);
    }
    if (element.textContent !== words) element.textContent = words;
    return left > 0 && left < 75 && element.dataset.t !== "ago";
  }

  let timer = 0;
  function tick() {
    clearTimeout(timer);
    const now = Date.now() + ahead;
    let soon = false;
    for (const element of document.querySelectorAll("time[data-t]")) soon = say(element, now) || soon;
    timer = setTimeout(tick, soon ? 1000 : 15000);
  }

  window.sev1 = {
    refreshTimes: tick,
    now: () => new Date(Date.now() + ahead),
    hearTime(iso) { ahead = Date.parse(iso) - Date.now(); },
    clock: (date) => `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())} UTC`,
  };
  document.addEventListener("visibilitychange", tick);
  tick();
})();
