"""A person at a browser with the extension, and a phone in hand."""

import contextlib
import itertools
import json
import shutil
import socket
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

from chromium import Chromium
from firefox import Firefox
from lab import Lab, Phone, Run, Wrong
from lab.display import START, Missing, wait_until
from lab.programs import ROOT, program
from website import Server, Website

ENGINES = {"chromium": Chromium, "firefox": Firefox}
EXTENSION = ROOT / "desktop-client" / "extension"
KEPT = ROOT / "target" / "judges" / "browsers"
"""Where a case that fails leaves what there was to be seen."""
SHOWN = 20.0
"""Seconds for the window to be there, and what it has to show."""
SETTLED = 20.0
"""Seconds for a promise to be settled once everybody has done their part."""
HOST = "org.cablecar.browser_host"
WINDOW = "ui/window.html"


class Call:
    """One call of the page's."""

    def __init__(self, scene: "Scene", number: int, promise: Future):
        self.scene, self.number, self.promise = scene, number, promise

    def settled(self, seconds: float = SETTLED) -> dict:
        """What the page got: `response` or `error`."""
        try:
            return self.promise.result(seconds)
        except NotYet:
            raise Wrong(f"the page's promise is not settled in {seconds:g} s; {self.scene.said()}") from None

    def made(self) -> dict:
        """A good end: the response, and what the page saw of it."""
        settled = self.settled()
        if "response" not in settled:
            raise Wrong(f"the page got {settled}; {self.scene.said()}")
        return settled

    def expect(self, error: str) -> dict:
        """A bad end, of this name."""
        settled = self.settled()
        if settled.get("error") != error:
            raise Wrong(f"the page got {settled}, not {error}; {self.scene.said()}")
        return settled

    def pending(self) -> bool:
        """Whether the page still waits."""
        return not self.promise.done()


