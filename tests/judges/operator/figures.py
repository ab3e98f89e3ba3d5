#!/usr/bin/env python3
"""The figures of the relay, from the judges and the bench to the paper.

    python3 tests/judges/operator/figures.py --write    puts them into docs/performance.md
    python3 tests/judges/operator/figures.py --check    every goal has its row there

They are collected in target/judges/relay-figures.json, each with the machine
and the form of the run. A figure of a short form does not replace one of a
long form in the paper.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "target" / "judges" / "relay-figures.json"
PAPER = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures of the relay: written by a run -->", "<!-- end of the figures -->"
HEAD = "| figure | measured | target | form | run |\n|---|---|---|---|---|\n"

# In the order of the paper. A figure that has no place here is a mistake.
NAMES = [
    "memory per tunnel, waiting, plain", "memory per tunnel, waiting, plain, over kanidm's",
    "memory per tunnel, waiting, TLS",
    "memory per tunnel, paired, plain", "memory per tunnel, paired, plain, over kanidm's",
    "memory per tunnel, paired, TLS", "memory per tunnel, waiting, plain, no limit raised",
    "sign-in CPU, plain", "sign-in CPU, plain, over the floor", "sign-in CPU, plain, over kanidm's",
    "sign-in CPU, plain, the floor's over kanidm's",
    "sign-in CPU, TLS", "sign-in CPU, TLS, over the floor", "sign-in CPU, TLS, over kanidm's",
    "sign-in CPU, TLS, the floor's over kanidm's",
    "frame CPU, 200 B, over the floor", "frame CPU, 16 KiB, over the floor",
    "sign-in under TLS, one at a time, p50", "512 B one way, idle, p50", "512 B one way, idle, p99",
    "512 B one way, much beside it, p99",
    "idle tunnels held, TLS", "share of a core while they idle", "of those, joined at random",
    "sign-ins a second, TLS", "sign-ins a second, plain", "sign-ins by a schedule, TLS, p99",
    "slow openings, evicted after", "sign-ins beside slow openings, failed",
    "memory per stuck reader", "stuck readers, closed after", "half-open tunnels, released after",
    "descriptors exhausted, share of a core", "descriptors exhausted, log lines a second",
    "handshake flood, sign-ins that went well", "handshake flood, existing tunnels, p99",
    "memory after sign-ins", "malformed input, wrong verdicts", "pairing race, refused",
    "kills, serving again after", "kills, sign-ins that failed afterwards",
]  # fmt: skip


def machine() -> str:
    """Processor, cores and load."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown processor")
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}"


def add(name: str, value: float, unit: str, target: float | None, is_long: bool):
    """One figure. Whether it is good enough is the case's to say."""
    if name not in NAMES:
        raise ValueError(f"{name!r} has no place in the paper")
    figures = load()
    form = "long" if is_long else "short"
    figures[name] = {"value": value, "unit": unit, "target": target, "form": form, "machine": machine()}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")


def load() -> dict:
    """What was measured so far."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def rows() -> dict[str, str]:
    """The rows of the paper by name."""
    table = PAPER.read_text().split(BEGIN)[1].split(END)[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip(): line for line in lines[1:]}


def number(value: float | None, unit: str) -> str:
    """A figure as people read it."""
    if value is None:
        return ""
    digits = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{digits} {unit}".strip()


def row(name: str, figure: dict) -> str:
    """A line of the table."""
    measured, target = number(figure["value"], figure["unit"]), number(figure["target"], figure["unit"])
    today = datetime.now(UTC).date()
    return f"| {name} | {measured} | {target} | {figure['form']} | {today}, {figure['machine']} |"


def write():
    """Puts what was measured into the paper."""
    old, new = rows(), load()
    lines = []
    for name in NAMES:
        if name in new and not (new[name]["form"] == "short" and "| long |" in old.get(name, "")):
            lines.append(row(name, new[name]))
        elif name in old:
            lines.append(old[name])
    before, rest = PAPER.read_text().split(BEGIN)
    PAPER.write_text(f"{before}{BEGIN}\n\n{HEAD}" + "\n".join(lines) + f"\n\n{END}{rest.split(END)[1]}")


def check() -> int:
    """Whether every goal has its row."""
    missing = [name for name in NAMES if name not in rows()]
    for name in missing:
        print(f"docs/performance.md has no figure for: {name}")
    return 1 if missing else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    elif sys.argv[1:] == ["--check"]:
        sys.exit(check())
    else:
        sys.exit(__doc__)
