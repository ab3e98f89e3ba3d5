/** One run of the program on this computer, for one request. */

import { api, HOST } from "./engine.js";

/** The error for a program that cannot be started or that ended. */
const GONE = { name: "NotAllowedError", id: "host.gone" };

/**
 * Puts one request to the program.
 * @param {object} ask what the program takes, without its id
 * @param {(message: object) => void} hear is told events, and at last one answer
 * @returns {{cancel: () => void}} `cancel` takes the request back on the phone
 */
export function put(ask, hear) {
  let open = true;
  const port = api.runtime.connectNative(HOST);
  const end = (message) => {
    if (!open) return;
    open = false;
    port.disconnect();
    hear(message);
  };
  port.onDisconnect.addListener(() => {
    const cause = port.error?.message ?? api.runtime.lastError?.message ?? "";
    end({ error: { ...GONE, message: cause } });
  });
  port.onMessage.addListener((message) => {
    if (message.event) {
      if (open) hear(message);
    } else {
      end(message);
    }
  });
  port.postMessage({ id: 1, ...ask });
  return {
    // It answers with an error when the phone has been told; then it ends.
    cancel: () => open && port.postMessage({ id: 1, ask: "cancel" }),
  };
}

/** What the program says of itself and of the radio, or why it cannot be asked. */
export function status() {
  return new Promise((resolve) => put({ ask: "status" }, resolve));
}
