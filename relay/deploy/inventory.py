#!/usr/bin/env python3
"""What is linked into the relay, out of Cargo.lock and the crates themselves.

    relay/deploy/inventory.py sbom TRIPLE [FEATURE...]       CycloneDX 1.5, JSON
    relay/deploy/inventory.py licences TRIPLE [FEATURE...]   every licence text, once

The same sources give the same bytes: the time is $SOURCE_DATE_EPOCH, and 1970
without it. Python's own library is all it needs.
"""

import datetime
import hashlib
import json
import os
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "cablecar-relay"
# How crates call the files with their terms.
TERMS = ("licen", "copying", "copyright", "notice", "unlicense")


def cargo(*arguments: str) -> str:
    """What cargo says in the project's folder."""
    return subprocess.run(["cargo", *arguments], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def linked(triple: str, features: list[str]) -> tuple[dict, dict[str, list[str]]]:
    """The packages by id, of which the program's code is made on this platform,
    and what each of them needs. What only builds or tests it is no part of it."""
    chosen = ["--features", ",".join(features)] if features else []
    # The tree knows which features this one program has; the metadata has the
    # features of the whole workspace, and the details.
    tree = cargo(
        "tree", "--locked", "--package", PROGRAM, "--target", triple, *chosen,
        "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}",
    )  # fmt: skip
    # "name v1.2.3 (where from) (*)"
    named = {tuple(line.split(" ")[:2]) for line in tree.splitlines() if line}
    said = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", triple))
    packages = {p["id"]: p for p in said["packages"] if (p["name"], f"v{p['version']}") in named}
    needs = {
        node["id"]: [dep["pkg"] for dep in node["deps"] if dep["pkg"] in packages]
        for node in said["resolve"]["nodes"]
        if node["id"] in packages
    }
    return packages, needs


def purl(package: dict) -> str:
    """Its name in the language of such lists."""
    return f"pkg:cargo/{package['name']}@{package['version']}"


def in_order(packages: dict) -> list[dict]:
    """By name and version."""
    return sorted(packages.values(), key=lambda package: (package["name"], package["version"]))


def component(package: dict, sums: dict[tuple[str, str], str]) -> dict:
    """One entry."""
    entry = {
        "type": "application" if package["name"] == PROGRAM else "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
    }
    if package["description"]:
        entry["description"] = " ".join(package["description"].split())
    if package["license"]:
        # The form before SPDX 2 had a stroke for OR.
        entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if checksum := sums.get((package["name"], package["version"])):
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    entry["purl"] = purl(package)
    return entry


def sbom(triple: str, features: list[str]) -> str:
    """The bill of materials."""
    packages, needs = linked(triple, features)
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    sums = {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}
    entries = [component(package, sums) for package in in_order(packages)]
    program = next(entry for entry in entries if entry["name"] == PROGRAM)
    dependencies = [
        {"ref": purl(package), "dependsOn": sorted(purl(packages[id]) for id in needs[package["id"]])}
        for package in in_order(packages)
    ]
    when = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.UTC)
    content = json.dumps([entries, dependencies, triple, features])
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # Of the content, so that the same is the same.
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=hashlib.sha256(content.encode()).digest()[:16], version=4)}",
        "version": 1,
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": program,
            "properties": [
                {"name": "cablecar:platform", "value": triple},
                {"name": "cablecar:features", "value": ",".join(features)},
            ],
        },
        "components": [entry for entry in entries if entry is not program],
        "dependencies": dependencies,
    }
    return json.dumps(bill, indent=1) + "\n"


def licences(triple: str, features: list[str]) -> str:
    """Who made what, and under which terms; each text once."""
    packages, _ = linked(triple, features)
    lines = [f"What is linked into {PROGRAM}, and under which terms.", ""]
    texts: dict[str, list[str]] = {}
    for package in in_order(packages):
        if package["source"] is None:
            continue  # ours
        name = f"{package['name']} {package['version']}"
        lines.append(f"{name}: {package['license'] or 'see its text'}")
        folder = Path(package["manifest_path"]).parent
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.name.lower().startswith(TERMS):
                texts.setdefault(path.read_text(errors="replace").strip(), []).append(name)
    lines += [
        "Rust's standard library: MIT OR Apache-2.0",
        "musl, where the program is static: MIT, Copyright 2005-2020 Rich Felker, et al.",
        "",
    ]
    for text, names in texts.items():
        lines += ["-" * 78, ", ".join(names), "", text, ""]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Prints what was asked for."""
    what = {"sbom": sbom, "licences": licences}
    if len(arguments) < 2 or arguments[0] not in what:
        print(__doc__, file=sys.stderr)
        return 2
    sys.stdout.write(what[arguments[0]](arguments[1], arguments[2:]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
