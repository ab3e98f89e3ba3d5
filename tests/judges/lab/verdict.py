"""Running cases one after the other, each with a verdict of its own."""

import signal
import sys
import time
import traceback
from collections.abc import Callable


class Skipped(Exception):
    """A case that cannot run here; the text says why."""


def judge(cases: dict[str, Callable[[], str | None]], chosen: list[str], results: dict | None = None) -> int:
    """Runs the cases, or those that were chosen; gives the exit code.

    One line for each: `ok`, `FAILED` or `skipped`, what a case returns as a
    figure, and the last line counts. `results` takes what each came to.
    """
    # A time limit from outside ends the labs too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    unknown = [name for name in chosen if name not in cases]
    if unknown:
        print(f"error: no case is named {unknown[0]!r}; there are: {', '.join(cases)}")
        return 2
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    results = {} if results is None else results
    for name in chosen or cases:
        began = time.monotonic()
        try:
            figure = cases[name]()
        except Skipped as why:
            counts["skipped"] += 1
            results[name] = "skipped"
            print(f"skipped: {name}: {why}", flush=True)
        except Exception as fault:  # a fault of the judge's own is no verdict for anybody either
            counts["failed"] += 1
            results[name] = "FAILED"
            # In one line, whatever a window or a program said: it is all that tests/run shows.
            print(f"FAILED  {name}: {type(fault).__name__}: {' '.join(str(fault).split())}", flush=True)
            traceback.print_exc()
        else:
            counts["passed"] += 1
            results[name] = "ok"
            print(f"ok      {name} ({time.monotonic() - began:.1f} s){f': {figure}' if figure else ''}", flush=True)
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] or not counts["passed"] else 0
