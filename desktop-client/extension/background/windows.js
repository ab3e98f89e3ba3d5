/** The small window of a request: the browser's own frame, not the page's. */

import { api } from "./engine.js";

const SIZE = { width: 420, height: 740 };

/**
 * Opens the window of a request.
 * @param {string} number the request's
 * @param {number} from the window of the page, which is in front again at the end
 * @param {() => void} failed is called if no window can be opened
 * @returns {{close: () => Promise<void>}}
 */
export function showWindow(number, from, failed) {
  const url = api.runtime.getURL(`ui/window.html#${number}`);
  const opened = api.windows.create({ url, type: "popup", focused: true, ...SIZE });
  opened.catch(failed);
  const close = async () => {
    await api.windows.remove((await opened).id);
    await api.windows.update(from, { focused: true });
  };
  // The person was quicker, or has closed the page as well.
  return { close: () => close().catch(() => {}) };
}
