/**
 * On which sites the extension is there at all. The browser's own list of what
 * the person granted is the only memory: no grant, no script in any page.
 */

import { api } from "./engine.js";

/** The host permissions that mean all sites on which passkeys work. */
export const EVERYWHERE = ["https://*/*", "http://localhost/*", "http://*.localhost/*"];

const SCRIPTS = [
  { id: "bridge", js: ["page/rules.js", "page/policy.js", "page/bridge.js"], world: "ISOLATED" },
  { id: "page", js: ["page/page.js"], world: "MAIN" },
];

/** The host permission for one site; every port of it, as grants know no ports. */
export function patternOf(origin) {
  const url = new URL(origin);
  return `${url.protocol}//${url.hostname}/*`;
}

/** Whether the person switched this origin on. */
export function isOn(origin) {
  return api.permissions.contains({ origins: [patternOf(origin)] });
}

let turn = Promise.resolve();

/** Makes the registered scripts those of the granted sites. One at a time. */
export function follow() {
  turn = turn.then(register, register);
  return turn;
}

async function register() {
  const { origins: granted = [] } = await api.permissions.getAll();
  const matches = granted.filter((one) => one.startsWith("http"));
  const known = await api.scripting.getRegisteredContentScripts();
  if (known.length > 0) await api.scripting.unregisterContentScripts();
  if (matches.length === 0) return;
  // At the start of the document, or a site that asks on load is missed.
  const how = { matches, allFrames: true, runAt: "document_start", persistAcrossSessions: true };
  await api.scripting.registerContentScripts(SCRIPTS.map((script) => ({ ...script, ...how })));
}

/** Brings the scripts into pages that were open when the person switched on. */
export async function enter(origins) {
  for (const tab of await api.tabs.query({ url: origins })) {
    await enterTab(tab.id).catch(() => {
      // A page that lets no extension in, or that has gone.
    });
  }
}

async function enterTab(tabId) {
  const there = { target: { tabId, allFrames: true }, injectImmediately: true };
  const said = await api.scripting.executeScript({ ...there, func: () => Boolean(globalThis.cablecarBridge) });
  const frameIds = said.filter((frame) => frame.result === false).map((frame) => frame.frameId);
  if (frameIds.length === 0) return;
  for (const { js, world } of SCRIPTS) {
    await api.scripting.executeScript({ target: { tabId, frameIds }, files: js, world, injectImmediately: true });
  }
}
