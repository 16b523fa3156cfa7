// While somebody writes: blame, aliases and vague words are pointed out beside the form. Nothing keeps the form from being sent.
"use strict";
(() => {
  const WAIT_MS = 600;
  const dismissed = new Set();
  let timer = 0, asked = 0;

  const boxOf = (field) => document.getElementById(field.dataset.hints);
  const mark = (hint) => `${hint.kind} ${hint.text}`;

  function button(label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  }

  // Positions count characters as the server does; a script counts some of them twice.
  function apply(field, hint) {
    const text = [...field.value];
    if (text.slice(hint.start, hint.end).join("") === hint.text) {
      field.value = [...text.slice(0, hint.start), hint.instead, ...text.slice(hint.end)].join("");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    field.focus();
  }

  function show(field, hints) {
    const box = boxOf(field);
    if (!box) return;
    const left = hints.filter((hint) => !dismissed.has(mark(hint)));
    box.replaceChildren();
    if (!left.length) return;
    const hint = left[0];
    const line = document.createElement("p");
    line.textContent = `“${hint.text}”: ${hint.why}${left.length > 1 ? ` (1 of ${left.length})` : ""}`;
    const actions = document.createElement("p");
    actions.className = "actions";
    if (hint.instead) actions.append(button(`Write “${hint.instead}”`, () => { box.replaceChildren(); apply(field, hint); }));
    actions.append(button("Leave it", () => { dismissed.add(mark(hint)); show(field, hints); field.focus(); }));
    box.append(line, actions);
  }

  async function ask(field) {
    const number = ++asked, text = field.value;
    if (!text.trim()) { show(field, []); return; }
    const body = new URLSearchParams({ text, audience: field.dataset.audience || "" });
    try {
      const answer = await fetch("/language/hints", { method: "POST", body, headers: { "X-CSRF-Token": field.form.elements.csrf.value } });
      if (answer.ok && number === asked && field.value === text) show(field, (await answer.json()).hints);
    } catch { /* without a connection nothing is pointed out */ }
  }

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches("[data-hints]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => ask(field), WAIT_MS);
  });
  // What was sent is no longer in the field; the answer says what was pointed out in it.
  document.addEventListener("htmx:afterRequest", () => {
    clearTimeout(timer);
    asked++;
    for (const box of document.querySelectorAll(".hints")) box.replaceChildren();
  });
})();
