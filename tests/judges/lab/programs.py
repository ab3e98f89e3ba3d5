"""Our programs, run as people run them."""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .air import Broken

ROOT = Path(__file__).resolve().parents[3]
PASSPHRASE = "correct horse battery staple"
PATIENCE = 60.0


class Wrong(Exception):
    """A program did not do what it must."""


def program(name: str) -> str:
    """The path of one of our programs: in $CABLECAR_BIN, or as built for release."""
    path = Path(os.environ.get("CABLECAR_BIN", ROOT / "target" / "release")) / name
    if not path.exists():
        raise Broken(f"{path} is not there: cargo build --release")
    return str(path)


class Run:
    """One run of a program. What it prints is read while it runs."""

    def __init__(
        self, name: str, arguments: list[str], env: dict[str, str], stdin: str | socket.socket | None = None
    ):  # fmt: skip
        self.name = name
        self.began = time.monotonic()
        self.lines: list[str] = []  # of standard error, those that are no events
        self.events: list[dict] = []  # each with `t`, on the clock of time.monotonic
        self.output = ""
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [program(name), *map(str, arguments)],
            env=env,
            stdin=stdin if isinstance(stdin, socket.socket) else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_out, self._read_err)]
        for reader in self._readers:
            reader.start()
        if isinstance(stdin, socket.socket):
            return
        try:
            if stdin is not None:
                self.process.stdin.write(stdin)
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended; the exit code tells

    def _read_out(self):
        for line in self.process.stdout:
            with self._news:
                self.output += line
                self._news.notify_all()

    def _read_err(self):
        for line in self.process.stderr:
            with self._news:
                try:
                    event = json.loads(line)
                    self.events.append({"t": time.monotonic(), **event})
                except (ValueError, TypeError):
                    self.lines.append(line.rstrip("\n"))
                self._news.notify_all()

    def wait_for(self, found: Callable[[dict], bool], timeout: float = PATIENCE) -> dict:
        """The first event for which `found` holds."""
        return self._until(lambda: next(filter(found, self.events), None), timeout, "an event")

    def stage(self, name: str, timeout: float = PATIENCE) -> dict:
        """The event of a stage."""
        return self.wait_for(lambda event: event.get("stage") == name, timeout)

    def line(self, found: Callable[[str], bool], timeout: float = PATIENCE) -> str:
        """The first line of standard error, events aside, for which `found` holds."""
        return self._until(lambda: next(filter(found, self.lines), None), timeout, "a line")

    def _until(self, look: Callable, timeout: float, what: str):
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                if (found := look()) is not None:
                    return found
                ended = self.process.poll() is not None and not any(r.is_alive() for r in self._readers)
                left = deadline - time.monotonic()
                if ended or left <= 0:
                    raise Wrong(f"{self.name}: {what} did not come; it said: {self.said()}")
                self._news.wait(min(left, 0.05))

    def wait(self, timeout: float = PATIENCE) -> int:
        """Its exit code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{self.name} does not end; it said: {self.said()}") from None
        for reader in self._readers:
            reader.join(5.0)
        return code

    def expect(self, code: int, error: str | None = None, timeout: float = PATIENCE):
        """Ends with this code, and names this error if one is given."""
        found = self.wait(timeout)
        named = self.error()
        if found != code or (error is not None and named != error):
            raise Wrong(f"{self.name} ended with {found} ({named}), not {code} ({error}); it said: {self.said()}")

    def error(self) -> str | None:
        """The id of the error that it ended with, from its events or its last lines."""
        for event in reversed(self.events):
            if event.get("event") == "error":
                return event["id"]
        for line in reversed(self.lines):
            if line.startswith("error: ") and line.endswith(")"):
                return line[line.rindex("(") + 1 : -1]
        return None

    def code(self, timeout: float = PATIENCE) -> str:
        """The text of the code that a computer shows with `--qr text`."""
        return self.line(lambda line: line.startswith("FIDO:/"), timeout)

    def result(self, timeout: float = PATIENCE) -> dict:
        """What a program that ends well prints as its result."""
        self.expect(0, timeout=timeout)
        try:
            return json.loads(self.output)
        except ValueError:
            raise Wrong(f"{self.name} ended well without a result: {self.output!r}") from None

    def said(self) -> str:
        """The end of what it printed, for a report."""
        events = [{k: v for k, v in event.items() if k != "t"} for event in self.events]
        return json.dumps([*self.lines[-12:], *events[-12:]])[-3000:]

    def stop(self):
        """Ends it, if it has not ended."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(1.0)
            except subprocess.TimeoutExpired:
                # A relay lets its tunnels come to their end; the second time it does not wait.
                self.process.terminate()
            try:
                self.process.wait(10.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10.0)


class Relay:
    """Our relay with TLS, at the host name of a domain id."""

    def __init__(self, lab, domain: int, port: int = 0):
        self.domain = domain
        command = [program("cablecar-relay"), "domain", str(domain)]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        self.host = said.stdout.strip()
        if not self.host.startswith("cable."):
            raise Broken(f"cablecar-relay domain {domain}: {said.stdout!r} {said.stderr!r}")
        certificate = lab.certificate(self.host)
        arguments = ["serve", "--listen", f"127.0.0.1:{port}", "--domain-id", str(domain), "--events", "json"]
        arguments += ["--tls-cert", str(certificate.chain), "--tls-key", str(certificate.key)]
        self.run = lab.start("cablecar-relay", *arguments)
        self.port = self._port()
        self.connect_to = f"{self.host}:443:127.0.0.1:{self.port}"

    def _port(self) -> int:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in self.run.output.splitlines():
                event = json.loads(line)
                if event["event"] == "listening":
                    return int(event["addr"].rsplit(":", 1)[1])
            if self.run.process.poll() is not None:
                break
            time.sleep(0.01)
        raise Broken(f"the relay did not start: {self.run.output} {self.run.said()}")

    def stop(self):
        """Ends it."""
        self.run.stop()


class Phone:
    """A phone with a vault of its own."""

    def __init__(self, lab, name: str, weak: bool = True):
        self.lab = lab
        self.folder = lab.folder / name
        self.folder.mkdir()
        self.vault = self.folder / "vault"
        self.passphrase_file = self.folder / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE)
        self.passphrase_file.chmod(0o600)
        self.env = {**lab.env, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "data")}
        self.env |= {"XDG_STATE_HOME": str(self.folder / "state")}
        made = self.start("init", *(["--danger-weak-kdf"] if weak else []))
        if made.wait() != 0 or not self.vault.exists():
            raise Wrong(f"no vault was made: {made.said()}")

    def start(self, *arguments: str, stdin: str | None = None) -> Run:
        """Starts the program with the vault."""
        base = ["--events", "json", "--vault", str(self.vault), "--passphrase-file", str(self.passphrase_file)]
        run = Run("cablecar-phone", [*base, *arguments], self.env, stdin)
        self.lab.running.append(run)
        return run

    def scan(self, code: str | Path, *extra: str, relay: Relay | None = None, consent: str | None = "allow") -> Run:
        """Scans a code: its text, typed, or a picture."""
        arguments = ["--danger-consent", consent] if consent else []
        if relay:
            arguments += ["--domain-id", str(relay.domain), "--ca-file", str(self.lab.ca_file)]
            arguments += ["--connect-to", relay.connect_to]
        typed = isinstance(code, str)
        stdin = code + "\n" if typed else None
        return self.start("scan", "-" if typed else str(code), *arguments, *extra, stdin=stdin)

    def passkeys(self) -> list[dict]:
        """What is in the vault."""
        return self.start("list", "--format", "json").result()
