"""What people see, hear and press, how soon, and what it costs at rest."""

import contextlib
import os
import re
import statistics
import time
from pathlib import Path

from aim import aim
from cases import must
from lab.display import shrink, wait_until
from lab.verdict import Skipped
from scene import EXTENSION, SHOWN, Scene
from website import HERE

FOLDER: Path | None = None
"""Where pictures for the docs go, if anywhere."""
LONG = False
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
COLOURS = 24
CALLS = 15
"""Calls that are timed."""
ADDED = 50.0
"""Milliseconds that the extension may add between a call and its code (median)."""
REST = 90.0
"""Seconds within which an idle background must have ended; browsers take 30."""


BARE = """(async () => {
  const api = globalThis.browser ?? globalThis.chrome;
  const began = performance.timeOrigin + performance.now();
  const url = api.runtime.getURL("icons/128.png?bare");
  const made = await api.windows.create({ url, type: "popup", focused: true, width: 420, height: 680 });
  const told = () => api.extension.getViews().find((view) => view.location.search === "?bare");
  const there = async () => {
    for (;;) {
      const view = told();
      const [loaded] = view?.performance.getEntriesByType("navigation") ?? [];
      if (loaded?.loadEventEnd) return view.performance.timeOrigin + loaded.loadEventEnd;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const end = await there();
  await api.windows.remove(made.id);
  return end - began;
})()"""
"""Milliseconds for a window with one picture of the extension's in it."""


def faults(page) -> list[str]:
    """What axe-core has against a page, in its present colours."""
    page.evaluate(f"(async () => {{ {AXE.read_text()}\n; return typeof axe; }})()")
    run = "axe.run(document, { resultTypes: ['violations'] })"
    found = page.evaluate(f"{run}.then((r) => [r.violations.map((v) => v.id + ': ' + v.nodes[0].html), r.passes.length])")
    must(found[1] > 5, f"axe-core looked at nothing: {found}")
    return found[0]


def accessible(scene: Scene):
    """Nothing against popup and window, in light and dark, with a code and
    with a trouble; and axe-core finds what is wrong."""
    site, page = scene.site()
    pages = {"popup": scene.own_page("ui/popup.html#page", "document.querySelector('#state')?.textContent.length > 9")}
    page.to_front()
    if FOLDER and scene.engine == "chromium":
        FOLDER.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(scene.browser.popup(page)) as popup:
            shrink(popup.picture(scene.lab.folder / "popup.png"), FOLDER / "chromium-extension-popup.png", COLOURS)
    call = scene.ask(page, "get", site.request())
    scene.code(call)
    pages["window"] = scene.window(call)
    for name, shown in pages.items():
        for dark in False, True:
            shown.dark(dark)
            colour = shown.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            must((colour == "rgb(29, 33, 39)") is dark, f"{name} is {colour}, dark: {dark}")
            must(not (found := faults(shown)), f"{name}, dark {dark}: {found}")
    # The control.
    pages["window"].evaluate("void document.querySelector('#code').removeAttribute('alt')")
    must(any(one.startswith("image-alt") for one in faults(pages["window"])), "axe-core sees nothing")
    pages["window"].click("#cancel")
    call.expect("NotAllowedError")
    pages["popup"].close()


def keyboard(scene: Scene):
    """Everything can be reached and pressed by keys, in the order in which it
    is read; what changes is announced, the clock is not."""
    site, page = scene.site()
    page.plug_in()
    call = scene.ask(page, "create", site.creation())
    scene.code(call)
    window = scene.window(call)
    at = "document.activeElement.id || document.activeElement.localName"
    order = [window.evaluate(at)]
    for _ in range(3):
        window.key("Tab")
        wait_until(lambda: window.evaluate(at) != order[-1], SHOWN, "the focus to move")
        order.append(window.evaluate(at))
    must(order == ["title", "summary", "cancel", "not-here"], f"the focus goes {order}")
    live = "[...document.querySelectorAll('[role=status], [role=alert]')].map((one) => one.innerText).join('|')"
    must("scan the code" in window.evaluate(live).lower(), f"announced: {window.evaluate(live)}")
    must(not re.search(r"\d:\d\d", window.evaluate(live)), "the clock is announced every second")
    must(window.evaluate("document.querySelector('#left').textContent.length") >= 4, "there is no clock")
    window.key("Enter")
    made = call.made()
    must(made["seen"]["transports"] == ["usb"], "the key pressed another button")
    scene.no_window()


def by_picture(scene: Scene):
    """The phone reads the code off a picture of the window."""
    site, page = scene.site()
    call = scene.ask(page, "create", site.creation())
    scene.code(call)
    window = scene.window(call)
    wait_until(lambda: window.evaluate("document.querySelector('#code').complete"), SHOWN, "the drawing")
    picture = window.picture(scene.lab.folder / "code.png")
    scan = scene.scan(picture)
    site.registered(call.made()["response"])
    scan.expect(0)


