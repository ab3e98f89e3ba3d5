#!/usr/bin/env python3
"""The relay's own certificates, from a certificate authority that speaks ACME:
Debian's pebble, which is Let's Encrypt's for tests.

    tests/run acme
    CABLECAR_BIN=FOLDER target/judges/venv/bin/python tests/judges/acme/run.py [CASE...]

The relay has to be built with the feature acme. Pebble is told by its own
small name server that every name is this machine, and proves the relay's name
at the port where the relay serves.
"""

import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import Broken, Lab, Wrong
from lab.programs import PATIENCE
from lab.verdict import Skipped, judge

HOST, DOMAIN = "cable.wufkweyy3uaxb.com", 266


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Pebble:
    """The authority, and the name server that it asks."""

    def __init__(self, lab: Lab, relay_port: int):
        for program in ("pebble", "pebble-challtestsrv"):
            if not shutil.which(program):
                raise Skipped(f"no {program}; on Debian: apt-get install pebble")
        self.port, self.management, names, control = (free_port() for _ in range(4))
        own = lab.certificate("localhost")
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(own.chain),
            "privateKey": str(own.key),
            "httpPort": free_port(),
            "tlsPort": relay_port,
        }
        path = lab.folder / "pebble.json"
        path.write_text(json.dumps({"pebble": config}))
        self.log = (lab.folder / "pebble.log").open("w")
        self.trust = ssl.create_default_context(cafile=str(lab.ca_file))
        server = ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]
        server += ["-dns01", f"127.0.0.1:{names}", "-management", f"127.0.0.1:{control}"]
        server += [option for one in ("http01", "https01", "tlsalpn01") for option in (f"-{one}", "")]
        env = {**lab.env, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "10"}
        authority = ["pebble", "-config", str(path), "-dnsserver", f"127.0.0.1:{names}"]
        self.processes = [
            subprocess.Popen(command, env=env, stdout=self.log, stderr=subprocess.STDOUT)
            for command in (server, authority)
        ]
        self.directory = f"https://localhost:{self.port}/dir"
        self.root = lab.folder / "root.pem"
        self.root.write_bytes(self._fetch_root())

    def _fetch_root(self) -> bytes:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                url = f"https://localhost:{self.management}/roots/0"
                return urllib.request.urlopen(url, context=self.trust, timeout=5).read()
            except OSError as cause:
                if time.monotonic() > deadline or any(one.poll() is not None for one in self.processes):
                    raise Broken(f"pebble did not start: {cause}: {Path(self.log.name).read_text()}") from None
                time.sleep(0.05)

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait(10.0)
        self.log.close()


def serve(lab: Lab, port: int, directory: str):
    """Our relay, with a cache in the lab's folder."""
    arguments = ["--listen", f"127.0.0.1:{port}", "--domain-id", str(DOMAIN), "--events", "json"]
    arguments += ["--acme-contact", "mailto:nobody@example.org", "--acme-directory", directory]
    arguments += ["--acme-cache-dir", str(lab.folder / "acme"), "--acme-ca-file", str(lab.ca_file)]
    return lab.start("cablecar-relay", "serve", *arguments)


def until_event(run, name: str) -> dict:
    """The first event of this name on the relay's standard output."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in run.output.splitlines():
            event = json.loads(line)
            if event["event"] == name:
                return event
        if run.process.poll() is not None:
            break
        time.sleep(0.02)
    raise Wrong(f"no event {name!r}: {run.output} {run.said()}")


def shown(port: int, root: Path) -> dict:
    """The certificate that a client is shown who believes this root, and the name."""
    trust = ssl.create_default_context(cafile=str(root))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as tcp:
        with trust.wrap_socket(tcp, server_hostname=HOST) as tls:
            tls.sendall(f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            answer = tls.recv(100)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise Wrong(f"the relay answered {answer!r}")
            return tls.getpeercert()


def obtained_and_kept():
    """From nothing to a certificate that clients believe; after a restart it is still that one."""
    with Lab(radio=False) as lab:
        port = free_port()
        pebble = Pebble(lab, port)
        try:
            relay = serve(lab, port, pebble.directory)
            until_event(relay, "reloaded")
            first = shown(port, pebble.root)
            relay.stop()
            cache = lab.folder / "acme"
            if cache.stat().st_mode & 0o077:
                raise Wrong(f"others may read the folder of the keys: {cache.stat().st_mode:o}")
            again = serve(lab, port, pebble.directory)
            until_event(again, "reloaded")
            second = shown(port, pebble.root)
            again.stop()
        finally:
            pebble.stop()
        if first["serialNumber"] != second["serialNumber"]:
            raise Wrong("after a restart there was another certificate")
        return f"issued by {dict(pair for rdn in first['issuer'] for pair in rdn)['commonName'].split()[0]}"


def no_authority():
    """Nobody is there: the relay says so, and goes on trying."""
    with Lab(radio=False) as lab:
        relay = serve(lab, free_port(), f"https://localhost:{free_port()}/dir")
        event = until_event(relay, "not-reloaded")
        if event["error"] != "tls.acme":
            raise Wrong(f"said {event}")
        if relay.process.poll() is not None:
            raise Wrong("the relay ended")
        relay.stop()


def wrong_name():
    """The authority reaches somebody else under the name: no certificate, and a reason."""
    with Lab(radio=False) as lab:
        pebble = Pebble(lab, free_port())
        try:
            relay = serve(lab, free_port(), pebble.directory)
            event = until_event(relay, "not-reloaded")
            relay.stop()
        finally:
            pebble.stop()
        if event["error"] != "tls.acme" or not event["reason"]:
            raise Wrong(f"said {event}")


CASES = {"obtained-and-kept": obtained_and_kept, "no-authority": no_authority, "wrong-name": wrong_name}

if __name__ == "__main__":
    sys.exit(judge(CASES, sys.argv[1:]))
