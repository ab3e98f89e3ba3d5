"""A terminal of its own for one program, and what is to be seen on it."""

import os
import pty
import re
import select
import time

from lab import Wrong

PATIENCE = 60.0


class Glass:
    """What a wide terminal shows after all that a program wrote to it."""

    def __init__(self, command: list[str], env: dict[str, str], stdin: str):
        self.rows, self.row, self.column, self.said = [""], 0, 0, ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.dup2(os.open(stdin, os.O_RDONLY), 0)
            os.execve(command[0], command, env | {"TERM": "xterm"})

    def wait_for(self, text: str | None):
        """Until this was written, or for None until the program has ended."""
        deadline = time.monotonic() + PATIENCE
        while text is None or text not in self.said:
            ready, _, _ = select.select([self.terminal], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise Wrong(f"the terminal never shows {text!r}, but {self.said[-1000:]!r}")
            try:
                more = os.read(self.terminal, 65536).decode(errors="replace")
            except OSError:  # Linux says EIO once nobody is at the other end.
                more = ""
            if not more and text is None:
                os.waitpid(self.pid, 0)
                os.close(self.terminal)
                return
            if not more:
                raise Wrong(f"the program ended before {text!r}: {self.said[-1000:]!r}")
            self.said += more
            self._draw(more)

    def _draw(self, text: str):
        for piece in re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]|\r|\n|[^\x1b\r\n]+", text):
            up = re.fullmatch(r"\x1b\[(\d+)F", piece)
            if up:
                self.row, self.column = max(0, self.row - int(up.group(1))), 0
            elif piece == "\x1b[J":
                del self.rows[self.row + 1 :]
                self.rows[self.row] = self.rows[self.row][: self.column]
            elif piece == "\r":
                self.column = 0
            elif piece == "\n":
                self.row += 1
                self.rows += [""] * (self.row + 1 - len(self.rows))
            elif not piece.startswith("\x1b"):
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[: self.column] + piece + line[self.column + len(piece) :]
                self.column += len(piece)

    def shows_code(self) -> bool:
        """Whether any of a code is to be seen, as text or as blocks."""
        return any("FIDO:/" in row or set(row) & set("█▀▄") for row in self.rows)

    def last_line(self) -> str:
        """The last line that is not empty."""
        return next((row for row in reversed(self.rows) if row.strip()), "")
