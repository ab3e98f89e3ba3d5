#!/usr/bin/env python3
"""A registration as three people see it, each in a terminal of their own.

    tests/run terminals
    target/judges/venv/bin/python tests/judges/terminals/run.py [--pictures FOLDER]

Three xterms on three displays that nobody sees: the relay, the computer, the
phone. The code is read by the phone off a picture of the computer's terminal,
on light and on dark ground; passphrase and answer are typed. The website is
py_webauthn. The programs are those built for release, or those in
$CABLECAR_BIN. `--pictures` leaves what was to be seen, for the docs.
"""

import argparse
import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import Lab, Site, Wrong, program
from lab.display import Display, Missing, Program, find_program, shrink, wait_until
from lab.programs import PASSPHRASE
from lab.verdict import judge

GROUNDS = {"light": ("black", "white"), "dark": ("grey90", "black")}
PATIENCE = 60.0
LOOKS = 5
COLOURS = 16
PROMPT = "passphrase of the vault:"


class Terminal:
    """An xterm on a display of its own. What is printed is also in a file."""

    def __init__(self, lab: Lab, name: str, command: str, ground: str, size: tuple[int, int] = (100, 40)):
        self.lab, self.name = lab, name
        folder = Path(tempfile.mkdtemp(prefix=f"terminal-{name}-", dir=lab.folder))
        self.typescript = folder / "typescript"
        columns, lines = size
        self.display = Display(folder, lab.env, width=columns * 8 + 40, height=lines * 16 + 40)
        front, back = GROUNDS[ground]
        xterm = [find_program("xterm"), "-fa", "DejaVu Sans Mono", "-fs", "10", "-geometry", f"{columns}x{lines}+0+0"]
        # `script` keeps the text and hands on the exit code; the shell then
        # waits, so that the window stays to be looked at.
        # xterm gives its child a session of its own, so the child says who it is.
        self.session_file = folder / "session"
        kept = f"echo $$ >{folder}/session; script -qefc {shlex.quote(command)} {self.typescript}"
        kept += f"; echo $? >{folder}/code; exec sleep 600"
        env = lab.env | {"DISPLAY": self.display.name, "SHELL": "/bin/sh"}
        self.code_file = folder / "code"
        log = folder / "xterm.log"
        self.xterm = Program([*xterm, "-fg", front, "-bg", back, "-e", "sh", "-c", kept], env, log)

    def said(self) -> str:
        """What was printed, without the colours."""
        text = self.typescript.read_text(errors="replace") if self.typescript.exists() else ""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", text)

    def wait_for(self, text: str):
        """Until this was printed."""
        try:
            wait_until(lambda: text in self.said(), PATIENCE, f"{text!r} in the terminal of the {self.name}")
        except Missing as missing:
            raise Wrong(f"{missing}; it said: {self.said()[-2000:]}") from None

    def type(self, text: str):
        """A person types this, and Enter."""
        xdotool = [find_program("xdotool"), "type", "--clearmodifiers", "--delay", "40", text + "\n"]
        subprocess.run(xdotool, env=self.lab.env | {"DISPLAY": self.display.name}, check=True, timeout=PATIENCE)

    def ended(self) -> int:
        """The exit code."""
        read = lambda: self.code_file.exists() and self.code_file.read_text().strip()  # noqa: E731
        return int(wait_until(read, PATIENCE, f"the end of the {self.name}"))

    def _end_all_under(self, pid: int):
        """Ends a process and all that it started, the leaves first."""
        for child in children(pid):
            self._end_all_under(int(child))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def close(self):
        """Ends what runs in the window, then closes it and its display."""
        if self.session_file.exists():
            self._end_all_under(int(self.session_file.read_text()))
        self.xterm.end()
        self.display.end()


