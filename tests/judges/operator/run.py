#!/usr/bin/env python3
"""Our relay as an operator has it: behind the proxies of `relay/deploy`, seen
by Prometheus, under load, installed from its package, started by its page.

    tests/run operator
    target/judges/venv/bin/python tests/judges/operator/run.py [--long] [CASE...]

The programs are those built for release, or those in $CABLECAR_BIN. Recipes are
taken as they are, with other paths, ports and names. Whatever is not installed
here is skipped, and named. `--long` waits as long as proxies do, and builds
what is released.
"""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.verdict import judge

HERE = Path(__file__).resolve().parent
# Each has CASES, and LONG where some take long.
SUBJECTS = ("recipes", "seeing", "goals", "packages", "pages")


def main(arguments: list[str]) -> int:
    """Runs what was asked for."""
    is_long = "--long" in arguments
    chosen = [argument for argument in arguments if argument != "--long"]
    cases = {}
    for subject in SUBJECTS:
        if (HERE / f"{subject}.py").exists():
            module = importlib.import_module(subject)
            cases |= module.CASES | (getattr(module, "LONG", {}) if is_long else {})
    return judge(cases, chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
