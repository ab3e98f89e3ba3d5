/** The toolbar button's popup: where the extension is on, and whether it works. */

import { EVERYWHERE, patternOf } from "../background/sites.js";
import { api, fill, say, siteOf, the, words } from "./words.js";

fill();

// A popup belongs to the tab behind it; a tab of its own is told which.
const asked = Number(new URLSearchParams(location.search).get("tab"));
const [tab] = asked
  ? [await api.tabs.get(asked)]
  : await api.tabs.query({ active: true, currentWindow: true });
const origin = originOf(tab?.url);

await showSwitches();
showWaiting();
showState();

the("site").addEventListener("change", ({ target }) => turn(target, [patternOf(origin)]));
the("everywhere").addEventListener("change", ({ target }) => turn(target, EVERYWHERE));
the("own").addEventListener("change", (event) =>
  api.storage.local.set({ profile: event.target.checked ? "own" : "borrowed" }),
);
api.permissions.onAdded.addListener(showSwitches);
api.permissions.onRemoved.addListener(showSwitches);

/** The origin of a page on which passkeys work, or null. */
function originOf(address) {
  if (!address) return null;
  const url = new URL(address);
  const local = url.protocol === "http:" && /(^|\.)localhost$/.test(url.hostname);
  return url.protocol === "https:" || local ? url.origin : null;
}

/** Asks the browser, which asks the person. Must be the first thing after the click. */
async function turn(box, origins) {
  box.disabled = true;
  try {
    if (box.checked) await api.permissions.request({ origins });
    else await api.permissions.remove({ origins });
  } finally {
    box.disabled = false;
    await showSwitches();
  }
}

async function showSwitches() {
  const everywhere = await api.permissions.contains({ origins: EVERYWHERE });
  the("everywhere").checked = everywhere;
  the("site-row").hidden = !origin;
  the("site-label").textContent = origin ? words("site", siteOf(origin)) : "";
  the("site").checked = everywhere || (origin !== null && (await api.permissions.contains({ origins: [patternOf(origin)] })));
  the("site").disabled = everywhere;
  say("blocked", blocked(tab?.url));
  const { profile } = await api.storage.local.get("profile");
  the("own").checked = profile === "own";
}

/** Why no extension can help with this page, if so. */
function blocked(address = "") {
  if (/^https:\/\/([^/]+\.)?(mozilla\.org|firefox\.com|mozilla\.com|mozilla\.net)(\/|$)/.test(address)) {
    return words("blockedMozilla");
  }
  if (/^https:\/\/(chromewebstore\.google\.com|chrome\.google\.com\/webstore)/.test(address)) return words("blockedStore");
  return originOf(address) ? "" : words("blockedPage");
}

/** A page that waits for a passkey without having asked aloud. */
async function showWaiting() {
  if (!tab?.id) return;
  const said = await api.tabs.sendMessage(tab.id, { ask: "waiting" }).catch(() => null);
  if (!said) return;
  the("waiting").textContent = words("waiting", siteOf(said.origin));
  the("with-waiting").hidden = false;
  the("start").addEventListener("click", async () => {
    await api.tabs.sendMessage(tab.id, { ask: "start" });
    window.close();
  });
  the("start").focus();
}

async function showState() {
  const { status, error, refused } = await api.runtime.sendMessage({ ask: "status" });
  say("refused", refused && words("refused"));
  if (!status) {
    say("state", error?.id === "host.gone" ? words("hostGone") : error?.message);
    the("findings").replaceChildren(item(words("hostGoneRemedy")));
    return;
  }
  const { version, findings } = status;
  say("state", findings.length === 0 ? words("allWell", version) : words("found", version));
  the("findings").replaceChildren(...findings.map(({ message, remedy }) => item(`${message}: ${remedy}`)));
}

function item(text) {
  const made = document.createElement("li");
  made.textContent = text;
  return made;
}
