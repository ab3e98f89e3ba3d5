#!/usr/bin/env python3
"""Our computer and our phone over BlueZ: both radio back ends, and what they
say when there is no radio, no relay, or no way to one.

    tests/run radio
    target/judges/venv/bin/python tests/judges/radio/run.py [--long] [CASE...]

The programs are those built for release, or those in $CABLECAR_BIN. BlueZ is
the lab's mock, the website's verifier py_webauthn. `--long` sends a million
forged adverts, which takes seven minutes, and waits for a phone to give up.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import flood
import meeting
import network
import trouble
from lab.verdict import judge


def main(arguments: list[str]) -> int:
    """Runs what was asked for."""
    is_long = "--long" in arguments
    chosen = [argument for argument in arguments if argument != "--long"]
    cases = meeting.CASES | trouble.CASES | network.CASES | flood.cases(is_long)
    if is_long:
        cases |= meeting.LONG
    return judge(cases, chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
