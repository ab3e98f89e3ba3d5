#!/usr/bin/env python3
"""OpenSSH with keys that live on our phone: keys made, logins, agent, signed
files, resident keys, and what is said when it does not go well.

    tests/run ssh
    target/judges/venv/bin/python tests/judges/ssh/run.py [--long] [CASE...]

ssh, ssh-keygen, ssh-agent, ssh-add and sshd are Debian's. The provider is the
one built for release, or $CABLECAR_SSH_LIBRARY; the programs likewise, or those
in $CABLECAR_BIN. `--long` also judges how long a login takes, and has the
library under valgrind.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import agents
import border
import keys
import trouble
from lab.verdict import judge


def main(arguments: list[str]) -> int:
    """Runs what was asked for."""
    is_long = "--long" in arguments
    chosen = [argument for argument in arguments if argument != "--long"]
    cases = keys.cases(is_long) | agents.CASES | trouble.CASES | border.CASES
    return judge(cases | border.LONG_CASES if is_long else cases, chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
