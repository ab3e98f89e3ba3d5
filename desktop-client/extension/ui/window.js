/** The small window of one request: the code, how far it is, and a way out. */

import { api, fill, say, siteOf, the, words } from "./words.js";

const port = api.runtime.connect({ name: "window" });
/** When the code on the screen is no longer good, on this computer's clock. */
let until = null;

port.onMessage.addListener(({ shown, over }) => (over ? window.close() : show(shown)));
port.onDisconnect.addListener(() => window.close());
port.postMessage({ request: location.hash.slice(1) });

fill();
the("title").focus();
for (const id of ["cancel", "not-here", "again"]) {
  the(id).addEventListener("click", () => port.postMessage({ press: id }));
}
addEventListener("keydown", (event) => {
  if (event.key === "Escape") port.postMessage({ press: "cancel" });
});

// The clock of the code runs here, while there is one; the background has none.
setInterval(tick, 1000);

// Said to pages that ask while the answer is handed over.
globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable()
  .then((uvpaa) => port.postMessage({ uvpaa }), () => {});

function show({ origin, topOrigin, kind, code, stage, trouble, caution }) {
  say("title", words(kind === "create" ? "titleCreate" : "titleGet", siteOf(origin)));
  say("frame", topOrigin && words("inFrame", siteOf(topOrigin)));
  say("caution", caution && words("caution", caution));
  showCode(code);
  say("stage", stage ? sentence(stage.sentence) : !trouble && words("starting"));
  say("stuck", stage && sentence(stage.ifStuck));
  say("trouble", trouble && (trouble.id === "host.gone" ? words("hostGone") : sentence(trouble.message)));
  say("remedy", trouble && (trouble.id === "host.gone" ? words("hostGoneRemedy") : sentence(trouble.remedy)));
  the("with-again").hidden = !trouble;
  // Once the phone has the request, a code would only be in the way.
  the("with-code").hidden = !code || (stage && stage.word !== "waiting-for-phone");
}

/** Drawn as a picture, in which no script runs and nothing is loaded. */
function showCode(code) {
  if (!code || the("text").textContent === code.text) return;
  until = code.until;
  the("code").src = `data:image/svg+xml;utf8,${encodeURIComponent(code.svg)}`;
  the("code").alt = words("codeAlt");
  the("text").textContent = code.text;
  // When it was to be seen, for whoever measures.
  the("code").decode().then(() => requestAnimationFrame(() => performance.mark("code")), () => {});
  tick();
}

function tick() {
  if (until === null) return;
  const seconds = Math.max(0, Math.round((until - Date.now()) / 1000));
  the("left").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** A fragment of the program's as a sentence. */
function sentence(text = "") {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return begun && !/[.!?]$/.test(begun) ? `${begun}.` : begun;
}
