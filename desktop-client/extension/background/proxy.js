/**
 * Chromium: the browser itself makes the page's credential out of the phone's
 * answer. While an extension is attached, every request of every page comes to
 * it, and none can be handed back. So this one is attached only for the moment
 * in which an answer that is already here is handed over.
 */

import { proxy } from "./engine.js";

const REFUSED = { name: "NotAllowedError", message: "The operation is not allowed." };

let handing = null;

/** Attaches, or says why the browser does not let this extension. */
const attach = () => proxy.attach().then((why) => why || null, (error) => error.message || "refused");

/** Why the browser would not let this extension attach, or null. */
export async function refusal() {
  if (handing) return null;
  const why = await attach();
  if (!why) await proxy.detach();
  return why;
}

/**
 * Attaches for one answer, until `stop` is called.
 * @param {object} expected `kind`, `origin` and `challenge` of the one request
 *   that may have it; `response` as JSON; `uvpaa`, what is said in between to
 *   pages that ask whether this computer has an authenticator of its own
 */
export async function hand(expected) {
  if (handing) throw new Error("an answer is being handed over");
  handing = expected;
  const why = await attach();
  if (!why) return;
  handing = null;
  throw new Error(why);
}

/** Detaches. */
export async function stop() {
  handing = null;
  await proxy.detach().catch(() => {});
}

/** Whether this is the request for which the answer is here. */
function fits(kind, details) {
  if (!handing || handing.kind !== kind || handing.given) return false;
  const asked = JSON.parse(details.requestDetailsJson);
  const from = asked.extensions?.remoteDesktopClientOverride;
  return from?.origin === handing.origin && asked.challenge === handing.challenge;
}

function answer(kind, details, complete) {
  if (!fits(kind, details)) {
    complete({ requestId: details.requestId, error: REFUSED });
    return;
  }
  handing.given = true;
  complete({ requestId: details.requestId, responseJson: JSON.stringify(handing.response) });
}

/** Listens. To be called while the background starts. */
export function listen() {
  if (!proxy) return;
  // A background that was ended in the middle may have left it attached.
  proxy.detach().catch(() => {});
  proxy.onCreateRequest.addListener((details) =>
    answer("create", details, (result) => proxy.completeCreateRequest(result)),
  );
  proxy.onGetRequest.addListener((details) =>
    answer("get", details, (result) => proxy.completeGetRequest(result)),
  );
  proxy.onIsUvpaaRequest.addListener((details) =>
    proxy.completeIsUvpaaRequest({ requestId: details.requestId, isUvpaa: handing?.uvpaa ?? false }),
  );
}
