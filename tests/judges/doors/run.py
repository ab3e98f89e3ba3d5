#!/usr/bin/env python3
"""Other people's clients at the computer's pipe, with a real phone behind it.

    tests/run doors
    target/judges/venv-ctap/bin/python tests/judges/doors/run.py [CASE...]

python-fido2's client speaks to `cablecar ctap` through desktop-client/python,
and libfido2's tools check what `cablecar` does under their names. Relay and
phone are ours, met over TLS; the radio is the stand-in. The programs are those
built for release, or those in $CABLECAR_BIN.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "desktop-client" / "python")]

import pipe
import tools
from lab.verdict import judge

CASES = pipe.CASES | tools.CASES

if __name__ == "__main__":
    sys.exit(judge(CASES, sys.argv[1:]))
