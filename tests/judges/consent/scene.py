"""What the cases share: a world with a site, and transactions in it."""

import contextlib
import time
from pathlib import Path

from lab import Lab, Run, Site, Wrong
from lab.display import Missing, wait_until

PATIENCE = 20.0


class World:
    """A lab with a relay, a phone and a site; its bus is the session's too."""

    def __init__(self, lab: Lab):
        self.lab, self.relay, self.phone, self.site = lab, lab.relay(), lab.phone(), Site()
        self.phone.env["DBUS_SESSION_BUS_ADDRESS"] = lab.bus.address

    def registration(self, *phone: str, name: str = "alice", consent: str | None = None) -> tuple[Run, Run]:
        """Begins one; computer and phone."""
        computer = self.lab.desktop("create", self.site.creation(name), relay=self.relay)
        return computer, self.phone.scan(computer.code(), *phone, relay=self.relay, consent=consent)

    def register(self, name: str) -> str:
        """A registration without questions; gives the passkey's id."""
        computer, scan = self.registration(name=name, consent="allow")
        passkey = self.site.registered(computer.result())
        scan.expect(0)
        return passkey

    def sign_in(self, *phone: str) -> tuple[Run, Run]:
        """Begins a sign-in; computer and phone."""
        computer = self.lab.desktop("get", self.site.request(), relay=self.relay)
        return computer, self.phone.scan(computer.code(), *phone, relay=self.relay, consent=None)


@contextlib.contextmanager
def world():
    """A world, which goes away."""
    with Lab() as lab:
        yield World(lab)


def script(world: World, text: str) -> Path:
    """A shell script that can be run."""
    path = world.lab.folder / "asker"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def until(what: str, holds, timeout: float = PATIENCE):
    """Waits until it holds, which is the programs' business."""
    try:
        return wait_until(holds, timeout, what)
    except Missing as missing:
        raise Wrong(f"this did not come about: {missing}") from None


def text_of(path: Path) -> str:
    """The text of a file, once it has one."""
    until(f"{path.name} is written", lambda: path.exists() and path.read_text())
    time.sleep(0.05)
    return path.read_text().strip()


def warned(run: Run, id: str, part: str):
    """A warning with this id and these words was given."""
    said = [event["message"] for event in run.events if event.get("event") == "warning" and event["id"] == id]
    if len(said) != 1 or part not in said[0]:
        raise Wrong(f"no warning {id} with {part!r}: {run.said()}")
