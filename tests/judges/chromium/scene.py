"""A person at Chromium with a phone in hand."""

import contextlib
import itertools
import json
import os
import subprocess
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

from browser import Chromium, Display, Missing, Tab, wait_until
from lab import Lab, Phone, Run, Wrong
from website import Website

SHOWN = 60.0
"""Seconds for a code to be on the screen."""
SETTLED = 45.0
"""Seconds for a promise to be settled once the phone has done its part."""


class Call:
    """One call of the page's, which a person answers."""

    def __init__(self, scene: "Scene", number: int, promise: Future):
        self.scene, self.number, self.promise = scene, number, promise

    def settled(self, seconds: float = SETTLED) -> dict:
        """What the page got: `response` or `error`, and when, `at`."""
        try:
            return self.promise.result(seconds)
        except NotYet:
            said = self.scene.chromium_said()
            raise Wrong(f"the page's promise is not settled in {seconds:g} s; Chromium said: {said}") from None

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

    def take_back(self, tab: Tab):
        """The page aborts."""
        tab.evaluate(f"takeBack({self.number})")


class Scene:
    """One lab, one website, one Chromium on a display, one phone, one relay."""

    def __init__(self, weak: bool = True):
        self.exit = contextlib.ExitStack()
        try:
            self.lab: Lab = self.exit.enter_context(Lab())
            self.site = Website()
            self.exit.callback(self.site.close)
            self.relay = self.lab.relay()
            self.phone: Phone = self.lab.phone(weak=weak)
            self.display = Display(self.lab.folder, self.lab.env)
            self.exit.callback(self.display.end)
            where = f"{self.relay.host}:443 127.0.0.1:{self.relay.port}"
            folder = self.lab.folder / "chromium"
            self.chromium = Chromium(
                folder, self.lab.env, self.display, connect_to=where, ca_file=self.lab.ca_file
            )
            self.exit.callback(self.chromium.end)
            self.tab = self.chromium.tab(self.site.address)
        except BaseException:
            self.exit.close()
            raise
        self.numbers = itertools.count(1)
        self.seen: set[str] = set()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        if kind is not None and (kept := os.environ.get("CABLECAR_KEEP")):
            self.keep(Path(kept))
        self.exit.close()

    def keep(self, folder: Path):
        """Leaves what there is to be seen, for whoever looks for the fault."""
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(Exception):
            self.display.picture(folder / "screen.png")
        for log in self.lab.folder.rglob("*.log"):
            with contextlib.suppress(OSError):
                (folder / log.name).write_bytes(log.read_bytes())

    def chromium_said(self) -> str:
        """The last lines of its log that are about security keys."""
        lines = [line for line in self.chromium.said().splitlines() if "FIDO" in line or "fido" in line]
        return "\n".join(lines[-12:])[-2500:]

    def ask(self, verb: str, options: dict, tab: Tab | None = None) -> Call:
        """The page calls `create` or `get`."""
        number = next(self.numbers)
        expression = f"{verb}({number}, {json.dumps(options)})"
        return Call(self, number, (tab or self.tab).start(expression))

    def code(self, call: Call | None = None) -> Path:
        """A picture of the screen with a code on it that was not there before.

        zbar looks whether there is one; reading it is the phone's business.
        """
        picture = self.lab.folder / f"screen-{len(self.seen)}.png"

        def look():
            if call is not None and call.promise.done():
                raise Wrong(f"no code was shown: the page got {call.promise.result()}")
            self.display.picture(picture)
            command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqr.enable", str(picture)]
            said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SHOWN).stdout
            new = {line for line in said.split() if line.startswith("FIDO:/")} - self.seen
            self.seen |= new
            return new

        try:
            wait_until(look, SHOWN, "a code on the screen")
        except Missing as missing:
            raise Wrong(f"{missing}; Chromium said: {self.chromium_said()}") from None
        return picture

    def scan(self, picture: Path, *extra: str, phone: Phone | None = None, consent: str = "allow") -> Run:
        """The phone looks at the screen."""
        source = subprocess.run(["zbarimg","-q","--raw",str(picture)],capture_output=True,text=True).stdout.split()[0]
        return (phone or self.phone).scan(source, *extra, relay=self.relay, consent=consent)

    def register(self, name: str = "alice", **more) -> str:
        """A registration, whole; gives the passkey's id."""
        call = self.ask("create", {**self.site.creation(name), **more})
        scan = self.scan(self.code(call))
        passkey = self.site.registered(call.response())
        scan.expect(0)
        return passkey

    def sign_in(self, allow: list[str] = (), **more) -> tuple[dict, Run]:
        """A sign-in, whole; gives what the page got and the phone's run."""
        call = self.ask("get", {**self.site.request(allow), **more})
        scan = self.scan(self.code(call))
        self.site.signed_in(call.response())
        scan.expect(0)
        return call.settled(), scan

    def screen(self, path: Path) -> Path:
        """All that is to be seen."""
        return self.display.picture(path)

    def still_works(self):
        """After whatever happened: a registration and a sign-in."""
        passkey = self.register("still-works")
        self.sign_in([passkey])


def monotonic(milliseconds: float) -> float:
    """A page's time on the clock of `time.monotonic`."""
    return milliseconds / 1000 - time.time() + time.monotonic()
