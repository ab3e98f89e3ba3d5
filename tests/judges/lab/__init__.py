"""A laboratory: a bus with a mock BlueZ, a certificate authority, and our
programs as processes, all in one folder that goes away.

    with Lab() as lab:
        relay, phone = lab.relay(), lab.phone()
        computer = lab.desktop("get", options, relay=relay)
        scan = phone.scan(computer.code(), relay=relay)
        response = computer.result()

It judges nothing by itself: `Wrong` is a program's fault, `Broken` the lab's.
"""

import json
import os
import shutil
import socket
import tempfile
from pathlib import Path
from types import SimpleNamespace

import trustme

from .air import Air, Broken, Bus
from .programs import Phone, Relay, Run, Wrong, program
from .site import Site

__all__ = ["Air", "Broken", "Bus", "Lab", "Phone", "Relay", "Run", "Site", "Wrong", "program"]


class Lab:
    """Everything that two people and a relay need, and nothing of this machine's."""

    def __init__(self, radio: bool = True):
        self.folder = Path(tempfile.mkdtemp(prefix="cablecar-lab-"))
        self.running: list[Run] = []
        self.bus = self.air = None
        try:
            self._authority = trustme.CA()
            self.ca_file = self.folder / "ca.pem"
            self._authority.cert_pem.write_to_path(str(self.ca_file))
            kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
            home = self.folder / "home"
            home.mkdir()
            self.env = {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
            # Without a radio there is a bus address all the same, at which nobody is.
            self.env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={self.folder / 'bus'}"
            if radio:
                self.bus = Bus(self.folder)
                self.air = Air(self.bus, self.folder)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends all that was started, in the reverse order."""
        for run in reversed(self.running):
            run.stop()
        if self.air and self.air.mock.poll() is None:
            self.air.stop()
        if self.bus:
            self.bus.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def certificate(self, *names: str) -> SimpleNamespace:
        """A certificate of the lab's authority: files `chain` and `key`."""
        leaf = self._authority.issue_cert(*names)
        stem = self.folder / names[0]
        chain, key = Path(f"{stem}.chain.pem"), Path(f"{stem}.key.pem")
        chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(str(key))
        return SimpleNamespace(chain=chain, key=key)

    def relay(self, domain: int = 258, port: int = 0) -> Relay:
        """Starts our relay."""
        return Relay(self, domain, port)

    def phone(self, name: str = "phone", weak: bool = True) -> Phone:
        """A phone with an empty vault."""
        return Phone(self, name, weak)

    def start(
        self, name: str, *arguments: str, stdin: str | socket.socket | None = None, env: dict | None = None
    ) -> Run:
        """Starts one of our programs with these arguments."""
        run = Run(name, list(arguments), {**self.env, **(env or {})}, stdin)
        self.running.append(run)
        return run

    def desktop(
        self, verb: str, options: dict, *extra: str, relay: Relay | None = None,
        origin: str = "https://example.com", env: dict | None = None,
    ) -> Run:  # fmt: skip
        """Starts `cablecar create` or `get` with a page's options."""
        arguments = ["--origin", origin, "--qr", "text", "--events", "json"]
        if relay:
            arguments += ["--ca-file", str(self.ca_file), "--connect-to", relay.connect_to]
        return self.start("cablecar", verb, *arguments, *extra, stdin=json.dumps(options), env=env)
