"""Other people's programs, run beside the lab's: the same environment, the
same air, ended with it."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab import Broken, Lab, Run, Wrong, program

__all__ = ["RELAY", "Broken", "Lab", "Run", "Said", "Wrong", "program", "start"]

RELAY = "cable-tunnel-server-backend"


class Said(Run):
    """A run of a program that says one JSON object a line on standard output."""

    def said_of(self, key: str, timeout: float):
        """The first thing that it says under this key."""
        return self._until(lambda: next(iter(self._all(key)), None), timeout, key)

    def last_of(self, key: str):
        """The last thing that it said under this key; None if nothing."""
        return next(reversed(self._all(key)), None)

    def _all(self, key: str) -> list:
        found = []
        # The last piece has no end yet.
        for line in self.output.split("\n")[:-1]:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict) and key in said:
                found.append(said[key])
        return found


def start(lab: Lab, path: Path | str, *arguments: str, stdin: str | None = None, env: dict | None = None):
    """Starts a program in the lab. `path` is the program's, not a name."""
    run = Said(str(path), list(arguments), {**lab.env, **(env or {})}, stdin)
    lab.running.append(run)
    return run
