"""Firefox without a window, with the extension installed, over WebDriver BiDi."""

import base64
import json
import re
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import quote

from aim import aim
from lab.display import START, Missing, Program, find_program, wait_until
from lab.verdict import Skipped
from lab.wire import ANSWER, Browser, Wire, waited

ID = "cablecar@cablecar.invalid"
UUID = "5ab1ecaf-0000-4000-8000-000000000001"
"""Firefox draws one for each profile; here it is known before."""
PREFS = {
    "extensions.webextensions.uuids": json.dumps({ID: UUID}),
    # Security keys are those of WebDriver.
    "security.webauth.webauthn_enable_softtoken": True,
    "security.webauth.webauthn_enable_usbtoken": False,
    # There is nobody to press Allow; the request still needs a click.
    "extensions.webextOptionalPermissionPrompts": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.startup.homepage_override.mstone": "ignore",
}


class Firefox(Browser):
    """One Firefox with a profile of its own."""

    name, base = "firefox", f"moz-extension://{UUID}/"

    def __init__(self, folder: Path, env: dict[str, str], extensions: list[Path], prefs: dict | None = None):
        self.profile = folder / "profile"
        self.profile.mkdir(parents=True, exist_ok=True)
        self.hosts = Path(env["HOME"]) / ".mozilla" / "native-messaging-hosts"
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in (PREFS | (prefs or {})).items()]
        (self.profile / "user.js").write_text("\n".join(lines) + "\n")
        command = [
            find_program("firefox-esr", "firefox"),
            "--headless",
            "--no-remote",
            "--remote-allow-system-access",
            "--remote-debugging-port=0",
            "--profile",
            str(self.profile),
            "about:blank",
        ]
        size = {"MOZ_HEADLESS_WIDTH": "1100", "MOZ_HEADLESS_HEIGHT": "900"}
        super().__init__(Program(command, env | size | {"MOZ_CRASHREPORTER_DISABLE": "1"}, folder / "firefox.log"))
        self.first, self.plugged_in = None, False
        try:
            address = wait_until(self._door, START, "Firefox's debugging port")
            self.wire = Wire(f"{address}/session")
            said = self.wire.ask("session.new", {"capabilities": {}})
            self.version = said["capabilities"]["browserVersion"]
            for extension in extensions:
                self.wire.ask("webExtension.install", {"extensionData": {"type": "path", "path": str(extension)}})
        except BaseException:
            self.end()
            raise

    def _door(self) -> str | None:
        if self.program.process.poll() is not None:
            raise Missing(f"Firefox ended: {self.program.said()[-2000:]}")
        found = re.search(r"WebDriver BiDi listening on (ws://\S+)", self.program.said())
        return found and found[1]

    def ask(self, method: str, seconds: float = ANSWER, **params) -> dict:
        """Sends a command and waits for its answer."""
        return self.wire.ask(method, params, seconds)

    def contexts(self) -> list[dict]:
        """Everything that Firefox has open."""
        return self.ask("browsingContext.getTree", maxDepth=0)["contexts"]

    def open(self, address: str) -> "Page":
        """A new tab in front of the others."""
        # Not in the extension's window, if that is in front.
        self.first = self.first or self.contexts()[0]["context"]
        made = self.ask("browsingContext.create", type="tab", referenceContext=self.first)
        page = Page(self, made["context"])
        page.go(address)
        return page

    def find(self, part: str) -> "Page | None":
        """The page whose address has this part, if it is there."""
        for one in self.contexts():
            if part in one["url"]:
                return Page(self, one["context"])
        return None

    def shows(self, part: str) -> bool:
        """Whether there is such a page, or one that closes."""
        return any(part in one["url"] for one in self.contexts())

    def popup(self, _page: "Page") -> "Popup":
        """The popup of the toolbar button, opened over the tab in front as by a click."""
        return Popup(self)

    def chrome(self, expression: str):
        """The value of an expression in Firefox's own window, where its
        toolbar is: text, or nothing."""
        tree = self.ask("browsingContext.getTree", maxDepth=0, **{"moz:scope": "chrome"})["contexts"]
        own = next((one["context"] for one in tree if one["url"].endswith("/browser.xhtml")), None)
        if own is None:
            raise Skipped(f"Firefox {self.version} does not let WebDriver at its toolbar; 153 does")
        params = {
            "expression": expression,
            "target": {"context": own},
            "awaitPromise": True,
            "userActivation": True,
        }
        said = self.ask("script.evaluate", **params)
        if said["type"] != "success":
            raise Missing(f"Firefox's own script failed: {said['exceptionDetails'].get('text')}")
        return said["result"].get("value")


