#!/usr/bin/env python3
"""The browser extension in Debian's Chromium and Firefox, answered by our phone.

    tests/run browsers
    target/judges/venv/bin/python tests/judges/browsers/run.py [--engine NAME] [--long] [--pictures FOLDER] [CASE...]

Both browsers are unmodified and run without a window; the extension is the
folder desktop-client/extension as it is, which asks `cablecar browser-host`,
which meets our phone at our relay over TLS. Instead of a radio they have the
loopback stand-in. What a page gets is verified by @simplewebauthn/server and
py_webauthn; "the browser's own" is a security key in the browser. The programs
are those built for release, or those in $CABLECAR_BIN.

Python needs what tests/judges/requirements.txt names, Node (18 or later) what
tests/judges/browsers/package.json names, and the machine chromium firefox-esr.

`--long` judges times too, and waits for the background to be ended.
`--pictures` leaves pictures for the docs. Cases are named ENGINE/CASE, or
CASE for both. A case that fails leaves what was to be seen in
target/judges/browsers/CASE.
"""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cases
import falls
import looks
import newcomer
from lab import Wrong
from lab.verdict import judge
from scene import ENGINES, Scene

CASE = 240
"""Seconds for a case, whatever hangs."""

held: dict[str, Scene] = {}


def scene_of(engine: str) -> Scene:
    """The scene of this engine; after a case that failed, a new one."""
    if engine not in held:
        for other in list(held):
            held.pop(other).exit.close()
        held[engine] = Scene(engine)
    return held[engine]


def bounded(engine: str, name: str, case):
    """The case with an end, and with something to look at if it fails."""

    def late(*_):
        raise Wrong(f"not done in {CASE} s")

    def run():
        signal.signal(signal.SIGALRM, late)
        signal.alarm(CASE)
        try:
            return case(engine if name in falls.ALONE | newcomer.CASES.keys() else scene_of(engine))
        except Exception:
            with contextlib.suppress(Exception):
                held[engine].keep(f"{engine}-{name}")
            with contextlib.suppress(Exception):
                held.pop(engine).exit.close()
            raise
        finally:
            signal.alarm(0)

    return run


def main() -> int:
    """Runs what was asked for."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("cases", nargs="*", metavar="CASE")
    asked.add_argument("--engine", choices=ENGINES, help="this one alone")
    asked.add_argument("--long", action="store_true", help="judge times and idleness too")
    asked.add_argument("--pictures", type=Path, metavar="FOLDER", help="leave pictures for the docs there")
    asked = asked.parse_args()
    looks.FOLDER, looks.LONG = asked.pictures, asked.long
    every = cases.CASES | falls.CASES | looks.CASES | newcomer.CASES
    if asked.long:
        every |= looks.LONG_CASES
    engines = [asked.engine] if asked.engine else list(ENGINES)
    table = {
        f"{engine}/{name}": bounded(engine, name, case)
        for engine in engines
        for name, case in every.items()
        if engine in (falls.ONLY | newcomer.ONLY).get(name, ENGINES)
    }
    chosen = [name for name in table if name in asked.cases or name.split("/")[1] in asked.cases]
    if asked.cases and not chosen:
        print(f"error: no case is named {asked.cases[0]!r}; there are: {', '.join(table)}")
        return 2
    try:
        return judge(table, chosen)
    finally:
        for scene in held.values():
            scene.exit.close()


if __name__ == "__main__":
    # Whoever is told to end ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
