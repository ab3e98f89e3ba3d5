"""The demo's website, with authenticators of Chromium's own."""

import contextlib
import os
import re
from pathlib import Path

from eyes import Eyes
from lab import Lab, Wrong
from lab.display import Missing, Program, wait_until
from lab.verdict import Skipped
from scene import AXE, PATIENCE, ROOT, check, no_barriers


def plugged_in(page, transports: list[str]) -> dict:
    """An authenticator with the first of these transports that this Chromium
    knows: it has had two names for phones."""
    for transport in transports:
        authenticator = {
            "protocol": "ctap2", "transport": transport, "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
        }  # fmt: skip
        with contextlib.suppress(Missing):
            return page.ask("WebAuthn.addVirtualAuthenticator", options=authenticator)
    raise Wrong(f"Chromium knows none of the transports {transports}")


def website() -> str:
    """The website of `demo -- --web`: no barriers, and it says what it was told."""
    demo = Path(os.environ.get("CABLECAR_DEMO", ROOT / "target/release/demo"))
    if not demo.exists() or not AXE.exists():
        raise Skipped(f"no {demo if AXE.exists() else AXE}")
    with Lab(radio=False) as lab:
        said = lab.folder / "demo.log"
        serving = Program([str(demo), "--web", "--port", "0"], lab.env, said)
        eyes = Eyes(lab.folder, lab.env)
        try:
            wait_until(lambda: "Bluetooth at both" in serving.said(), PATIENCE, "the demo's words")
            origin = re.search(r"http://localhost:\d+", serving.said()).group()
            for transports, told in ((["internal"], "no phone was used"), (["cable", "hybrid"], "a phone was used")):
                page = eyes.page(origin, dark="cable" in transports)
                page.wait_for("What the website was told")
                no_barriers(page, "the website before")
                page.ask("WebAuthn.enable")
                added = plugged_in(page, transports)
                page.evaluate("document.querySelector('#register button').click()")
                page.wait_for("alice has a passkey here")
                page.wait_for(told)
                page.evaluate("document.querySelector('#sign-in button').click()")
                page.wait_for("alice is signed in")
                page.wait_for(told)
                page.wait_for("it was verified")
                no_barriers(page, "the website afterwards")
                page.ask("WebAuthn.removeVirtualAuthenticator", authenticatorId=added["authenticatorId"])
                check(not [one for one in page.complaints() if "favicon.ico" not in one], f"{page.complaints()}")
        finally:
            eyes.end()
            serving.end()
    return "0 violations"
