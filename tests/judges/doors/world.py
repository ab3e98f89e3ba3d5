"""What the cases share: a relay, a phone in reach, and programs that need it."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cablecar
from lab import Lab, Run, Wrong, program

PATIENCE = 60.0


class World:
    """A lab without a radio: its air is a port of this machine."""

    def __init__(self, lab: Lab):
        self.lab, self.relay, self.phone = lab, lab.relay(), lab.phone()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.air = f"127.0.0.1:{free.getsockname()[1]}"
        self.way = ["--danger-air", self.air, "--ca-file", str(lab.ca_file), "--connect-to", self.relay.connect_to]
        self.scans: list[Run] = []

    @property
    def env(self) -> dict[str, str]:
        """The same for a door without arguments."""
        way = {"DANGER_AIR": self.air, "CA_FILE": str(self.lab.ca_file), "CONNECT_TO": self.relay.connect_to}
        return {**self.lab.env, "CABLECAR_QR": "text"} | {f"CABLECAR_{name}": value for name, value in way.items()}

    def scan(self, code: str | Path, consent: str = "allow") -> Run:
        """The person scans a code."""
        run = self.phone.scan(code, "--danger-air", self.air, relay=self.relay, consent=consent)
        self.scans.append(run)
        return run


class Desk:
    """A program's device, and the person who scans whatever code it shows."""

    def __init__(self, world: World, *consents: str):
        self.world = world
        self.consents = list(consents)  # of one phone after the other
        self.codes: list[str] = []
        self.events: list[dict] = []
        self._news = threading.Condition()
        self.device = cablecar.Phone(
            *world.way, program=program("cablecar"), on_code=self._shown, on_stage=self._told
        )

    def _shown(self, code: str):
        with self._news:
            self.codes.append(code)
            self._news.notify_all()
        if self.consents:
            self.world.scan(code, self.consents.pop(0))

    def _told(self, event: dict):
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def wait_for(self, what: str, found: Callable[["Desk"], bool]):
        """Until it has happened."""
        with self._news:
            if not self._news.wait_for(lambda: found(self), PATIENCE):
                raise Wrong(f"{what} did not come about; events: {self.events[-6:]}")

    def stages(self) -> list[str]:
        """The stages so far."""
        return [event["stage"] for event in self.events if event.get("event") == "stage"]

    def errors(self) -> list[str]:
        """The errors so far."""
        return [event["id"] for event in self.events if event.get("event") == "error"]


@contextlib.contextmanager
def world() -> Iterator[World]:
    """A world, which goes away."""
    with Lab(radio=False) as lab:
        yield World(lab)


@contextlib.contextmanager
def desk(*consents: str) -> Iterator[Desk]:
    """A desk in a world of its own."""
    with world() as around:
        one = Desk(around, *consents)
        try:
            yield one
        finally:
            one.device.close()


def expect(holds: bool, otherwise: str):
    """A verdict."""
    if not holds:
        raise Wrong(otherwise)
