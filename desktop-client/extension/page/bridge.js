/**
 * Between a page and the background, in the extension's own world. The page is
 * believed nothing but what it asks for: who it is, the browser tells the
 * background; what it may, the browser tells this script.
 */

(() => {
  "use strict";
  if (globalThis.cablecarBridge || !window.isSecureContext || !navigator.credentials) return;
  globalThis.cablecarBridge = true;

  const api = globalThis.browser ?? globalThis.chrome;
  const { allowed, inFront, isSameOriginWithAncestors } = cablecarPolicy;

  /** Requests that were put to the background: the page's number, its port. */
  const open = new Map();
  /** Those of which it is not known yet whose they are. */
  const asking = new Set();
  /** The one sign-in that waits for a click on the toolbar button. */
  let waiting = null;
  let page = null;

  const tell = (number, message) => page.postMessage(JSON.stringify({ number, ...message }));

  /** Puts a request to the background. */
  const put = ({ number, kind, options, waited }) => {
    const crossOrigin = !isSameOriginWithAncestors();
    const port = api.runtime.connect({ name: "request" });
    open.set(number, port);
    port.onMessage.addListener((message) => {
      // Whoever was asked by a click may click again.
      const back = waited && ["native", "reject"].includes(message.do);
      if (back) waitFor(waited);
      // To a page that is not in front the browser shows no dialog.
      if (message.do === "native" && !back) inFront().then(() => tell(number, message));
      else tell(number, back ? { do: "wait" } : message);
      if (message.do !== "call") end(number);
    });
    port.onDisconnect.addListener(() => open.delete(number) && tell(number, { do: "native" }));
    port.postMessage({ do: "ask", kind, options, crossOrigin });
  };

  const end = (number) => {
    open.get(number)?.disconnect();
    open.delete(number);
  };

  const waitFor = (asked) => {
    waiting = asked;
    api.runtime.sendMessage({ waiting: asked !== null }).catch(() => {});
  };

  const ask = async (asked) => {
    const { number, kind, options, mediation } = asked;
    const conditional = kind === "get" && mediation === "conditional";
    const mayOpen = conditional || document.visibilityState === "visible";
    // A frame of another origin makes passkeys only just after a click.
    const clicked = kind === "get" || isSameOriginWithAncestors() || navigator.userActivation?.isActive;
    asking.add(number);
    const ours = !cablecarRules[kind](options, mediation) && mayOpen && clicked && (await allowed(kind, mediation));
    // It may have been taken back meanwhile.
    if (!asking.delete(number)) return;
    if (!ours) tell(number, { do: "native" });
    else if (conditional) {
      waitFor(asked);
      tell(number, { do: "wait" });
    } else put(asked);
  };

  const drop = (number) => {
    asking.delete(number);
    if (waiting?.number === number) waitFor(null);
    open.get(number)?.postMessage({ do: "abort" });
    end(number);
  };

  const hear = (text) => {
    const message = JSON.parse(text);
    const { number } = message;
    try {
      if (message.do === "ask") ask(message).catch(() => tell(number, { do: "native" }));
      else if (message.do === "drop") drop(number);
      else if (message.do === "called") {
        open.get(number)?.postMessage({ do: "called" });
        end(number);
      }
    } catch {
      // The extension was updated or removed under this page.
      tell(number, { do: "native" });
    }
  };

  // The page's script sends one end of a channel before any script of the page
  // runs; nobody else hears of it.
  window.addEventListener(
    "message",
    (event) => {
      if (page || event.source !== window || event.data !== "cablecar" || event.ports.length !== 1) return;
      event.stopImmediatePropagation();
      page = event.ports[0];
      page.onmessage = ({ data }) => hear(data);
    },
    true,
  );

  // The popup asks whether something waits here, and sends its click.
  api.runtime.onMessage.addListener((message, _sender, reply) => {
    if (!waiting) return false;
    if (message.ask === "waiting") {
      reply({ origin: location.origin });
    } else if (message.ask === "start") {
      const waited = waiting;
      waitFor(null);
      tell(waited.number, { do: "taken" });
      put({ ...waited, waited });
      reply({ started: true });
    }
    return false;
  });

  // A page that is kept for the way back asks for nothing meanwhile.
  window.addEventListener("pagehide", () => {
    if (waiting) waitFor(null);
    for (const number of [...open.keys()]) {
      drop(number);
      tell(number, { do: "reject", name: "NotAllowedError", message: "The page was left." });
    }
  });
})();
