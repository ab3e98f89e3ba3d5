#!/usr/bin/env python3
"""Writes docs/interop.md from what the outside judges found.

    tests/judges/interop.py [JSON...]            default: target/judges/*.json
    tests/judges/interop.py --check [JSON...]    only says whether it would change

Each judge leaves a file of this form; others in the folder are passed over:

    {"harness": "peers",
     "programs": [{"name": "kanidm", "what": "what it is", "version": "0.6.2"}],
     "results": [{"computer": "...", "phone": "...", "relay": "...",
                  "step": "registration", "result": "ok|FAILED|skipped"}],
     "notes": ["a sentence about what is not in the table"]}

Two good runs give the same page: no dates, no times, nothing of the machine.
A program with `"moves": true` is whatever version this machine installs, so
`--check` says nothing of a newer one.
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "interop.md"
SAID = {"ok": "yes", "FAILED": "**no**", "skipped": "not run"}
HEAD = """# Who works with whom

Written by `tests/judges/interop.py` from what the judges of [tests/judges](../tests/judges) found; not by hand. Every
program here is the real one, run as a process: over a mock BlueZ in place of the radio, over TLS with the relay's real
name. "Yes" means that both programs ended well and that py_webauthn verified what came back.
"""


def page(found: list[dict]) -> str:
    """The page. `found`: what each judge found, in any order."""
    found = sorted(found, key=lambda one: one["harness"])
    steps: list[str] = []
    rows: dict[tuple, dict] = {}
    programs: dict[tuple, dict] = {}
    notes: list[str] = []
    for judge in found:
        for program in judge["programs"]:
            programs[program["name"], program["version"]] = program
        for result in judge["results"]:
            who = (result["computer"], result["phone"], result["relay"])
            if result["step"] not in steps:
                steps.append(result["step"])
            cells = rows.setdefault(who, {})
            # Told twice, the worse counts.
            cells[result["step"]] = max(
                result["result"], cells.get(result["step"], "ok"), key=list(SAID).index
            )
        notes += [note for note in judge.get("notes", []) if note not in notes]
    # A pair at all its relays.
    pairs = list(dict.fromkeys(who[:2] for who in rows))
    ordered = sorted(rows, key=lambda who: pairs.index(who[:2]))
    lines = [HEAD, "", "## Pairs", ""]
    lines += table(
        ["computer", "phone", "relay", *steps],
        [[*who, *(SAID.get(rows[who].get(step), "") for step in steps)] for who in ordered],
    )
    if notes:
        lines += ["", *(f"- {note}" for note in notes)]
    lines += ["", "## Programs", ""]
    lines += table(
        ["name here", "what it is", "version"],
        [[one["name"], one["what"], one["version"]] for one in programs.values()],
    )
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def read(files: list[Path]) -> list[dict]:
    """What the judges left."""
    found = []
    for file in files or sorted((ROOT / "target" / "judges").glob("*.json")):
        said = json.loads(file.read_text())
        if isinstance(said, dict) and {"harness", "programs", "results"} <= said.keys():
            found.append(said)
        elif files:
            sys.exit(f"{file}: no judge wrote this")
    return found


def still(text: str, found: list[dict]) -> str:
    """The page without the versions that move."""
    for program in (program for judge in found for program in judge["programs"] if program.get("moves")):
        row = rf"^(\| {re.escape(program['name'])} \| {re.escape(program['what'])} \| )[^|]* \|$"
        text = re.sub(row, r"\1any |", text, flags=re.M)
    return text


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("files", type=Path, nargs="*", metavar="JSON")
    asked.add_argument("--check", action="store_true", help="write nothing; 1 if the page would change")
    asked = asked.parse_args()
    found = read(asked.files)
    if not found:
        sys.exit("no judge has left anything in target/judges")
    if asked.check:
        not_run = [result for judge in found for result in judge["results"] if result["result"] == "skipped"]
        for result in not_run:
            # What was not tried here contradicts nobody.
            result["result"] = "ok"
        if not_run:
            print(f"{len(not_run)} steps were not run here")
        written = page(found)
        same = PAGE.exists() and still(PAGE.read_text(), found) == still(written, found)
        print(f"{PAGE.relative_to(ROOT)} {'is' if same else 'is not'} what the judges found")
        return 0 if same else 1
    PAGE.write_text(page(found))
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
