/** Puts the words of `_locales` where the pages name them. */

export const api = globalThis.browser ?? globalThis.chrome;

/** A sentence, with what belongs into it. */
export const words = (name, ...values) => api.i18n.getMessage(name, values);

/** Fills every element that names its words. */
export function fill() {
  document.documentElement.lang = "en";
  document.title = words("name");
  for (const element of document.querySelectorAll("[data-words]")) {
    element.textContent = words(element.dataset.words);
  }
}

/** The element with this id. */
export const the = (id) => document.getElementById(id);

/** Shows text there, or hides the element if there is none. */
export function say(id, text) {
  const element = the(id);
  if (element.textContent !== (text ?? "")) element.textContent = text ?? "";
  element.hidden = !text;
}

/** A site as people know it: without the scheme. */
export const siteOf = (origin) => new URL(origin).host;
