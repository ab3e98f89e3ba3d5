"""A command in a terminal of its own: what it prints, and what is typed."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

from lab import Wrong

PATIENCE = 60.0
ROWS, COLUMNS = 60, 120


def _take(terminal: int):
    """Between fork and exec: a session of its own, with this terminal."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


class Tty:
    """A program with a terminal. Output elsewhere than there is in `output`."""

    def __init__(self, command: list, env: dict, folder: Path, redirected: bool = False):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.name, self._ours = str(command[0]), ours
        self.seen: list[tuple[float, str]] = []  # when, and what
        self._news = threading.Condition()
        self.began = time.monotonic()
        out = subprocess.PIPE if redirected else theirs
        self.process = subprocess.Popen(
            [str(word) for word in command],
            env=env, cwd=folder, stdin=theirs, stdout=out, stderr=out,
            preexec_fn=lambda: _take(theirs),
        )  # fmt: skip
        self.path = os.ttyname(theirs)
        # Kept open: whoever reads the terminal of a program that has ended still sees it all.
        self._theirs = theirs
        self.ended_at = None
        self._stop = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while not self._stop:
            ready, _, _ = select.select([self._ours], [], [], 0.02)
            if not ready:
                if self.ended_at is None and self.process.poll() is not None:
                    with self._news:
                        self.ended_at = time.monotonic()
                        self._news.notify_all()
                continue
            try:
                part = os.read(self._ours, 65536).decode(errors="replace")
            except OSError:
                return
            with self._news:
                self.seen.append((time.monotonic(), part))
                self._news.notify_all()

    def raw(self) -> str:
        """All that was printed, with what moves the cursor."""
        return "".join(part for _, part in self.seen)

    def said(self) -> str:
        """All that was printed, as text."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", self.raw())

    def wait_for(self, text: str, times: int = 1) -> str:
        """What was said, once this text is in it."""
        deadline = time.monotonic() + PATIENCE
        with self._news:
            while (said := self.said()).count(text) < times:
                left = deadline - time.monotonic()
                if left <= 0 or (self.ended_at is not None and text not in self.said()):
                    raise Wrong(f"{self.name} never said {text!r} {times} times, but: {said[-3000:]}")
                self._news.wait(min(left, 0.1))
        return said

    def when(self, text: str) -> float:
        """When this text was there, on the clock of time.monotonic."""
        so_far = ""
        for at, part in self.seen:
            so_far += part
            if text in so_far:
                return at
        raise Wrong(f"{self.name} never said {text!r}, but: {self.said()[-3000:]}")

    def code(self, number: int = 1) -> str:
        """The text of the code that is shown, or of a later one."""
        self.wait_for("scan the code with", number)
        return re.findall(r"FIDO:/\d+", self.said())[number - 1]

    def type(self, text: str):
        """Somebody types this."""
        os.write(self._ours, text.encode())

    def expect(self, code: int | None):
        """Ends, with this exit code or with any but 0; gives what was said."""
        try:
            found = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{self.name} does not end; it said: {self.said()[-3000:]}") from None
        deadline = time.monotonic() + 5
        with self._news:
            while self.ended_at is None and time.monotonic() < deadline:
                self._news.wait(0.1)
        if (found == 0) != (code == 0) or (code not in (None, 0) and found != code):
            raise Wrong(f"{self.name} ended with {found}; it said: {self.said()[-3000:]}")
        return self.said()

    def stop(self):
        """Ends it, and what it has started with its terminal."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5.0)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5.0)
        self._stop = True
        self._reader.join(5.0)
        os.close(self._ours)
        os.close(self._theirs)


def visible(raw: str) -> str:
    """What a terminal shows in the end: lines, with what was erased gone."""
    rows, row = [""], 0
    for part in re.split(r"(\x1b\[[0-9;?]*[a-zA-Z]|\r\n|\n|\r)", raw):
        if part in ("\r\n", "\n"):
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif part.startswith("\x1b["):
            if part.endswith("F"):
                row = max(0, row - int(part[2:-1] or 1))
                rows[row] = rows[row]
            elif part.endswith("J"):
                del rows[row:]
                rows.append("")
        elif part and part != "\r":
            # What is longer than a row goes on in the next.
            text = rows[row] + part
            while len(text) > COLUMNS:
                rows[row], text = text[:COLUMNS], text[COLUMNS:]
                row += 1
                rows += [""] * (row + 1 - len(rows))
            rows[row] = text
    return "\n".join(rows)
