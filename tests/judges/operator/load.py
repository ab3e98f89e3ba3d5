"""A relay as a process, what it uses, and the generator that loads it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab import Broken, Lab, Wrong, program
from lab.verdict import Skipped

__all__ = ["Bench", "Broken", "Lab", "Served", "Skipped", "Wrong", "wait_until"]

PATIENCE = 60.0
TICKS = os.sysconf("SC_CLK_TCK")


def wait_until(holds, what: str, timeout: float = PATIENCE):
    """What `holds` gives, once it is true."""
    deadline = time.monotonic() + timeout
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise Wrong(f"{what}: not within {timeout:.0f} s")
        time.sleep(0.02)
    return found


class Served(contextlib.AbstractContextManager):
    """A relay at a port of loopback, with TLS or without, and these flags.

    `descriptors` is its limit of them. Its standard error goes to a file.
    """

    def __init__(self, lab, *flags: str, tls: bool = True, descriptors: int | None = None, port: int = 0):
        self.lab, self.tls, self.descriptors = lab, tls, descriptors
        self.flags = list(flags)
        if tls:
            certificate = lab.certificate("localhost")
            self.flags += ["--tls-cert", str(certificate.chain), "--tls-key", str(certificate.key)]
        else:
            self.flags += ["--plain"]
        self.log = lab.folder / "relay.log"
        self.port = port
        self.start()

    def start(self):
        """Starts it, at the port that it has had before if there is one."""
        command = [program("cablecar-relay"), "serve", "--listen", f"127.0.0.1:{self.port}", *self.flags]
        if self.descriptors:
            command = ["sh", "-c", f'ulimit -n {self.descriptors}; exec "$0" "$@"', *command]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log.open("a"),
            env=self.lab.env, text=True,
        )  # fmt: skip
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise Wrong(f"the relay did not start: {line!r} {self.log.read_text()[-500:]}")
        self.port = int(line.rsplit(":", 1)[1])

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20.0)
        self.process.stdout.close()
        # A thread that panicked says so, and the program goes on.
        if "panicked" in (log := self.log.read_text()):
            raise Wrong(f"the relay panicked: {log[-2000:]}")

    def kill(self):
        """Ends it without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20.0)
        self.process.stdout.close()

    @property
    def url(self) -> str:
        """What the generator takes."""
        return f"{'wss' if self.tls else 'ws'}://localhost:{self.port}"

    def bench(self, *arguments) -> dict:
        """Loads it and waits for the report."""
        return Bench(self, *arguments).report()

    def resident(self) -> int:
        """KiB, once it no longer changes."""

        def now():
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            return int(status.split("VmRSS:")[1].split()[0])

        last = [now()]

        def settled():
            time.sleep(0.3)
            last.append(now())
            return abs(last[-1] - last[-2]) < 64

        wait_until(settled, "the relay's memory settles", 20.0)
        return last[-1]

    def cpu(self) -> float:
        """Seconds of a processor that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def share(self, seconds: float) -> float:
        """Of a core, over so many seconds."""
        began, used = time.monotonic(), self.cpu()
        time.sleep(seconds)
        return (self.cpu() - used) / (time.monotonic() - began)

    def open_descriptors(self) -> int:
        """How many it has."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connect(self, receive: int | None = None) -> socket.socket:
        """A bare connection, with a receive buffer of so many bytes. Its send
        buffer is small, so that the system does not take what the relay does not."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        if receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        sock.connect(("127.0.0.1", self.port))
        return sock


class Bench:
    """One run of `cablecar-relay bench`: of the program in $CABLECAR_BENCH,
    built with the feature of that name, else of the one that is judged."""

    def __init__(self, served: Served, *arguments):
        generator = os.environ.get("CABLECAR_BENCH") or program("cablecar-relay")
        command = [generator, "bench", served.url, *map(str, arguments)]
        if served.tls:
            command += ["--insecure-loopback"]
        self.command = command
        self.said: list[str] = []
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))

    def wait_for(self, word: str, timeout: float = PATIENCE):
        """Waits until it says a line that begins with this."""
        def found():
            if self.process.poll() is not None:
                raise self._fault()
            return any(line.startswith(word) for line in self.said)

        wait_until(found, word, timeout)

    def report(self, timeout: float = 3600.0) -> dict:
        """What it measured."""
        try:
            output, _ = self.process.stdout.read(), self.process.wait(timeout)
        finally:
            self.stop()
        if self.process.returncode != 0:
            raise self._fault()
        return json.loads(output)

    def _fault(self) -> Exception:
        """Why it ended without a report."""
        self._reader.join(5.0)
        if any("unrecognized subcommand" in line for line in self.said):
            return Skipped("this cablecar-relay was built without --features bench")
        return Wrong(f"{' '.join(self.command)}: {self.said}")

    def clean(self) -> dict:
        """The report of a run in which nothing failed."""
        report = self.report()
        if report["failed"] or not report["succeeded"]:
            raise Wrong(f"{report['succeeded']} went well, {report['failed']} failed: {report['failures']}")
        return report

    def stop(self):
        """Ends it, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(20.0)
        self._reader.join(5.0)
        self.process.stdout.close()
        self.process.stderr.close()
