/**
 * Which requests are a phone's, and which are the browser's own. Pure: options
 * as WebAuthn JSON in, a word out. `null` means ours; any other word says why
 * the request falls through.
 */

// Content scripts of one extension share a scope of their own; no page sees it.
// eslint-disable-next-line no-unused-vars
const cablecarRules = (() => {
  "use strict";

  const HINTS = ["security-key", "client-device", "hybrid"];

  /** The first hint that means something; it goes before everything else. */
  const hint = (options) => (options.hints ?? []).find((one) => HINTS.includes(one));

  /** Extensions that only the browser can answer. */
  const BROWSERS_OWN = ["payment", "remoteDesktopClientOverride", "remoteClientDataJSON"];

  const common = (options, mediation) => {
    if (["silent", "immediate"].includes(mediation)) return "mediation";
    if (BROWSERS_OWN.some((name) => options.extensions?.[name] !== undefined)) return "extension";
    if (hint(options) === "security-key") return "security-key";
    if (hint(options) === "client-device") return "platform";
    return null;
  };

  const create = (options, mediation) => {
    // A passkey that is made without asking is this computer's business.
    if (mediation === "conditional") return "mediation";
    const why = common(options, mediation);
    if (why || hint(options) === "hybrid") return why;
    return options.authenticatorSelection?.authenticatorAttachment === "platform" ? "platform" : null;
  };

  const get = (options, mediation) => {
    const why = common(options, mediation);
    if (why || hint(options) === "hybrid") return why;
    const allowed = options.allowCredentials ?? [];
    // A passkey of which nothing is told may be on a phone.
    const elsewhere = ({ transports = [] }) => transports.length > 0 && !transports.includes("hybrid");
    if (allowed.length === 0 || !allowed.every(elsewhere)) return null;
    const here = allowed.some(({ transports }) => transports.includes("internal"));
    return here ? "platform" : "security-key";
  };

  return { create, get };
})();
