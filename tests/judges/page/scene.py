"""The scene of a case: a computer that asks, a phone, a relay, a website, and
somebody who looks at the page.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eyes import Eyes, Page
from lab import Lab, Run, Site, Wrong
from lab.display import wait_until

ROOT = Path(__file__).resolve().parents[3]
AXE = Path(os.environ.get("CABLECAR_AXE", ROOT / "target/judges/page/node_modules/axe-core/axe.min.js"))
PATIENCE = 60.0
HEADING = "Sign in at example.com"
LAST = "signs in at example.com with a passkey on a phone; cablecar keeps nothing of it on this computer"


class Desk:
    """A computer that asks, a phone, a relay, a website with one account."""

    def __init__(self, lab: Lab):
        self.lab, self.site = lab, Site()
        self.relay, self.phone = lab.relay(), lab.phone()
        self.opened = lab.folder / "opened"
        self.browser = lab.folder / "browser"
        self.browser.write_text(f'#!/bin/sh\nprintf "%s" "$1" >{self.opened}.new && mv {self.opened}.new {self.opened}\n')
        self.browser.chmod(0o700)

    def register(self):
        """An account at the website, made without a page."""
        computer = self.lab.desktop("create", self.site.creation(), relay=self.relay)
        scan = self.phone.scan(computer.code(), relay=self.relay)
        self.site.registered(computer.result())
        scan.expect(0)

    def get(self, browser: str | None = None) -> Run:
        """`cablecar get --show page`."""
        reach = ["--ca-file", str(self.lab.ca_file), "--connect-to", self.relay.connect_to]
        arguments = ["get", "--origin", self.site.origin, "--show", "page", *reach]
        env = {"BROWSER": browser or str(self.browser)}
        return self.lab.start("cablecar", *arguments, stdin=json.dumps(self.site.request()), env=env)

    def url(self) -> str:
        """What the browser was told to open."""
        wait_until(self.opened.exists, PATIENCE, "a page")
        return self.opened.read_text()


@contextmanager
def desk(registered: bool = True, eyes: bool = True) -> Iterator[tuple[Desk, Eyes | None]]:
    """The scene of a case."""
    with Lab() as lab:
        one = Desk(lab)
        if registered:
            one.register()
        seeing = Eyes(lab.folder, lab.env) if eyes else None
        try:
            yield one, seeing
        finally:
            if seeing:
                seeing.end()


def check(holds: object, what: str):
    """A verdict."""
    if not holds:
        raise Wrong(what)


def no_barriers(page: Page, when: str):
    """axe-core has nothing to say."""
    if found := page.barriers(AXE.read_text()):
        raise Wrong(f"axe-core, {when}: {found}")


def no_code(page: Page, when: str):
    """Neither the picture nor the text of a code is in the page any more."""
    html = page.html()
    check("FIDO:/" not in html and "<svg" not in html, f"{when} the code is still in the page")
