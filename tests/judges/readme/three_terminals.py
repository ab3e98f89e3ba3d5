#!/usr/bin/env python3
"""Plays the section "In three terminals" of README.md word for word.

Each command runs in a terminal of its own (a pty), because people type a
passphrase and an answer there. Only the home folder is another one. Prints
what it does; ends with 1 at the first thing that is not as the README says.
"""

import json
import os
import pty
import re
import select
import signal
import sys
import tempfile
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PASSPHRASE = "correct horse battery staple"
PATIENCE = 120.0
BUILD_PATIENCE = 900.0


class Wrong(Exception):
    """Something is not as the README says."""


def commands(readme: str) -> list[tuple[str, str]]:
    """Each command of the section, and the output that is shown below it."""
    section = re.search(r"^## In three terminals\n(.*?)^## ", readme, re.M | re.S)
    if not section:
        raise Wrong("README.md has no section 'In three terminals'")
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", section.group(1), re.M | re.S):
        for typed in re.split(r"^\$ ", block, flags=re.M)[1:]:
            lines = typed.splitlines()
            here = re.search(r"<<'(\w+)'", lines[0])
            end = lines.index(here.group(1)) + 1 if here else 1
            found.append(("\n".join(lines[:end]), "\n".join(lines[end:])))
    return found


class Terminal:
    """A command in a terminal."""

    def __init__(self, command: str, environment: dict[str, str]):
        print(f"$ {command}", flush=True)
        self.command, self.text, self.code = command, "", None
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(ROOT)
            os.execvpe("bash", ["bash", "-c", command], environment)

    def read_more(self, deadline: float) -> bool:
        """More of what it prints; False once it has closed its terminal."""
        ready, _, _ = select.select([self.terminal], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise Wrong(f"{self.command!r} hangs after:\n{self.text}")
        try:
            more = os.read(self.terminal, 65536)
        except OSError:  # Linux says EIO once nobody is at the other end.
            more = b""
        self.text += more.decode(errors="replace").replace("\r\n", "\n")
        return bool(more)

    def wait_for(self, pattern: str, patience: float = PATIENCE) -> re.Match:
        """The next place that looks like this; what is before it is spent."""
        deadline = time.monotonic() + patience
        while not (found := re.search(pattern, self.text, re.M)):
            if not self.read_more(deadline):
                raise Wrong(f"{self.command!r} never said {pattern!r}, but:\n{self.text}")
        self.text = self.text[found.end():]
        return found

    def wait_until_hidden(self) -> None:
        """Waits until what is typed is no longer shown."""
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.terminal)[3] & termios.ECHO:
            if time.monotonic() > deadline:
                raise Wrong(f"{self.command!r} shows the passphrase while it is typed")
            time.sleep(0.01)

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def end(self, patience: float = PATIENCE) -> str:
        """Waits for its end, which must be a good one; what it said last."""
        deadline = time.monotonic() + patience
        while self.read_more(deadline):
            pass
        _, status = os.waitpid(self.process, 0)
        self.code = os.waitstatus_to_exitcode(status)
        if PASSPHRASE in self.text:
            raise Wrong(f"{self.command!r} showed the passphrase")
        if self.code != 0:
            raise Wrong(f"{self.command!r} ended with {self.code}:\n{self.text}")
        return self.text

    def kill(self) -> None:
        if self.code is None:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)


def play(readme: str, home: str, opened: list[Terminal]) -> None:
    wanted = [
        "cargo build", "export PATH=", "cargo run --release --bin cablecar-relay -- serve", "cablecar-phone init",
        "cablecar create", "cablecar-phone scan -", "cablecar get", "cablecar-phone scan code.png",
        "cablecar-phone list",
    ]
    script = commands(readme)
    if len(script) != len(wanted) or not all(typed.startswith(w) for (typed, _), w in zip(script, wanted)):
        raise Wrong(f"the README has other commands than this script plays: {[typed for typed, _ in script]}")
    build, export, relay, init, create, scan_text, get, scan_picture, listing = (typed for typed, _ in script)
    shown = script[-1][1]

    real_home = Path.home()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "CABLECAR_"))}
    environment.pop("CARGO_TARGET_DIR", None)
    environment.setdefault("CARGO_HOME", str(real_home / ".cargo"))
    environment.setdefault("RUSTUP_HOME", str(real_home / ".rustup"))
    environment.update(HOME=home, TERM="xterm", COLUMNS="200")

    def terminal(command: str) -> Terminal:
        # Each terminal has been told where the programs are.
        opened.append(Terminal(command if command == build else f"{export}\n{command}", environment))
        return opened[-1]

    def unlock(phone: Terminal, prompt: str = "passphrase.*: ") -> None:
        phone.wait_for(prompt)
        phone.wait_until_hidden()
        phone.type(f"{PASSPHRASE}\n")

    def answer(phone: Terminal, question: str) -> None:
        unlock(phone)
        phone.wait_for(question)
        phone.wait_for(r"\[y/N\]")
        phone.type("y\n")
        phone.end()

    def response(computer: Terminal) -> dict:
        return json.loads(next(line for line in computer.end().splitlines() if line.startswith("{")))

    terminal(build).end(BUILD_PATIENCE)
    first = terminal(relay)
    first.wait_for(r"listening on 127\.0\.0\.1:8440", BUILD_PATIENCE)
    phone = terminal(init)
    unlock(phone)
    unlock(phone, "the same again: ")
    phone.end()

    computer = terminal(create)
    code = computer.wait_for(r"^FIDO:/[0-9]+$").group()
    phone = terminal(scan_text)
    phone.wait_for("warning: no proximity")
    phone.type(f"{code}\n")
    answer(phone, "MAKE A PASSKEY")
    made = response(computer)

    computer = terminal(get)
    computer.wait_for("scan the code")
    if (ROOT / "code.png").stat().st_mode & 0o777 != 0o600:
        raise Wrong("others can read the picture of the code")
    answer(terminal(scan_picture), "SIGN IN")
    signed = response(computer)
    if signed["id"] != made["id"] or (ROOT / "code.png").exists():
        raise Wrong("it signed in with another passkey, or left the picture")

    phone = terminal(listing)
    unlock(phone)
    said = phone.end().strip()
    # The day is another one.
    if said[:-10] != shown.strip()[:-10]:
        raise Wrong(f"the list is {said!r}, not {shown!r}")
    first.type("\x03")
    first.end()


def main() -> int:
    opened: list[Terminal] = []
    with tempfile.TemporaryDirectory() as home:
        try:
            play((ROOT / "README.md").read_text(), home, opened)
        except (Wrong, StopIteration) as why:
            print(f"FAILED: {why}")
            return 1
        finally:
            for terminal in opened:
                terminal.kill()
    print("all as the README says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
