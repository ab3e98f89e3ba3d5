#!/usr/bin/env python3
"""Our phone answers real Chromium.

    tests/run chromium
    python3 tests/judges/chromium/run.py [--long] [--pictures FOLDER] [CASE...]

Chromium is Debian's, unmodified, with a window on a display that nobody sees.
It hears our phone over the lab's mock BlueZ and meets it at our relay over
TLS; the phone reads the code off a picture of the screen. What the page gets
is verified by py_webauthn. The programs are those built for release, or those
in $CABLECAR_BIN.

`--long` signs in 200 times in a row. `--pictures` leaves pictures of
Chromium's dialog for the docs. With CABLECAR_KEEP=FOLDER a case that fails
leaves the screen and the logs there. Results go to target/judges/chromium.json.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import figures
import misfits
import pictures
from cases import CASES
from lab.programs import ROOT
from lab.verdict import judge


def main() -> int:
    """Runs what was asked for."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("cases", nargs="*", metavar="CASE")
    asked.add_argument("--long", action="store_true", help="200 sign-ins in a row")
    asked.add_argument("--pictures", type=Path, metavar="FOLDER", help="leave pictures for the docs there")
    asked = asked.parse_args()
    sign_ins = figures.SignIns(200 if asked.long else 5)
    cases = CASES | misfits.CASES | {"sign-ins-in-a-row": sign_ins.run}
    if asked.pictures:
        cases["pictures"] = lambda: pictures.take(asked.pictures)
    results: dict[str, str] = {}
    code = judge(cases, asked.cases, results)
    left = ROOT / "target" / "judges"
    left.mkdir(parents=True, exist_ok=True)
    (left / "chromium.json").write_text(json.dumps(sign_ins.report(results), indent=2) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
