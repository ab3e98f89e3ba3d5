/**
 * Listens to pages, to the windows, and to the person's switches. It has no
 * clock: with nothing to do the browser ends it, and nothing wakes it.
 */

import { api, proxy } from "./engine.js";
import { status } from "./host.js";
import * as handover from "./proxy.js";
import { Request } from "./request.js";
import { enter, follow, isOn } from "./sites.js";

/** At most one, since there is one person and one code to scan. */
let current = null;

handover.listen();

api.runtime.onInstalled.addListener(follow);
api.runtime.onStartup.addListener(follow);
api.permissions.onRemoved.addListener(follow);
api.permissions.onAdded.addListener(async ({ origins = [] }) => {
  await follow();
  if (origins.length > 0) await enter(origins);
});

api.runtime.onConnect.addListener((port) => {
  if (port.name === "request") serveRequest(port);
  else if (port.name === "window" && isOurs(port.sender)) serveWindow(port);
});

api.runtime.onMessage.addListener((message, sender, reply) => {
  if (message.ask === "status" && isOurs(sender)) {
    look().then(reply);
    return true;
  }
  if ("waiting" in message && sender.tab) mark(sender.tab.id, message.waiting);
  return false;
});

/** Pages of the extension, as opposed to its scripts in pages of others. */
function isOurs(sender) {
  return sender.url?.startsWith(api.runtime.getURL("")) ?? false;
}

/** Who asks, by the browser's word; null if that cannot be told. */
function whoAsks({ origin, frameId, tab }, crossOrigin) {
  if (!origin || !/^https?:/.test(origin)) return null;
  if (frameId === 0) return { origin };
  // Not every browser tells the address of a page that is not on.
  if (!tab?.url) return null;
  const top = new URL(tab.url).origin;
  return top === origin && !crossOrigin ? { origin } : { origin, topOrigin: top };
}

function serveRequest(port) {
  const tellPage = (message) => port.postMessage(message);
  let request = null;
  let gone = false;
  port.onDisconnect.addListener(() => {
    gone = true;
    request?.abandon();
  });
  port.onMessage.addListener(async (message) => {
    if (message.do === "abort") request?.abandon();
    else if (message.do === "called") request?.called();
    else if (message.do === "ask" && !request) {
      const asked = await admit(port.sender, message).catch(() => null);
      if (gone) return;
      if (!asked || current) {
        tellPage({ do: "native" });
        return;
      }
      const { id, windowId } = port.sender.tab;
      // Beside the port of its page, which a browser may close later. Only now:
      // a listener that stays would be woken by every tab.
      const tabClosed = (closed) => closed === id && request.abandon();
      api.tabs.onRemoved.addListener(tabClosed);
      request = current = new Request(asked, windowId, tellPage, () => {
        current = null;
        api.tabs.onRemoved.removeListener(tabClosed);
      });
      request.begin();
    }
  });
}

/** The request as it is put to the program, or null if it is not for us. */
async function admit(sender, { kind, options, crossOrigin }) {
  const who = whoAsks(sender, crossOrigin);
  if (!who || current || !["create", "get"].includes(kind)) return null;
  // A frame is on where it and the page around it are.
  const [on, around, refused, { profile = "borrowed" }] = await Promise.all([
    isOn(who.origin),
    isOn(who.topOrigin ?? who.origin),
    proxy ? handover.refusal() : null,
    api.storage.local.get("profile"),
  ]);
  api.storage.session.set({ refused });
  return on && around && !refused ? { kind, options, profile, ...who } : null;
}

function serveWindow(port) {
  let request = null;
  port.onMessage.addListener((message) => {
    if (message.request) {
      request = current?.number === message.request ? current : null;
      if (request) {
        request.watched((shown) => port.postMessage({ shown }));
      } else {
        port.postMessage({ over: true });
      }
    } else if (request && "uvpaa" in message) request.uvpaa = message.uvpaa;
    else if (message.press === "cancel") request?.cancel();
    else if (message.press === "not-here") request?.notHere();
    else if (message.press === "again") request?.again();
  });
  port.onDisconnect.addListener(() => {
    request?.watched(null);
    request?.cancel();
  });
}

/** What the popup says of this computer. */
async function look() {
  const { refused = null } = await api.storage.session.get("refused");
  return { ...(await status()), refused };
}

/** The toolbar button says whether a page would take a passkey from a phone. */
async function mark(tabId, waiting) {
  const text = waiting ? api.i18n.getMessage("badge") : "";
  await api.action.setBadgeText({ tabId, text }).catch(() => {});
}
