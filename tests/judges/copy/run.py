#!/usr/bin/env python3
"""One file, copied to a computer that is not yours.

    tests/run copy
    desktop-client/one-file target/judges/copy/made
    target/judges/venv/bin/python tests/judges/copy/run.py target/judges/copy/made [CASE...]

What `desktop-client/one-file` left in the folder is copied, checked by its
checksum, and run with an empty home, an empty PATH and nothing else in its
environment. Phone and relay are those built for release.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import Lab, Run, Site, Wrong, program
from lab.programs import PATIENCE
from lab.verdict import judge

MADE = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path()


class Borrowed:
    """A computer on which there is nothing but the file."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.home, self.stick = lab.folder / "borrowed", lab.folder / "stick"
        self.home.mkdir()
        self.stick.mkdir()
        for name in ("cablecar", "cablecar.sha256"):
            shutil.copy(MADE / name, self.stick / name)
        # What the lab starts as the computer is the copy.
        for name in ("cablecar-phone", "cablecar-relay"):
            os.symlink(program(name), self.stick / name)
        self.env = {"HOME": str(self.home), "PATH": ""}

    def run(self, *arguments: str, stdin: str = "") -> Run:
        """The copied file, alone."""
        before = os.environ.get("CABLECAR_BIN")
        os.environ["CABLECAR_BIN"] = str(self.stick)
        try:
            run = Run("cablecar", list(arguments), self.env, stdin)
        finally:
            os.environ.pop("CABLECAR_BIN") if before is None else os.environ.update(CABLECAR_BIN=before)
        self.lab.running.append(run)
        return run

    def left(self) -> list[str]:
        """What it left in the home."""
        return [str(path.relative_to(self.home)) for path in self.home.rglob("*")]


@contextmanager
def borrowed() -> Iterator[Borrowed]:
    """The scene of a case."""
    with Lab(radio=False) as lab:
        yield Borrowed(lab)


def checksum() -> str:
    """The checksum beside it is its own, and a changed file is found out."""
    with borrowed() as computer:
        check = ["sha256sum", "-c", "cablecar.sha256"]
        subprocess.run(check, cwd=computer.stick, check=True, capture_output=True, timeout=PATIENCE)
        file = computer.stick / "cablecar"
        size = file.stat().st_size
        with file.open("r+b") as changed:
            changed.seek(size // 2)
            byte = changed.read(1)[0]
            changed.seek(size // 2)
            changed.write(bytes([byte ^ 1]))
        if subprocess.run(check, cwd=computer.stick, capture_output=True, timeout=PATIENCE, check=False).returncode == 0:
            raise Wrong("a changed file has the same checksum")
    return f"{size / 1e6:.1f} MB"


def alone() -> str:
    """It is static, or says what it needs; no folder of the machine that made
    it is in it; and it answers without anything."""
    with borrowed() as computer:
        run = computer.run("--version")
        run.expect(0)
        bytes_of = (computer.stick / "cablecar").read_bytes()
        for folder in (str(Path.home() / ".cargo"), str(Path(__file__).resolve().parents[3])):
            if folder.encode() in bytes_of:
                raise Wrong(f"it names {folder}")
        needs = subprocess.run(["ldd", str(computer.stick / "cablecar")], capture_output=True, text=True, timeout=PATIENCE, check=False)
        libraries = [line.split()[0] for line in needs.stdout.splitlines() if "=>" in line]
        return f"{run.output.strip()}, " + (f"needs {', '.join(libraries)}" if needs.returncode == 0 and libraries else "static")


def sign_in() -> str:
    """A registration and a sign-in over TLS, and nothing stays behind."""
    with borrowed() as computer:
        lab, site = computer.lab, Site()
        relay, phone = lab.relay(), lab.phone()
        air = "127.0.0.1:0"
        for verb, options, verdict in (
            ("create", site.creation(), site.registered),
            ("get", None, site.signed_in),
        ):
            options = options or site.request()
            air = f"127.0.0.1:{free_port()}"
            reach = ["--ca-file", str(lab.ca_file), "--connect-to", relay.connect_to, "--danger-air", air]
            run = computer.run(verb, "--origin", site.origin, "--qr", "text", *reach, stdin=json.dumps(options))
            scan = phone.scan(run.code(), "--danger-air", air, relay=relay)
            verdict(run.result())
            scan.expect(0)
            if "cablecar keeps nothing of it on this computer" not in run.lines[-1]:
                raise Wrong(f"the last line is {run.lines[-1]!r}")
        if computer.left():
            raise Wrong(f"it left {computer.left()}")
    return "with an empty home and an empty PATH"


def no_radio() -> None:
    """Without a radio and without a bus it says so."""
    with borrowed() as computer:
        computer.env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={computer.home}/nobody"
        run = computer.run("get", "--origin", "https://example.com", stdin=json.dumps(Site().request()))
        run.expect(6, "radio.no-service")


def free_port() -> int:
    """A UDP port of loopback that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def main() -> int:
    """Runs the cases."""
    if not (MADE / "cablecar").is_file():
        print("error: the first argument is the folder that desktop-client/one-file filled")
        return 2
    return judge({"checksum": checksum, "alone": alone, "sign-in": sign_in, "no-radio": no_radio}, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
