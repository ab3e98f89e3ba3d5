"""Chromium without a window, with the extension loaded, over its DevTools protocol."""

import contextlib
import json
from pathlib import Path

from aim import aim
from lab import devtools
from lab.display import START, Missing, wait_until

ID = "fofkehcnphggfjnjalpbdcmkapdnkfld"
"""By the `key` in the manifest."""
BASE = f"chrome-extension://{ID}/"


OPTIONS = [
    "--headless=new",
    "--disable-quic",
    "--no-default-browser-check",
    "--password-store=basic",
    "--disable-features=DisableLoadExtensionCommandLineSwitch",
    "--window-size=1100,900",
    "--enable-logging=stderr",
]


class Chromium(devtools.Chromium):
    """One with the extension in it."""

    name, base = "chromium", BASE

    def __init__(self, folder: Path, env: dict[str, str], extensions: list[Path]):
        self.manage = None
        super().__init__(folder, env, [*OPTIONS, f"--load-extension={','.join(map(str, extensions))}"])
        self.hosts = self.profile / "NativeMessagingHosts"

    def targets(self) -> list[dict]:
        """Everything that Chromium has open, looked at without touching it."""
        return self.ask("Target.getTargets")["targetInfos"]

    def open(self, address: str) -> "Page":
        """A new tab in front of the others."""
        return Page(self, self.ask("Target.createTarget", url=address)["targetId"])

    def find(self, part: str) -> "Page | None":
        """The page whose address has this part, if it is there."""
        for target in self.targets():
            if target["type"] == "page" and part in target["url"]:
                # It may be closing.
                with contextlib.suppress(Missing):
                    return Page(self, target["targetId"])
        return None

    def shows(self, part: str) -> bool:
        """Whether there is such a page, or one that closes."""
        return any(part in one["url"] for one in self.targets())

    def popup(self, page: "Page") -> "Popup":
        """The popup of the toolbar button, opened over this tab as by a click."""
        return Popup(self, page)

    def allow(self, *patterns: str):
        """A person presses Allow in the dialog that nobody can reach here: the
        extension is given these sites where it is managed. Its own request is
        still needed, and is then granted without the dialog."""
        if not self.manage:
            made = self.ask("Target.createTarget", url="chrome://extensions/", background=True)
            self.manage = Page(self, made["targetId"])
            ready = "document.readyState === 'complete' && !!chrome.developerPrivate"
            wait_until(lambda: self.manage.evaluate(ready), START, "the page of extensions")
        for pattern in patterns:
            self.manage.evaluate(f"chrome.developerPrivate.addHostPermission({json.dumps(ID)}, {json.dumps(pattern)})")

    def service_worker(self) -> bool:
        """Whether the extension's background runs."""
        return any(one["type"] == "service_worker" and one["url"].startswith(BASE) for one in self.targets())


class Page(devtools.Page):
    """One page, wherever it is shown."""

    def click(self, selector: str):
        """Presses there with a mouse."""
        at = aim(self, selector)
        for kind in "mousePressed", "mouseReleased":
            params = {"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1}
            # A window that closes upon the click never answers.
            self.tell("Input.dispatchMouseEvent", **params)

    def key(self, name: str):
        """Presses a key."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        for kind in "keyDown", "keyUp":
            text = {"text": "\r"} if name == "Enter" and kind == "keyDown" else {}
            params = {"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": codes[name], **text}
            # A window that closes upon the key never answers.
            self.tell("Input.dispatchKeyEvent", **params)

    def plug_in(self):
        """Has a security key in this page's Chromium, whose owner says yes to everything."""
        self.ask("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True}
        options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
        self.ask("WebAuthn.addVirtualAuthenticator", options=options)

    def go(self, address: str):
        """Leaves for another page."""
        self.ask("Page.navigate", url=address)

    def there(self) -> bool:
        """Whether it is still open."""
        return any(one["targetId"] == self.target for one in self.chromium.targets())


class Popup(Page):
    """The popup of the toolbar button."""

    def __init__(self, chromium: Chromium, page: Page):
        tabs = chromium.ask("Target.getTargets", filter=[{"type": "tab"}])["targetInfos"]
        address = page.evaluate("location.href")
        tab = next(one for one in tabs if one["url"] == address)
        chromium.ask("Extensions.triggerAction", id=ID, targetId=tab["targetId"])
        target = wait_until(self._look(chromium), START, "the popup")
        super().__init__(chromium, target)
        wait_until(lambda: self.evaluate("document.querySelector('#state')?.textContent.length > 9"), START, "its words")

    def _look(self, chromium: Chromium):
        def look():
            shown = (one for one in chromium.targets() if one["url"] == f"{BASE}ui/popup.html")
            return next((one["targetId"] for one in shown), None)

        return look

    def click(self, selector: str):
        """Presses there; while it grows to its size, a mouse would miss it."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def close(self):
        """Closes it."""
        if self.there():
            super().close()
        wait_until(lambda: not self.there(), START, "the popup to close")
