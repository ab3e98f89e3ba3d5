"""python-fido2's own `tests/device`, from its source distribution."""

import os
import re
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as xml
from pathlib import Path

from device import Wrong

HERE = Path(__file__).resolve().parent
# What it asks for beside this is one vendor's habit: a PIN that is not set is
# told by getPINRetries, where CTAP has it answer with the count.
DESELECTED = "tests/device/test_clientpin.py::test_set_and_reset"
AT_LEAST = 47
MINUTES = 15


def source(folder: Path):
    """Brings the tests of the source distribution into this folder."""
    wanted = HERE / "fido2-source.txt"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", "fido2", "--require-hashes", "-r", str(wanted), "-d", str(folder)]
    subprocess.run(command, check=True, timeout=300)
    with tarfile.open(next(folder.glob("fido2-*.tar.gz"))) as archive:
        for member in archive.getmembers():
            # Only the tests: what they test is the installed package.
            inner = member.name.partition("/")[2]
            if member.isfile() and inner.startswith("tests/") and ".." not in inner:
                target = folder / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.extractfile(member).read())


def run(folder: Path) -> dict:
    """Runs it; gives how many passed and why the others were skipped."""
    folder.mkdir()
    source(folder)
    report = folder / "report.xml"
    env = {**os.environ, "PYTHONPATH": str(HERE), "CABLECAR_CTAP_STATE": str(folder / "state")}
    command = [sys.executable, "-m", "pytest", "-p", "plugin", "-p", "no:cacheprovider", "--tb=short", "-q"]
    command += [f"--junitxml={report}", "--deselect", DESELECTED, "tests/device"]
    ran = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=MINUTES * 60, check=False
    )
    if not report.exists():
        raise Wrong(f"the suite did not run: {(ran.stdout + ran.stderr)[-2000:]}")
    cases = list(xml.parse(report).iter("testcase"))
    failed = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped: dict[str, int] = {}
    for case in cases:
        if (skip := case.find("skipped")) is not None:
            why = re.sub(r"^Skipped: ", "", skip.get("message", ""))
            skipped[why] = skipped.get(why, 0) + 1
    passed = len(cases) - len(failed) - sum(skipped.values())
    if failed or ran.returncode != 0:
        raise Wrong(f"{len(failed)} failed: {', '.join(failed)}\n{ran.stdout[-6000:]}")
    if passed < AT_LEAST:
        raise Wrong(f"only {passed} passed, not {AT_LEAST}: {skipped}")
    return {"passed": passed, "skipped": skipped}
