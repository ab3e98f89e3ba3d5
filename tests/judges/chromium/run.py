#!/usr/bin/env python3
"""Our phone answers real Chromium.

    tests/run chromium
    target/judges/venv/bin/python tests/judges/chromium/run.py [--long] [--pictures FOLDER] [CASE...]

Chromium is Debian's, unmodified, with a window on a display that nobody sees.
It hears our phone over the lab's mock BlueZ and meets it at our relay over
TLS; the phone reads the code off a picture of the screen. What the page gets
is verified by py_webauthn. The programs are those built for release, or those
in $CABLECAR_BIN.

Python needs what tests/judges/requirements.txt names, and the machine
chromium xvfb dbus openbox zbar-tools imagemagick libnss3-tools and a font.

`--long` signs in 200 times in a row. `--pictures` leaves pictures of
Chromium's dialog for the docs. `--qr zbar` has zbar read the codes and type
them to the phone, to see whose fault it is. A case that fails leaves the
screen and what everybody said in target/judges/chromium/CASE. Results of all
cases together go to target/judges/chromium.json.
"""

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import brought
import figures
import misfits
import pictures
from cases import CASES
from lab import Wrong
from lab.programs import ROOT
from lab.verdict import judge
from scene import KEPT, Scene

CASE = 240
"""Seconds for a case, whatever hangs."""
SIGN_IN = 20
"""And for each sign-in of those in a row."""


def bounded(name: str, case: Callable, seconds: int) -> Callable:
    """The case with an end."""

    def late(*_):
        raise Wrong(f"not done in {seconds} s")

    def run():
        Scene.case = name
        shutil.rmtree(KEPT / Scene.case, ignore_errors=True)
        signal.signal(signal.SIGALRM, late)
        signal.alarm(seconds)
        try:
            return case()
        finally:
            signal.alarm(0)

    return run


def main() -> int:
    """Runs what was asked for."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("cases", nargs="*", metavar="CASE")
    asked.add_argument("--long", action="store_true", help="200 sign-ins in a row")
    asked.add_argument("--pictures", type=Path, metavar="FOLDER", help="leave pictures for the docs there")
    asked.add_argument("--qr", choices=["phone", "zbar"], default="phone", help="who reads the codes")
    asked = asked.parse_args()
    Scene.reader = asked.qr
    sign_ins = figures.SignIns(200 if asked.long else 5)
    cases = CASES | brought.CASES | misfits.CASES
    cases["sign-ins-with-a-strong-vault"] = sign_ins.run_with_a_strong_vault
    if asked.pictures:
        cases["pictures"] = lambda: pictures.take(asked.pictures)
    cases = {name: bounded(name, case, CASE) for name, case in cases.items()}
    row = "sign-ins-in-a-row"
    cases[row] = bounded(row, sign_ins.run, CASE + SIGN_IN * sign_ins.count)
    results: dict[str, str] = {}
    code = judge(cases, asked.cases, results)
    if not asked.cases:
        left = ROOT / "target" / "judges"
        left.mkdir(parents=True, exist_ok=True)
        (left / "chromium.json").write_text(json.dumps(sign_ins.report(results), indent=2) + "\n")
    return code


if __name__ == "__main__":
    # Whoever is told to end ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
