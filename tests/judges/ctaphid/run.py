#!/usr/bin/env python3
"""The virtual security key before hosts of others: python-fido2's CtapHidDevice
and client, and libfido2's tools.

    tests/run virtual-key
    CABLECAR_BIN=FOLDER target/judges/venv-ctap/bin/python tests/judges/ctaphid/run.py [CASE...]

`cablecar device` speaks CTAPHID over a socket in place of /dev/uhid, which few
machines of this kind have. kernel.py stands for the kernel, by its own header;
where /dev/uhid is there, machine.py tries the real one.
"""

import sys
from pathlib import Path

JUDGES = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(JUDGES), str(JUDGES / "ctap")]

import hosts
import kernel
import machine
import signing
from lab.verdict import judge

if __name__ == "__main__":
    sys.exit(judge(hosts.CASES | signing.CASES | kernel.CASES | machine.CASES, sys.argv[1:]))
