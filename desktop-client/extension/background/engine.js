/**
 * What differs between the two engines, and nothing else: the name of the
 * interface, and whether the browser can be handed an answer.
 */

export const api = globalThis.browser ?? globalThis.chrome;

/** Chromium's door for answers, or undefined where there is none (Firefox). */
export const proxy = api.webAuthenticationProxy;

/** The program on this computer that speaks to phones. */
export const HOST = "org.cablecar.browser_host";
