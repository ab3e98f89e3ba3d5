/**
 * One request of a page's, from the call to its end.
 *
 *   page ── port "request" ── Request ── program, phone
 *                               └── port "window" ── the person
 *
 * The page's end of the port closing (navigation, a closed tab), its abort and
 * the person's cancel all take the question off the phone.
 */

import { api, proxy } from "./engine.js";
import { put } from "./host.js";
import * as handover from "./proxy.js";
import { showWindow } from "./windows.js";

const CANCELLED = { name: "NotAllowedError", message: "The person took the request back." };

/** Troubles of this computer, after which the person may choose what to do. */
const MENDABLE = /^(radio|relay|host|system|internal)\b/;

export class Request {
  /**
   * @param {object} asked `kind`, `options`, `origin`, `topOrigin`, `profile`
   * @param {number} from the window of the page
   * @param {(message: object) => void} tellPage
   * @param {() => void} over is called once, when all has ended
   */
  constructor(asked, from, tellPage, over) {
    this.asked = asked;
    this.from = from;
    this.tellPage = tellPage;
    this.over = over;
    this.shown = { origin: asked.origin, topOrigin: asked.topOrigin, kind: asked.kind };
    this.uvpaa = false;
    this.number = crypto.randomUUID();
  }

  /** Shows the window and asks the program, both at once. */
  begin() {
    this.askHost();
    this.window = showWindow(this.number, this.from, () => this.notHere());
  }

  askHost() {
    this.show({ trouble: null, code: null, stage: null });
    const { kind: ask, options, origin, topOrigin, profile } = this.asked;
    this.host = put({ ask, options, origin, topOrigin, profile }, (message) => this.hear(message));
  }

  hear(message) {
    if (message.event === "code") {
      this.show({ code: { svg: message.svg, text: message.text, until: Date.now() + message.expiresMs } });
    } else if (message.event === "stage") {
      this.show({ stage: { word: message.stage, sentence: message.sentence, ifStuck: message.ifStuck } });
    } else if (message.event === "caution") {
      this.show({ caution: message.message });
    } else if (this.done) {
      // The program has taken the request back; nobody waits for its word.
    } else if (message.response) {
      this.deliver(message.response);
    } else if (MENDABLE.test(message.error?.id ?? "internal")) {
      this.host = null;
      this.show({ trouble: message.error, code: null, stage: null });
    } else {
      this.settle({ do: "reject", name: message.error.name, message: message.error.message });
    }
  }

  /** Tells the window; one that opens later is told all of it. */
  show(news) {
    Object.assign(this.shown, news);
    this.tellWindow?.(this.shown);
  }

  /** The window is there, or gone. */
  watched(tellWindow) {
    this.tellWindow = tellWindow;
    tellWindow?.(this.shown);
  }

  /** The page gets its credential: made by the browser where it can. */
  async deliver(response) {
    const { kind, origin, options, topOrigin, profile } = this.asked;
    // Not on a computer that is borrowed, and not after a registration.
    const mayOffer = kind === "get" && profile === "own";
    // For a frame's registration the browser wants a click that is some
    // seconds old at most; the person has been busy with the phone.
    const byBrowser = proxy && !(kind === "create" && topOrigin);
    if (!byBrowser) {
      this.settle({ do: "resolve", response, mayOffer });
      return;
    }
    try {
      await handover.hand({ kind, origin, challenge: options.challenge, response, uvpaa: this.uvpaa });
    } catch {
      // Another extension came in between.
      this.settle({ do: "resolve", response, mayOffer });
      return;
    }
    this.handing = true;
    if (this.done) await handover.stop();
    else this.tellPage({ do: "call", mayOffer });
  }

  /** The page's call of the browser has come to its end. */
  async called() {
    if (!this.handing) return;
    this.handing = false;
    await handover.stop();
    this.settle(null);
  }

  /** The person would rather use what the browser offers. */
  notHere() {
    this.settle({ do: "native" });
  }

  /** The person takes it back. */
  cancel() {
    this.settle({ do: "reject", ...CANCELLED });
  }

  /** The page takes it back, or is gone. */
  async abandon() {
    if (this.handing) {
      this.handing = false;
      await handover.stop();
    }
    this.settle(null);
  }

  /** Once more, after a trouble. */
  again() {
    if (!this.host && !this.done) this.askHost();
  }

  /** The end: for the page, on the phone, and of the window. */
  async settle(message) {
    if (this.done) return;
    this.done = true;
    this.host?.cancel();
    const closed = this.window?.close();
    // The browser's own dialog needs the page to be in front.
    if (message?.do === "native") await closed;
    if (message) this.tellPage(message);
    this.over();
  }
}
