
"use strict";
/* Takes over what is new in each page that comes after this one. */
(() => {
  const part = (id) => document.getElementById(id);
  const main = document.querySelector("main");
  const parser = new DOMParser();
  let ticking = 0;

  /** Counts down to the next code, once a second, while there is one. */
  function count() {
    clearInterval(ticking);
    const left = part("left");
    if (!left) return;
    const until = performance.now() + Number(left.dataset.ms);
    const show = () => {
      const seconds = Math.max(0, Math.round((until - performance.now()) / 1000));
      left.textContent = `, the next one in ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    };
    show();
    ticking = setInterval(show, 1000);
  }

  /** Puts the content of a part of another page here, if it is another one. */
  function take(id, page) {
    const [here, there] = [part(id), page.getElementById(id)];
    if (here.innerHTML === there.innerHTML) return;
    here.replaceChildren(...[...there.childNodes].map((node) => document.importNode(node, true)));
  }

  /** The same for the code, which stays as it was left: opened, and in focus. */
  function takeCode(page) {
    const text = (of) => of.querySelector("#text")?.textContent;
    if (text(document) === text(page)) return;
    const had = part("code").contains(document.activeElement);
    const open = document.querySelector("details")?.open;
    take("code", page);
    const details = document.querySelector("details");
    if (details) details.open = Boolean(open);
    if (had) (document.querySelector("summary") ?? part("stage")).focus();
    count();
  }

  /** The program is gone, and with it the code. */
  function lose() {
    clearInterval(ticking);
    part("code").replaceChildren();
    part("stage").textContent = "This page is no longer connected";
    part("hint").textContent = "The request has ended, or goes on where it was started.";
    document.title = "This page is no longer connected";
  }

  /** Follows the chain of pages to its end. */
  async function follow() {
    let next = main.dataset.next;
    while (next) {
      const answer = await fetch(next, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = parser.parseFromString(await answer.text(), "text/html");
      for (const id of ["hint", "way", "notes"]) take(id, page);
      takeCode(page);
      take("stage", page);
      document.title = page.title;
      const data = page.querySelector("main").dataset;
      if (data.ending) main.dataset.ending = data.ending;
      next = data.next;
    }
  }

  count();
  follow().catch(lose);
})();