class Page:
    """One page, wherever it is shown."""

    def __init__(self, firefox: Firefox, target: str):
        self.firefox, self.target = firefox, target

    def ask(self, method: str, **params) -> dict:
        """A command for this page."""
        return self.firefox.ask(method, context=self.target, **params)

    def start(self, expression: str, gesture: bool = True) -> Future:
        """Evaluates, as if a person had clicked; the future has the value
        once the promise is settled."""
        # As text: BiDi's own form of values is another for each kind.
        wrapped = f"(async () => JSON.stringify(await ({expression})))()"
        params = {
            "expression": wrapped,
            "target": {"context": self.target},
            "awaitPromise": True,
            "userActivation": gesture,
        }
        answer = self.firefox.wire.send("script.evaluate", params)
        value = Future()

        def settle(done):
            if error := done.exception():
                return value.set_exception(error)
            result = done.result()
            if result["type"] != "success":
                return value.set_exception(Missing(f"the script failed: {result['exceptionDetails'].get('text')}"))
            text = result["result"].get("value")
            return value.set_result(None if text is None else json.loads(text))

        answer.add_done_callback(settle)
        return value

    def evaluate(self, expression: str, seconds: float = ANSWER):
        """The value of an expression."""
        return waited(self.start(expression), expression, seconds)

    def click(self, selector: str):
        """Presses there with a mouse."""
        at = aim(self, selector)
        press = [
            {"type": "pointerMove", "x": at[0], "y": at[1]},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self.ask("input.performActions", actions=[{"type": "pointer", "id": "mouse", "actions": press}])

    def key(self, name: str):
        """Presses a key."""
        value = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", " ": " "}[name]
        press = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.ask("input.performActions", actions=[{"type": "key", "id": "keys", "actions": press}])

    def dark(self, dark: bool):
        """Has the page in dark or light colours."""
        self.firefox.chrome(f"void Services.prefs.setIntPref('layout.css.prefers-color-scheme.content-override', {0 if dark else 1})")

    def plug_in(self):
        """Has a security key in this Firefox, whose owner says yes to everything."""
        service = "Cc['@mozilla.org/webauthn/service;1'].getService(Ci.nsIWebAuthnService)"
        if not self.firefox.plugged_in:
            self.firefox.chrome(f"void {service}.addVirtualAuthenticator('ctap2_1', 'usb', true, true, true, true)")
        self.firefox.plugged_in = True

    def picture(self, path: Path) -> Path:
        """What is to be seen of it."""
        path.write_bytes(base64.b64decode(self.ask("browsingContext.captureScreenshot")["data"]))
        return path

    def go(self, address: str):
        """Leaves for another page."""
        self.ask("browsingContext.navigate", url=address, wait="none")

    def close(self):
        """Closes it."""
        self.ask("browsingContext.close")

    def to_front(self):
        """Shows it instead of the other tabs."""
        self.ask("browsingContext.activate")

    def there(self) -> bool:
        """Whether it is still open."""
        return any(one["context"] == self.target for one in self.firefox.contexts())


CLICK = """(async () => {
  window.focus();
  const { ExtensionParent } = ChromeUtils.importESModule("resource://gre/modules/ExtensionParent.sys.mjs");
  const { extension } = WebExtensionPolicy.getByID(%s);
  void ExtensionParent.apiManager.global.browserActionFor(extension).triggerAction(window);
})()"""
FIND = "[...document.querySelectorAll('browser')].find((one) => one.currentURI?.spec.includes('/ui/popup.html'))"
FRAME = """(() => {
  const { document } = content;
  const press = (selector) => {
    const done = content.windowUtils.setHandlingUserInput(true);
    try { document.querySelector(selector).click(); } finally { done.destruct(); }
  };
  const value = document.readyState === "complete" ? (%s) : null;
  sendAsyncMessage("judged", [%d, JSON.stringify(value ?? null)]);
})();
"""
ASK = """new Promise((resolve) => {
  const { messageManager } = %s;
  const hear = ({ data }) => {
    if (data[0] !== %d) return;
    messageManager.removeMessageListener("judged", hear);
    resolve(data[1]);
  };
  messageManager.addMessageListener("judged", hear);
  setTimeout(hear, 1000, { data: [%d, "null"] });
  messageManager.loadFrameScript(%s, false);
})"""


class Popup:
    """The popup of the toolbar button, which WebDriver does not reach by itself."""

    asked = 0

    def __init__(self, firefox: Firefox):
        self.firefox = firefox
        wait_until(self._open, START, "the popup")
        wait_until(lambda: self.evaluate("document.querySelector('#state').textContent.length > 9"), START, "its words")

    def _open(self) -> bool:
        # A window that loses its place in front in this moment takes no click.
        self.firefox.chrome(CLICK % json.dumps(ID))
        try:
            return wait_until(self.there, 2.0, "the popup")
        except Missing:
            return False

    def evaluate(self, expression: str):
        """The value of an expression about its `document`."""
        Popup.asked += 1
        script = "data:application/javascript," + quote(FRAME % (expression, Popup.asked))
        return json.loads(self.firefox.chrome(ASK % (FIND, Popup.asked, Popup.asked, json.dumps(script))))

    def click(self, selector: str):
        """Presses there."""
        self.evaluate(f"press({json.dumps(selector)})")

    def there(self) -> bool:
        """Whether it is open."""
        return self.firefox.chrome(f"String({FIND}?.currentURI.spec)") != "undefined"

    def close(self):
        """Closes it."""
        self.firefox.chrome(f"void {FIND}?.closest('panel')?.hidePopup()")
        wait_until(lambda: not self.there(), START, "the popup to close")
