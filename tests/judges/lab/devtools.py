"""Chromium, and the DevTools protocol beside it, which does what people would
do with a mouse."""

import base64
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from lab.display import START, Missing, Program, find_program, wait_until
from lab.wire import ANSWER, Browser, Wire, waited

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]
"""What every Chromium here is told: nothing of its own, and a debugging port."""


class Chromium(Browser):
    """One Chromium with a profile of its own. `hear` is told its events."""

    def __init__(self, folder: Path, env: dict[str, str], options: list[str], hear: Callable[[dict], None] = lambda _: None):
        self.profile = folder / "profile"
        self.profile.mkdir(parents=True, exist_ok=True)
        program = find_program("chromium", "chromium-browser")
        command = [program, *QUIET, f"--user-data-dir={self.profile}", *options, "about:blank"]
        super().__init__(Program(command, env, folder / "chromium.log"))
        try:
            port, path = wait_until(self._door, START, "Chromium's debugging port")
            self.wire = Wire(f"ws://127.0.0.1:{port}{path}", hear)
            self.version = self.ask("Browser.getVersion")["product"].split("/")[-1]
        except BaseException:
            self.end()
            raise

    def _door(self) -> list[str] | None:
        if self.program.process.poll() is not None:
            raise Missing(f"Chromium ended: {self.program.said()[-2000:]}")
        try:
            lines = (self.profile / "DevToolsActivePort").read_text().splitlines()
        except OSError:
            return None
        return lines if len(lines) == 2 else None

    def ask(self, method: str, session: str | None = None, seconds: float = ANSWER, **params) -> dict:
        """Sends a command and waits for its answer."""
        return self.wire.ask(method, params, seconds, **({"sessionId": session} if session else {}))


class Page:
    """One page, wherever it is shown."""

    def __init__(self, chromium: Chromium, target: str):
        self.chromium, self.target = chromium, target
        self.session = chromium.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def ask(self, method: str, **params) -> dict:
        """A command for this page."""
        return self.chromium.ask(method, self.session, **params)

    def tell(self, method: str, **params) -> Future:
        """A command whose answer nobody waits for, or not yet."""
        return self.chromium.wire.send(method, params, sessionId=self.session)

    def start(self, expression: str, **where) -> Future:
        """Evaluates, as if a person had clicked; the future has the value
        once the promise is settled."""
        how = {"userGesture": True, "awaitPromise": True, "returnByValue": True}
        answer = self.tell("Runtime.evaluate", expression=expression, **how, **where)
        value = Future()

        def settle(done):
            if error := done.exception():
                return value.set_exception(error)
            result = done.result()
            if "exceptionDetails" in result:
                return value.set_exception(Missing(f"the script failed: {result['exceptionDetails']}"))
            return value.set_result(result["result"].get("value"))

        answer.add_done_callback(settle)
        return value

    def evaluate(self, expression: str, seconds: float = ANSWER, **where):
        """The value of an expression."""
        return waited(self.start(expression, **where), expression, seconds)

    def dark(self, dark: bool):
        """Has the page in dark or light colours."""
        value = "dark" if dark else "light"
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def picture(self, path: Path) -> Path:
        """What is to be seen of it."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))
        return path

    def to_front(self):
        """Shows it instead of the other tabs."""
        self.chromium.ask("Target.activateTarget", targetId=self.target)

    def close(self):
        """Closes it."""
        self.chromium.ask("Target.closeTarget", targetId=self.target)