def stages(scene: Scene):
    """The window tells how far it is, in words, and its buttons stay where
    they are: nobody presses what was somewhere else a moment ago."""
    site, page = scene.site()
    call = scene.ask(page, "create", site.creation())
    code = scene.code(call)
    window = scene.window(call)
    keep(scene, window, "code")
    buttons = [aim(window, button) for button in ("#cancel", "#not-here")]
    scan = scene.scan(code, consent="after=4000")
    said = "document.querySelector('#stage').textContent"
    wait_until(lambda: window.evaluate(said) == "Confirm on the phone.", SHOWN, "the stage in the window")
    must(window.evaluate("document.querySelector('#with-code').hidden"), "the code is still there")
    keep(scene, window, "asked")
    now = [aim(window, button) for button in ("#cancel", "#not-here")]
    must(now == buttons, f"the buttons were at {buttons}, and are at {now}")
    call.made()
    scan.expect(0)


def keep(scene: Scene, page, name: str):
    """A picture for the docs, if they are wanted. The code in it is dead by
    the time anybody sees it."""
    if FOLDER:
        FOLDER.mkdir(parents=True, exist_ok=True)
        size = scene.browser.name == "chromium" and {"width": 420, "height": 700, "deviceScaleFactor": 1, "mobile": False}
        if size:
            page.ask("Emulation.setDeviceMetricsOverride", **size)
        shrink(page.picture(scene.lab.folder / f"{name}.png"), FOLDER / f"{scene.engine}-extension-{name}.png", COLOURS)
        if size:
            page.ask("Emulation.clearDeviceMetricsOverride")


def clockless(scene: Scene):
    """The background has no clock and asks for no alarms; after a request
    nothing of it runs on this computer."""
    for source in [*(EXTENSION / "background").glob("*.js"), *(EXTENSION / "page").glob("*.js")]:
        clocks = re.findall(r"setInterval|\balarms\b|requestIdleCallback", source.read_text())
        must(not clocks, f"{source.name} has {clocks}")
        if source.parent.name == "background":
            must("setTimeout" not in source.read_text(), f"{source.name} has a clock")
    must("alarms" not in (EXTENSION / "manifest.json").read_text(), "it asks for alarms")
    site, page = scene.site()
    scene.register(page, site)
    wait_until(lambda: not hosts(scene), SHOWN, "the program to end")


def hosts(scene: Scene) -> list[str]:
    """Runs of the program that a browser of this scene started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            mine = str(scene.lab.folder).encode() in (process / "environ").read_bytes()
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if mine and any(b"org.cablecar" in one or b"chrome-extension://" in one for one in arguments[1:3]):
                if arguments[0].endswith(b"cablecar"):
                    found.append(process.name)
    return found


def quick(scene: Scene) -> str:
    """From the page's call until the code is to be seen in the window, and
    what of it is the browser's: a window of the same kind, opened by the
    extension, until a picture is loaded in it. By turns; medians."""
    site, page = scene.site()
    opener = scene.own_page("ui/popup.html#page", "document.readyState === 'complete'")
    whole, bare = [], []
    for _ in range(CALLS):
        page.to_front()
        call = scene.ask(page, "get", site.request())
        scene.code(call)
        window = scene.window(call)
        seen = "performance.getEntriesByName('code').map((mark) => performance.timeOrigin + mark.startTime)[0]"
        whole.append(wait_until(lambda: window.evaluate(seen), SHOWN, "the code's mark") - page.evaluate("calledAt"))
        window.click("#cancel")
        call.expect("NotAllowedError")
        scene.no_window()
        bare.append(opener.evaluate(BARE))
    opener.close()
    added = statistics.median(whole) - statistics.median(bare)
    figure = (
        f"{statistics.median(whole):.0f} ms from the call to the code; {statistics.median(bare):.0f} ms of it for a bare "
        f"window; added {added:.0f} ms; load {os.getloadavg()[0]:.1f}"
    )
    must(added <= ADDED, figure)
    return figure


def ended(scene: Scene):
    """With nothing to do, the browser ends the background, and nothing wakes it."""
    if scene.engine != "chromium":
        raise Skipped("Firefox tells nobody outside whether a background runs")
    site, page = scene.site()
    scene.register(page, site)
    wait_until(lambda: not scene.browser.service_worker(), REST, "the end of the background")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        must(not scene.browser.service_worker(), "something woke the background")
        time.sleep(0.2)


CASES = {
    "accessible": accessible,
    "keyboard": keyboard,
    "by-picture": by_picture,
    "stages": stages,
    "clockless": clockless,
}
LONG_CASES = {"quick": quick, "ended": ended}
