"""The relays at which a pair may meet: ours, and kanidm's in two ways.

kanidm's speaks TLS 1.2 alone, and libwebauthn 1.3 alone. So a stock HAProxy
stands in front of it with both; and it also does its own TLS for those who
can speak to it.
"""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

import peer

OURS, KANIDM, BEHIND = "cablecar-relay", "kanidm's relay", "kanidm's relay, HAProxy"

HAPROXY = """
global
    log stderr local0 warning
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 10m
frontend tls
    bind {address}:{port} ssl crt {pem} ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3
    default_backend relay
backend relay
    server relay {behind}
"""


class Relay:
    """A relay that is reached at `host`, port 443, as at `address:port`.

    `domain` is its tunnel service domain id, `host` the name that this means.
    """

    name, tls13 = "", True

    def __init__(self, domain: int, address: str):
        self.domain, self.address = domain, address
        self.host = host(domain)
        self.port = 443
        self.uri = ""  # by which kanidm's programs are sent to it, where no name can be dialled

    def start(self, lab, inside: bool, tools: Path):
        """Starts it. Outside of a namespace it is on any free port of loopback."""
        if not inside:
            self.address, self.port = "127.0.0.1", free_port("127.0.0.1")
            self.uri = f"wss://localhost:{self.port}"
        self.certificate = lab.certificate(self.host, "localhost")
        self.runs = self._start(lab, tools)
        wait_for(self.address, self.port, self.runs)

    @property
    def connect_to(self) -> str:
        """What our programs' `--connect-to` takes."""
        return f"{self.host}:443:{self.address}:{self.port}"

    def _start(self, lab, tools: Path) -> list:
        raise NotImplementedError

    def joined(self) -> int:
        """How many pairs have met here."""
        raise NotImplementedError


class Ours(Relay):
    """cablecar-relay."""

    name = OURS

    def _start(self, lab, tools):
        arguments = ["serve", "--listen", f"{self.address}:{self.port}", "--domain-id", str(self.domain)]
        arguments += ["--tls-cert", str(self.certificate.chain), "--tls-key", str(self.certificate.key)]
        # kanidm's programs name the host that they dial as their origin.
        arguments += ["--events", "json", "--allow-origin", "localhost"]
        return [lab.start("cablecar-relay", *arguments)]

    def joined(self):
        return self.runs[0].output.count('"event":"joined"')


class Kanidm(Relay):
    """cable-tunnel-server-backend, by itself."""

    name, tls13 = KANIDM, False

    def _start(self, lab, tools):
        # It reads keys in PKCS #8 form alone.
        key = load_pem_private_key(self.certificate.key.read_bytes(), None)
        pkcs8 = lab.folder / "kanidm.key.pem"
        pkcs8.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        tls = ["--tls-public-key", str(self.certificate.chain), "--tls-private-key", str(pkcs8)]
        return [self._backend(lab, tools, f"{self.address}:{self.port}", *tls)]

    def _backend(self, lab, tools, address: str, *tls: str):
        # Its log goes to standard output, one line for each request.
        env = {"NO_COLOR": "1", "RUST_LOG": "info"}
        return peer.start(lab, tools / "bin" / peer.RELAY, "--bind-address", address, *tls, env=env)

    def joined(self):
        # A path in its log, before it knows whether the tunnel is there.
        met = {line.split("/cable/connect/")[1][:39] for line in self._log() if "/cable/connect/" in line}
        lost = {line.split("no peer available for tunnel: /cable/connect/")[1][:39]
                for line in self._log() if "no peer available" in line}  # fmt: skip
        return len(met - lost)

    def _log(self) -> list[str]:
        backend = self.runs[-1]
        return [*backend.output.splitlines(), *backend.lines]


class KanidmBehindHaproxy(Kanidm):
    """cable-tunnel-server-backend, with HAProxy for TLS."""

    name, tls13 = BEHIND, True

    def _start(self, lab, tools):
        behind = f"127.0.0.1:{free_port('127.0.0.1')}"
        pem = lab.folder / "haproxy.pem"
        pem.write_bytes(self.certificate.chain.read_bytes() + self.certificate.key.read_bytes())
        config = lab.folder / "haproxy.cfg"
        config.write_text(HAPROXY.format(address=self.address, port=self.port, pem=pem, behind=behind))
        haproxy = peer.start(lab, haproxy_program(), "-f", str(config), "-db")
        backend = self._backend(lab, tools, behind, "--insecure-http-server")
        wait_for("127.0.0.1", int(behind.rsplit(":", 1)[1]), [haproxy, backend])
        return [haproxy, backend]


def haproxy_program() -> str | None:
    """Where HAProxy is; Debian keeps it out of a plain user's path."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


def host(domain: int) -> str:
    """The name of a domain id."""
    said = subprocess.run(
        [peer.program("cablecar-relay"), "domain", str(domain)],
        check=False,
        capture_output=True,
        text=True,
        timeout=20,
    )
    if not said.stdout.startswith("cable."):
        raise peer.Broken(f"cablecar-relay domain {domain}: {said.stdout!r} {said.stderr!r}")
    return said.stdout.strip()


def free_port(address: str) -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind((address, 0))
        return one.getsockname()[1]


def wait_for(address: str, port: int, runs: list, seconds: float = 20.0):
    """Waits until somebody listens there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((address, port), 1.0).close()
            return
        except OSError:
            for run in runs:
                if run.process.poll() is not None:
                    raise peer.Broken(f"{run.name} ended: {run.output[-2000:]} {run.said()}") from None
            if time.monotonic() > deadline:
                raise peer.Broken(f"nobody listens on {address}:{port}") from None
            time.sleep(0.02)
