"""A relay as its operator starts it."""

import contextlib
import json
import random
import socket
import subprocess
import time

from lab import Broken, Lab, Wrong, program

DOMAIN = 258
PATIENCE = 60.0


def host(domain: int = DOMAIN) -> str:
    """The name of a domain id."""
    command = [program("cablecar-relay"), "domain", str(domain)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if not said.stdout.startswith("cable."):
        raise Broken(f"cablecar-relay domain {domain}: {said.stdout!r} {said.stderr!r}")
    return said.stdout.strip()


def free_port() -> int:
    """A port that nobody listens on now, out of those that no connection is
    made from: none takes it before its owner does."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("", port))
            return port


def answers(address: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((address, port), 1.0).close()
    except OSError:
        return False
    return True


class Node:
    """A relay with a configuration file, and what it says on standard output."""

    def __init__(self, lab: Lab, name: str, settings: str, *flags: str):
        self.name = name
        self.config = lab.folder / f"{name}.toml"
        self.config.write_text(settings)
        arguments = ["serve", "--config", str(self.config), "--events", "json", *flags]
        self.run = lab.start("cablecar-relay", *arguments)
        listening = self.event("listening")
        self.port = int(listening["addr"].rsplit(":", 1)[1])

    def events(self, name: str) -> list[dict]:
        """What it has said under this name."""
        said = [json.loads(line) for line in self.run.output.splitlines() if line.startswith("{")]
        return [event for event in said if event["event"] == name]

    def event(self, name: str, number: int = 1) -> dict:
        """The so-and-so-manieth event of this name, as soon as it is said."""
        deadline = time.monotonic() + PATIENCE
        while len(found := self.events(name)) < number:
            if self.run.process.poll() is not None or time.monotonic() > deadline:
                raise Wrong(f"{self.name} said no {name} ({number}): {self.run.output[-2000:]} {self.run.said()}")
            time.sleep(0.01)
        return found[number - 1]
