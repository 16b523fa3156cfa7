// Forms: what is typed is kept in this tab until it is sent; a sending that fails says so and loses nothing.
"use strict";
(() => {
  const at = (form) => `sev1:${location.pathname}:${form.id}`;
  const fieldsOf = (form) => [...form.elements].filter((field) => field.name && !["hidden", "submit", "password"].includes(field.type));

  function keep(form) {
    const typed = {};
    for (const field of fieldsOf(form)) {
      if (field.type === "radio" || field.type === "checkbox") { if (field.checked) typed[field.name] = field.value; }
      else if (field.value !== field.defaultValue) typed[field.name] = field.value;
    }
    try { sessionStorage.setItem(at(form), JSON.stringify(typed)); } catch { /* private mode: nothing is kept */ }
  }

  function restore(form) {
    let typed;
    try { typed = JSON.parse(sessionStorage.getItem(at(form)) || "null"); } catch { return; }
    if (!typed) return;
    for (const field of fieldsOf(form)) {
      if (!(field.name in typed)) continue;
      if (field.type === "radio" || field.type === "checkbox") field.checked = field.value === typed[field.name];
      else if (!field.value || field.value === field.defaultValue) field.value = typed[field.name];
    }
  }

  const forget = (form) => { try { sessionStorage.removeItem(at(form)); } catch { /* nothing was kept */ } };

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && form.matches("[data-keep]")) keep(form);
  });
  // Without htmx the browser sends the form itself; then what was typed is the server's to keep.
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-keep]:not([hx-post])")) forget(event.target);
    if (event.target.action.endsWith("/sign-out")) try { sessionStorage.clear(); } catch { /* nothing was kept */ }
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt;
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    if (window.sev1) sev1.expectMine();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt, status = event.detail.xhr.status;
    for (const button of form.querySelectorAll("button")) button.disabled = false;
    if (status >= 200 && status < 300) forget(form);
    if (status === 0 || status >= 500) {
      const said = form.querySelector(".said") || form.insertBefore(document.createElement("p"), form.querySelector("button, p, .row"));
      said.className = "said";
      said.setAttribute("role", "alert");
      said.textContent = status === 0
        ? "Not sent: there is no connection. What you typed is kept; send it again when the line above is gone."
        : "Not saved: something broke on our side. What you typed is kept; send it again.";
    } else if (status === 403 || status === 404 || status === 413 || status === 429) {
      const said = document.getElementById("said") || form;
      const line = document.createElement("p");
      line.className = "said";
      line.setAttribute("role", "alert");
      line.textContent = "Not saved: the server refused it. Reload the page and try again; what you typed is kept.";
      said.prepend(line);
    }
  });
  // The form that was sent is put in its place again, empty or refused: the caret goes on where it was.
  document.addEventListener("htmx:afterSwap", (event) => {
    const form = event.detail.elt;
    if (!form.matches || !form.matches("form")) return;
    const inBar = form.closest(".command-bar");
    const refused = form.querySelector(".said");
    // On a phone the keyboard goes away instead, so that one sees what was recorded.
    const goesOn = inBar && !matchMedia("(pointer: coarse)").matches;
    if (goesOn || refused) form.querySelector("textarea, input:not([type=hidden]), select")?.focus();
    if (!refused) form.closest("details.fold")?.removeAttribute("open");
  });

  for (const form of document.querySelectorAll("form[data-keep]")) restore(form);

  // Choosing what to write goes straight into its first field, and what was open stays open meanwhile.
  const bar = document.getElementById("command-bar");
  if (bar) {
    bar.querySelector(".kinds").addEventListener("mousedown", (event) => event.preventDefault());
    bar.addEventListener("change", (event) => {
      if (event.target.name === "kind") bar.querySelector(`[data-kind="${event.target.id.slice(5)}"] .first`)?.focus();
    });
  }

  // Ctrl+Enter, or Enter in a one-line field, sends.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  });
})();
