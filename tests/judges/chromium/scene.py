"""A person at Chromium with a phone in hand."""

import contextlib
import itertools
import json
import re
import shutil
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

from browser import Chromium
from lab import Lab, Phone, Run, Wrong
from lab.devtools import Page
from lab.display import Display, Missing, wait_until
from lab.programs import ROOT
from tap import Tap
from website import Website

SHOWN = 60.0
"""Seconds for a code to be on the screen."""
SETTLED = 45.0
"""Seconds for a promise to be settled once the phone has done its part."""


KEPT = ROOT / "target" / "judges" / "chromium"
"""Where a case that fails leaves what there was to be seen."""


class Call:
    """One call of the page's, which a person answers."""

    def __init__(self, scene: "Scene", number: int, promise: Future):
        self.scene, self.number, self.promise = scene, number, promise

    def settled(self, seconds: float = SETTLED) -> dict:
        """What the page got: `response` or `error`, and when, `at`."""
        try:
            return self.promise.result(seconds)
        except NotYet:
            raise Wrong(
                f"the page's promise is not settled in {seconds:g} s; {self.scene.everybody_said()}"
            ) from None

    def response(self) -> dict:
        """A good end."""
        settled = self.settled()
        if "response" not in settled:
            raise Wrong(f"the page got {settled}; Chromium said: {self.scene.chromium_said()}")
        return settled["response"]

    def expect(self, error: str) -> dict:
        """A bad end, of this name."""
        settled = self.settled()
        if settled.get("error") != error:
            raise Wrong(f"the page got {settled}, not {error}; Chromium said: {self.scene.chromium_said()}")
        return settled

    def pending(self) -> bool:
        """Whether the page still waits."""
        return not self.promise.done()

    def take_back(self, tab: Page):
        """The page aborts."""
        tab.evaluate(f"takeBack({self.number})")


class Scene:
    """One lab, one website, one Chromium on a display, one phone, one relay.

    `weak` is the vault's key derivation; with `tapped` Chromium's line to the
    relay leads through a tap.
    """

    reader = "phone"
    """Who reads the codes: the phone, or zbar, which types them to the phone."""
    case = "scene"
    """What is played, for the name of what is kept."""
    version = ""
    """Chromium's, once there was one."""

    def __init__(self, weak: bool = True, tapped: bool = False):
        self.exit = contextlib.ExitStack()
        self.numbers = itertools.count(1)
        self.seen: set[str] = set()
        self.codes: dict[Path, str] = {}
        self.chromium = self.display = self.tap = None
        try:
            self.lab: Lab = self.exit.enter_context(Lab())
            self.site = Website()
            self.exit.callback(self.site.close)
            self.relay = self.lab.relay()
            self.phone: Phone = self.lab.phone(weak=weak)
            self.display = Display(self.lab.folder, self.lab.env)
            self.exit.callback(self.display.end)
            port = self.relay.port
            if tapped:
                self.tap = Tap(port)
                self.exit.callback(self.tap.close)
                port = self.tap.port
            where = f"{self.relay.host}:443 127.0.0.1:{port}"
            folder = self.lab.folder / "chromium"
            self.chromium = Chromium(
                folder, self.lab.env, self.display, connect_to=where, ca_file=self.lab.ca_file
            )
            Scene.version = self.chromium.version
            self.exit.callback(self.chromium.end)
            self.tab = self.chromium.tab(self.site.address)
        except BaseException:
            self.keep()
            self.exit.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        if kind is not None:
            self.keep()
        self.exit.close()

    def keep(self):
        """Leaves what there is to be seen, for whoever looks for the fault:
        the screen, the logs, and what each of our programs said."""
        folder = KEPT / self.case
        with contextlib.suppress(Exception):  # the fault itself is what counts
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for log in [*self.lab.folder.glob("*.log"), *self.lab.folder.glob("chromium/*.log")]:
                shutil.copy(log, folder / log.name)
            for number, run in enumerate(self.lab.running):
                lines = [run.output, *run.lines, *map(json.dumps, run.events)]
                (folder / f"{number}-{run.name}.txt").write_text("\n".join(lines) + "\n")
            for picture in self.codes:
                shutil.copy(picture, folder / picture.name)
            if self.display:
                self.display.picture(folder / "screen.png")

    def chromium_said(self) -> str:
        """The last that its log has about passkeys; `keep` has all of it."""
        said = re.findall(r"FIDO: .*", self.chromium.said())
        return " | ".join(line[:200] for line in said[-5:])

    def everybody_said(self) -> str:
        """The last words of those who may know why nothing happens."""
        scans = [run for run in self.lab.running if "scan" in run.process.args]
        phone = scans[-1].said() if scans else "nothing"
        heard = self.lab.air.log()[-12:]
        return f"the phone said: {phone}; the radio: {json.dumps(heard)}; Chromium: {self.chromium_said()}"

    def ask(self, verb: str, options: dict, tab: Page | None = None) -> Call:
        """The page calls `create` or `get`."""
        number = next(self.numbers)
        expression = f"{verb}({number}, {json.dumps(options)})"
        return Call(self, number, (tab or self.tab).start(expression))

    def code(self, call: Call | None = None) -> Path:
        """A picture of the screen with a code on it that was not there before."""
        picture = self.lab.folder / f"screen-{len(self.seen)}.png"

        def look():
            if call is not None and call.promise.done():
                raise Wrong(f"no code was shown: the page got {call.promise.result()}")
            for text in self.display.codes(picture):
                if text not in self.seen:
                    self.seen.add(text)
                    self.codes[picture] = text
            return picture in self.codes

        try:
            wait_until(look, SHOWN, "a code on the screen")
        except Missing as missing:
            raise Wrong(f"{missing}; Chromium said: {self.chromium_said()}") from None
        return picture

    def scan(self, picture: Path, *extra: str, phone: Phone | None = None, consent: str = "allow") -> Run:
        """The phone looks at the screen."""
        code = self.codes[picture] if self.reader == "zbar" else picture
        return (phone or self.phone).scan(code, *extra, relay=self.relay, consent=consent)

    def register(self, name: str = "alice", **more) -> str:
        """A registration, whole; gives the passkey's id."""
        call = self.ask("create", {**self.site.creation(name), **more})
        scan = self.scan(self.code(call))
        passkey = self.site.registered(call.response())
        scan.expect(0)
        return passkey

    def sign_in(self, allow: list[str] = (), tab: Page | None = None, **more) -> tuple[dict, Run]:
        """A sign-in, whole; gives what the page got and the phone's run."""
        call = self.ask("get", {**self.site.request(allow), **more}, tab)
        scan = self.scan(self.code(call))
        self.site.signed_in(call.response())
        scan.expect(0)
        return call.settled(), scan

    def chromium_hears_it(self):
        """A phone advertises, and Chromium listens: what it does not answer
        from now on, it has heard and passed over."""
        air = self.lab.air
        try:
            wait_until(
                lambda: air.adverts() and air.discovering(), SETTLED, "an advert that Chromium can hear"
            )
        except Missing as missing:
            raise Wrong(f"{missing}; Chromium said: {self.chromium_said()}") from None

    def still_works(self):
        """After whatever happened: a registration and a sign-in."""
        passkey = self.register("still-works")
        self.sign_in([passkey])


def monotonic(milliseconds: float) -> float:
    """A page's time on the clock of `time.monotonic`."""
    return milliseconds / 1000 - time.time() + time.monotonic()
