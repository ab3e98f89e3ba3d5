#!/usr/bin/env python3
"""Who is asked, and how: the phone's questions by another program and by a
desktop's notifications, and its owner verified by a finger and by PAM.

    tests/run consent
    CABLECAR_BIN=FOLDER target/judges/venv/bin/python tests/judges/consent/run.py [CASE...]

The phone has to be built with the features notification, fprintd and pam.
Each case is a whole transaction with our computer and relay; the website's
verifier is py_webauthn.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import asking
import verifying
from lab.verdict import judge

if __name__ == "__main__":
    sys.exit(judge(asking.CASES | verifying.CASES, sys.argv[1:]))
