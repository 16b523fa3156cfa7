// Switches web push on in this browser: asks it for an address and hands that to the server by the form of the page.
"use strict";
(() => {
  const form = document.getElementById("push-form");
  if (!form) return;
  const button = document.getElementById("push-on");
  const said = document.getElementById("push-said");
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    said.textContent = "This browser cannot do it here. It needs https.";
    return;
  }
  said.textContent = "";
  button.hidden = false;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const browser = () => {
    const name = /Firefox|Edg|OPR|Chrome|Safari/.exec(navigator.userAgent);
    const system = /Android|iPhone|iPad|Windows|Mac OS X|Linux/.exec(navigator.userAgent);
    return `${name ? name[0].replace("Edg", "Edge").replace("OPR", "Opera") : "Browser"} on ${system ? system[0] : "this device"}`;
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = "Asking the browser…";
    try {
      if (await Notification.requestPermission() !== "granted") {
        said.textContent = "The browser was told not to show notifications of this site. Allow them in its settings for this site.";
        return;
      }
      const worker = await navigator.serviceWorker.register("/service-worker.js");
      await navigator.serviceWorker.ready;
      const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.key) });
      form.elements.endpoint.value = subscription.endpoint;
      form.elements.p256dh.value = text(subscription.getKey("p256dh"));
      form.elements.auth.value = text(subscription.getKey("auth"));
      form.elements.browser.value = browser();
      form.submit();
    } catch (error) {
      said.textContent = `It did not work: ${error.message}`;
    } finally {
      button.disabled = false;
    }
  });
})();
