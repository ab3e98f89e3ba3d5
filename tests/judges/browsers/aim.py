"""Where a mouse presses."""

import json

AIM = """(async (selector) => {
  const found = document.querySelector(selector);
  const middle = () => {
    const { x, y, width, height } = found.getBoundingClientRect();
    return [Math.floor(x + width / 2), Math.floor(y + height / 2)];
  };
  found.scrollIntoView({ block: "center" });
  // A window that still grows to its size moves what is in it.
  let at, before;
  do {
    before = at;
    await new Promise((done) => setTimeout(done, 50));
    at = middle();
  } while (String(at) !== String(before));
  const hit = document.elementFromPoint(...at);
  if (!found.contains(hit)) throw new Error(`${selector} is under ${hit?.outerHTML}`);
  document.addEventListener("click", ({ target }) => (globalThis.pressed = target.outerHTML), { capture: true });
  return at;
})(%s)"""


def aim(page, selector: str) -> list[int]:
    """The middle of an element, once it stands still; the page has then what
    is pressed in `pressed`."""
    return page.evaluate(AIM % json.dumps(selector))
