#!/usr/bin/env python3
"""Other people's clients, servers and test suites at our local pipe.

    target/judges/venv-ctap/bin/python tests/judges/ctap/run.py [CASE...]

`tests/run ctap` makes the environment first; by hand it is `python3 -m venv
target/judges/venv-ctap`, then its `pip install -r
tests/judges/ctap/requirements.txt`, then `cargo build --release` (or a folder
with the program in $CABLECAR_BIN), a C compiler and Debian's fido2-tools.

Each case has an authenticator of its own, a fresh state folder. Results go to
target/judges/ctap-found.json, for tests/judges/ctap/page.py, which writes
docs/judges.md.
"""

import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import ceremonies
import suite
import tools
from device import Device
from lab.verdict import Skipped, judge

FOUND = Path(__file__).resolve().parents[3] / "target" / "judges" / "ctap-found.json"
FIDO2, WEBAUTHN, LIBFIDO2 = "python-fido2", "py_webauthn", "libfido2"


def main() -> int:
    """Runs the cases."""
    folder = Path(tempfile.mkdtemp(prefix="cablecar-ctap-"))
    said: dict[str, object] = {}

    def with_device(name: str, do):
        def case():
            with Device(folder / name) as device:
                said[name] = do(device)
            return said[name]

        return case

    def with_tools(name: str, do):
        def case():
            if not shutil.which("fido2-token"):
                raise Skipped("no fido2-token; on Debian: apt-get install fido2-tools")
            place = folder / name
            place.mkdir()
            with Device(place / "state") as device:
                bench = tools.Bench(device, place)
                try:
                    said[name] = do(bench)
                finally:
                    bench.close()
            return said[name]

        return case

    def device_suite():
        said["device-suite"] = suite.run(folder / "suite")
        return f"{said['device-suite']['passed']} of its cases passed"

    done = {"device-suite": (FIDO2, device_suite)}
    for algorithm in ceremonies.ALGORITHMS:
        for verification in ("required", "discouraged"):
            name = f"{algorithm.lower()}-{verification}"
            done[name] = (FIDO2, with_device(name, ceremonies.ceremony(algorithm, verification)))
    done |= {
        "attestation-none": (FIDO2, with_device("attestation-none", ceremonies.attestation_none)),
        "extensions": (FIDO2, with_device("extensions", ceremonies.extensions)),
        "py-webauthn": (WEBAUTHN, with_device("py-webauthn", ceremonies.py_webauthn)),
        "token-pin": (LIBFIDO2, with_tools("token-pin", tools.information)),
        "cred-assert": (LIBFIDO2, with_tools("cred-assert", tools.credentials)),
        "token-resident": (LIBFIDO2, with_tools("token-resident", tools.resident)),
        "token-reset": (LIBFIDO2, with_tools("token-reset", tools.reset)),
    }
    results: dict[str, str] = {}
    chosen = sys.argv[1:]
    try:
        code = judge({name: case for name, (_, case) in done.items()}, chosen, results)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not chosen:
        found = {
            "programs": programs(),
            "cases": [
                {"judge": who, "case": name, "result": results[name], "said": said.get(name)}
                for name, (who, _) in done.items()
            ],
        }
        FOUND.parent.mkdir(parents=True, exist_ok=True)
        FOUND.write_text(json.dumps(found, indent=1) + "\n")
    return code


def programs() -> list[dict]:
    """What judged, by name and version."""
    listed = [
        {"name": FIDO2, "what": "Yubico's library: client, server and its own device tests", "version": importlib.metadata.version("fido2")},
        {"name": WEBAUTHN, "what": "a website's verifier", "version": importlib.metadata.version("webauthn")},
    ]  # fmt: skip
    if shutil.which("fido2-token"):
        said = subprocess.run(["fido2-token", "-V"], capture_output=True, text=True, check=False)
        what = "Yubico's tools fido2-token, fido2-cred and fido2-assert"
        listed.append({"name": LIBFIDO2, "what": what, "version": (said.stdout + said.stderr).strip(), "moves": True})
    return listed


if __name__ == "__main__":
    sys.exit(main())
