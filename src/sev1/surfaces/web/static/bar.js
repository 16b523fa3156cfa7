// The bar: while one types, how the line may go on and what it would record. Without this file the form works all the same.
// The words come from the server, which has the one grammar; nothing is recorded before the line is sent.
"use strict";
(() => {
  const WAIT_MS = 90;
  let timer = 0, asked = 0, chosen = -1, shownFor = "";

  const bar = document.getElementById("command-bar");
  if (!bar) return;
  const form = () => document.getElementById("f-line");
  const field = () => form()?.querySelector("textarea");
  const draft = () => document.getElementById("draft");
  const options = () => [...draft().querySelectorAll("[role=option]")];

  function show(html) {
    const box = draft();
    box.innerHTML = html;
    shownFor = field().value;
    chosen = -1;
    const empty = !box.textContent.trim();
    box.hidden = empty;
    const input = field();
    // A text field of several lines may not be called a combobox (ARIA in HTML); it may name the list that it offers.
    input.setAttribute("aria-autocomplete", "list");
    for (const [name, id] of [["aria-controls", "draft-list"], ["aria-describedby", "draft-says"]]) {
      if (document.getElementById(id)) input.setAttribute(name, id);
      else input.removeAttribute(name);
    }
    input.removeAttribute("aria-activedescendant");
  }

  // The server's words for a line, or nothing when there is no connection: the band above says so then.
  async function ask(line) {
    try {
      const answer = await fetch(`${form().dataset.draft}?line=${encodeURIComponent(line)}`, { credentials: "same-origin" });
      return answer.ok && !answer.redirected ? await answer.text() : "";
    } catch { return ""; }
  }

  async function look() {
    const line = field()?.value ?? "", mine = ++asked;
    const html = line.startsWith("/") ? await ask(line) : "";
    // Somebody may have typed on, sent or cleared the line meanwhile.
    if (mine === asked && field()?.value === line && document.activeElement === field()) show(html);
  }

  const soon = () => { clearTimeout(timer); timer = setTimeout(look, WAIT_MS); };

  function choose(step) {
    const all = options();
    if (!all.length) return false;
    chosen = chosen < 0 && step < 0 ? all.length - 1 : (chosen + step + all.length) % all.length;
    all.forEach((one, n) => one.setAttribute("aria-selected", String(n === chosen)));
    all[chosen].scrollIntoView({ block: "nearest" });
    field().setAttribute("aria-activedescendant", all[chosen].id);
    return true;
  }

  // `text` takes the place of the last word of `line`; what was typed after that stays behind it.
  function complete(text, line = field().value) {
    const input = field();
    const since = input.value.slice(line.length).trimStart();
    input.value = line.replace(/\S*$/, "") + text + " " + since;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
    soon();
  }

  // Who types fast is ahead of the list: what is completed is what fitted when Tab was pressed.
  async function take() {
    const line = field().value;
    if (shownFor === line) { complete(options()[Math.max(chosen, 0)].dataset.text); return; }
    const fitting = new DOMParser().parseFromString(await ask(line), "text/html").querySelector("[role=option]");
    if (fitting && field().value.startsWith(line)) complete(fitting.dataset.text, line);
  }

  bar.addEventListener("input", (event) => { if (event.target === field()) soon(); });
  bar.addEventListener("focusin", (event) => { if (event.target === field()) soon(); });
  bar.addEventListener("focusout", (event) => {
    if (event.target === field() && !draft().contains(event.relatedTarget)) draft().hidden = true;
  });
  // A press on a candidate must not take the caret out of the line.
  bar.addEventListener("mousedown", (event) => { if (event.target.closest("[role=option]")) event.preventDefault(); });
  bar.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) complete(option.dataset.text);
  });
  bar.addEventListener("keydown", (event) => {
    if (event.target !== field() || event.isComposing) return;
    const open = !draft().hidden && options().length > 0;
    if (event.key === "ArrowDown" && open) { if (choose(1)) event.preventDefault(); }
    else if (event.key === "ArrowUp" && open) { if (choose(-1)) event.preventDefault(); }
    else if (event.key === "Tab" && open && !event.shiftKey && field().value.startsWith("/") && !field().value.endsWith(" ")) {
      event.preventDefault();
      take();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (open && chosen >= 0) complete(options()[chosen].dataset.text);
      else if (field().value.trim()) { asked += 1; form().requestSubmit(); }
    } else if (event.key === "Escape" && !draft().hidden) {
      event.preventDefault();
      event.stopPropagation();
      draft().hidden = true;
    }
  });

  // A link beside a task or a guess begins the line; a line that somebody has begun is not thrown away.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.say");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    begin(link.dataset.say);
  });

  function begin(line) {
    const tab = document.getElementById("kind-line");
    tab.checked = true;
    const input = field();
    const typed = input.value.trim();
    if (typed && !typed.startsWith("/")) { input.focus(); return; }
    input.value = line;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
    input.setSelectionRange(line.length, line.length);
  }

  window.sev1.begin = begin;
  if (new URLSearchParams(location.search).has("line")) {
    const input = field();
    input?.focus();
    input?.setSelectionRange(input.value.length, input.value.length);
  }
})();