def look(lab: Lab, computer: Terminal, hold: Callable[[Path], Terminal]) -> tuple[Terminal, Path]:
    """The phone that has read the code, and the picture that it read it off.

    What a program has printed is not yet drawn when the machine is busy, and a
    screen on which nothing moves yet looks like one on which nothing moves any
    more; a person looks again.
    """
    for _ in range(LOOKS):
        screen = computer.display.still(lab.folder / "computer.png")
        phone = hold(screen)
        wait_until(lambda: PROMPT in phone.said() or phone.code_file.exists(), PATIENCE, "a word of the phone")  # noqa: B023
        if PROMPT in phone.said():
            return phone, screen
        if "(qr.none)" not in phone.said():
            break
    raise Wrong(f"the phone did not ask for {PROMPT!r}; it said: {phone.said()[-2000:]}")


def children(pid: int) -> list[str]:
    """The processes that a process has started; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def three_terminals(ground: str, pictures: Path | None) -> None:
    """A registration; gives nothing or fails."""
    with Lab() as lab:
        site, relay, phone = Site(), lab.relay(), lab.phone(weak=False)
        windows: list[Terminal] = []

        def window(name: str, command: list, size: tuple[int, int], rest: str = "") -> Terminal:
            line = shlex.join([str(word) for word in command]) + rest
            windows.append(Terminal(lab, name, line, ground, size))
            return windows[-1]

        try:
            certificate = lab.certificate(relay.host)
            serve = [program("cablecar-relay"), "serve", "--listen", "127.0.0.1:0", "--domain-id", relay.domain,
                     "--tls-cert", certificate.chain, "--tls-key", certificate.key]  # fmt: skip
            operator = window("relay", serve, (100, 12))
            operator.wait_for("listening on ")
            port = re.search(r"listening on \S*:(\d+)", operator.said()).group(1)
            reach = ["--ca-file", lab.ca_file, "--connect-to", f"{relay.host}:443:127.0.0.1:{port}"]
            asked = lab.folder / "options.json"
            asked.write_text(json.dumps(site.creation()))
            answer = lab.folder / "answer.json"
            scan = [program("cablecar-phone"), "--vault", phone.vault, "scan"]
            answering = ["--domain-id", relay.domain, *reach]
            create = [program("cablecar"), "create", "--origin", site.origin, *reach]
            computer = window("computer", create, (100, 44), f" <{asked} >{answer}")
            computer.wait_for("scan the code with")
            owner, screen = look(lab, computer, lambda screen: window("phone", [*scan, screen, *answering], (100, 24)))
            # On a busy machine keys get lost on their way through X; people
            # then type it again.
            for tried in range(1, 4):
                owner.type(PASSPHRASE)
                wait_until(lambda: "[y/N]" in owner.said() or owner.said().count(PROMPT) > tried, PATIENCE, "an answer")  # noqa: B023
                if "[y/N]" in owner.said():
                    break
            owner.wait_for("[y/N]")
            if PASSPHRASE in owner.said():
                raise Wrong("the passphrase is to be seen")
            owner.type("y")
            if (codes := (owner.ended(), computer.ended())) != (0, 0):
                raise Wrong(f"phone and computer ended with {codes}: {owner.said()} {computer.said()}")
            site.registered(json.loads(answer.read_text()))
            gone = computer.display.still(lab.folder / "gone.png")
            again = subprocess.run([*scan, gone], env=lab.env, capture_output=True, text=True, timeout=PATIENCE, check=False)
            if "(qr.none)" not in again.stderr:
                raise Wrong(f"the code is still to be seen when all is over: {again.stderr}")
            if pictures:
                pictures.mkdir(parents=True, exist_ok=True)
                shrink(screen, pictures / "terminal-computer.png", COLOURS)
                for one in (operator, owner):
                    still = one.display.still(lab.folder / f"{one.name}.png")
                    shrink(still, pictures / f"terminal-{one.name}.png", COLOURS)
        finally:
            for one in reversed(windows):
                one.close()


def main() -> int:
    """Runs both."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("cases", nargs="*", metavar="CASE")
    asked.add_argument("--pictures", type=Path, metavar="FOLDER", help="leave pictures for the docs there")
    asked = asked.parse_args()
    cases = {
        "light": lambda: three_terminals("light", None),
        "dark": lambda: three_terminals("dark", asked.pictures),
    }
    return judge(cases, asked.cases)


if __name__ == "__main__":
    sys.exit(main())