class Scene:
    """One lab, one browser with the extension, one phone, one relay. Every
    case has a website of its own, on which nothing is switched on."""

    def __init__(self, engine: str, prefs: dict | None = None, extensions: tuple[Path, ...] = (), host: bool = True):
        self.exit = contextlib.ExitStack()
        self.numbers, self.hosts = itertools.count(1), itertools.count(1)
        self.engine, self.browser = engine, None
        try:
            self.lab: Lab = self.exit.enter_context(Lab(radio=False))
            self.server = Server()
            self.exit.callback(self.server.close)
            self.relay = self.lab.relay()
            self.phone: Phone = self.lab.phone()
            self.air = f"127.0.0.1:{free_port()}"
            env = self.lab.env | {
                "CABLECAR_DANGER_AIR": self.air,
                "CABLECAR_CA_FILE": str(self.lab.ca_file),
                "CABLECAR_CONNECT_TO": self.relay.connect_to,
            }
            folder = self.lab.folder / engine
            folder.mkdir()
            more = {"prefs": prefs} if engine == "firefox" and prefs else {}
            self.browser = ENGINES[engine](folder, env, [EXTENSION, *extensions], **more)
            self.exit.callback(self.browser.end)
            if host:
                self.install()
        except BaseException:
            self.exit.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.exit.close()

    def install(self):
        """Tells the browser of the program, as `cablecar install browser` does."""
        manifest = {"name": HOST, "description": "Cablecar", "path": program("cablecar"), "type": "stdio"}
        if self.engine == "chromium":
            manifest["allowed_origins"] = [self.browser.base]
        else:
            manifest["allowed_extensions"] = ["cablecar@cablecar.invalid"]
        self.browser.hosts.mkdir(parents=True, exist_ok=True)
        (self.browser.hosts / f"{HOST}.json").write_text(json.dumps(manifest))

    def site(self, path: str = "/", host: str | None = None, on: bool = True) -> tuple[Website, object]:
        """A website that nobody has been to, and its page in a tab."""
        site = Website(self.server.port, host or f"site{next(self.hosts)}.localhost")
        page = self.open(site.address + path)
        if on:
            self.switch_on(page, site)
        return site, page

    def open(self, address: str):
        """A page in a new tab, ready."""
        page = self.browser.open(address)
        wait_until(lambda: self.is_ready(page), START, f"page {address}")
        return page

    def own_page(self, path: str, ready: str):
        """A page of the extension's in a tab."""
        self.browser.open(self.browser.base + path)

        def look():
            # On its way there it changes its process, and may be lost to us.
            with contextlib.suppress(Missing):
                page = self.browser.find(path)
                return page if page and page.evaluate(ready) else None

        return wait_until(look, START, path)

    def is_ready(self, page) -> bool:
        """Whether it has loaded."""
        with contextlib.suppress(Missing):
            return page.evaluate("document.readyState === 'complete' && !!window.ready && location.protocol === 'http:'")
        return False

    def switch_on(self, page, site: Website):
        """The person opens the popup and switches this site on."""
        if self.engine == "chromium":
            self.browser.allow(f"http://{site.rp_id}/*")
        switch_on(self.browser, page)

    def ask(self, page, verb: str, options: dict, **more) -> Call:
        """The page calls `create` or `get`."""
        number = next(self.numbers)
        return Call(self, number, page.start(f"{verb}({number}, {json.dumps(options)}, {json.dumps(more)})"))

    def ask_in_frame(self, page, verb: str, options: dict) -> Call:
        """The frame in the page calls it."""
        number = next(self.numbers)
        return Call(self, number, page.start(f"inFrame('{verb}', {number}, {json.dumps(options)})"))

    def window(self, call: Call | None = None):
        """The extension's window."""
        settled = call.promise.done if call else lambda: False

        def look():
            if settled():
                raise Wrong(f"no window came: the page got {call.settled()}; {self.said()}")
            window = self.browser.find(WINDOW)
            ready = "!!document.querySelector('#title')?.textContent"
            return window if window and window.evaluate(ready) else None

        return wait_until(look, SHOWN, "the extension's window")

    def code(self, call: Call | None = None) -> str:
        """The text of the code that the window shows."""
        text = "document.querySelector('#with-code:not([hidden]) #text')?.textContent"

        def look():
            with contextlib.suppress(Missing):
                return self.window(call).evaluate(text)

        try:
            return wait_until(look, SHOWN, "a code in the window")
        except Missing as missing:
            if call and call.promise.done():
                raise Wrong(f"no code was shown: the page got {call.settled()}; {self.said()}") from None
            raise Wrong(f"{missing}; {self.said()}") from None

    def no_window(self):
        """The extension shows nothing."""
        try:
            wait_until(lambda: not self.browser.shows(WINDOW), SHOWN, "the window to go")
        except Missing as missing:
            raise Wrong(str(missing)) from None

    def scan(self, code: str | Path, *extra: str, consent: str = "allow") -> Run:
        """The phone looks at the code."""
        return self.phone.scan(code, "--danger-air", self.air, *extra, relay=self.relay, consent=consent)

    def register(self, page, site: Website, name: str = "alice", **more) -> str:
        """A registration, whole; gives the passkey's id."""
        call = self.ask(page, "create", site.creation(name, **more))
        scan = self.scan(self.code(call))
        made = call.made()
        passkey = site.registered(made["response"])
        site.checked("create", made["response"])
        scan.expect(0)
        self.no_window()
        return passkey

    def sign_in(self, page, site: Website, allow: list[str] = (), **more) -> dict:
        """A sign-in, whole; gives what the page saw."""
        call = self.ask(page, "get", site.request(allow, **more))
        scan = self.scan(self.code(call))
        made = call.made()
        site.signed_in(made["response"])
        site.checked("get", made["response"])
        scan.expect(0)
        self.no_window()
        return made

    def asked(self, scan: Run):
        """The phone has shown the question to its owner."""
        scan.wait_for(lambda event: event.get("event") == "asked")

    def said(self) -> str:
        """The last words of those who may know."""
        scans = [run for run in self.lab.running if "scan" in run.process.args]
        phone = scans[-1].said() if scans else "nothing"
        lines = [line for line in self.browser.said().splitlines() if "CONSOLE" in line or "extension" in line]
        return f"the phone said: {phone}; the window: {self.seen()}; the browser: {' | '.join(lines[-8:])[-1500:]}"

    def seen(self) -> str:
        """What the window shows, and what was pressed in it, if it is there."""
        with contextlib.suppress(Missing):
            if window := self.browser.find(WINDOW):
                return window.evaluate("`${document.body.innerText}; pressed: ${globalThis.pressed}`", 5.0)
        return "not there"

    def keep(self, case: str):
        """Leaves what there is to be seen, for whoever looks for the fault."""
        folder = KEPT / case
        with contextlib.suppress(Exception):  # the fault itself is what counts
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / "browser.log").write_text(self.browser.said())
            for number, run in enumerate(self.lab.running):
                lines = [run.output, *run.lines, *map(json.dumps, run.events)]
                (folder / f"{number}-{run.name}.txt").write_text("\n".join(lines) + "\n")
            if window := self.browser.find(WINDOW):
                window.picture(folder / "window.png")


def switch_on(browser, page):
    """The person opens the popup over a page and switches its site on."""
    with contextlib.closing(browser.popup(page)) as popup:
        if popup.evaluate("document.querySelector('#site').checked"):
            raise Wrong("a site is on before anybody switched it on")
        popup.click("#site")
        # Disabled while the browser asks the person.
        on = "document.querySelector('#site:not(:disabled)')?.checked"
        wait_until(lambda: popup.evaluate(on), SHOWN, "the switch to be on")
    # The page need not be loaded again; the scripts come a moment later.
    wait_until(lambda: page.evaluate("/taken|READ/.test(CredentialsContainer.prototype.get)"), SHOWN, "the scripts")


def free_port() -> int:
    """A UDP port at which nobody is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
