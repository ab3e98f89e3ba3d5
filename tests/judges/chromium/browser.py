"""Chromium as people run it: its window on a display of its own, and the
debugging protocol beside it, which does what people would do with a mouse.
"""

import itertools
import json
import subprocess
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

from lab.display import START, Display, Missing, Program, find_program, wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

ANSWER = 30.0
"""Seconds for an answer of Chromium's, other than that of a page's promise."""


class Chromium:
    """One Chromium with a profile of its own."""

    def __init__(
        self, folder: Path, env: dict[str, str], display: Display, connect_to: str, ca_file: Path,
        size: tuple[int, int] = (1100, 900),
    ):  # fmt: skip
        profile = folder / "profile"
        profile.mkdir(parents=True)
        env = env | {"DISPLAY": display.name}
        self._trust(env, ca_file)
        command = [
            find_program("chromium", "chromium-browser"),
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--password-store=basic",
            "--ozone-platform=x11",
            f"--user-data-dir={profile}",
            "--remote-debugging-port=0",
            f"--window-size={size[0]},{size[1]}",
            "--window-position=20,20",
            "--enable-logging=stderr",
            "--vmodule=device_event_log*=1",
            f"--host-resolver-rules=MAP {connect_to}",
            "about:blank",
        ]
        self.program = Program(command, env, folder / "chromium.log")
        self.calls, self.waiting = itertools.count(1), {}
        self.socket, self.reader = None, None
        try:
            port, path = wait_until(lambda: self._door(profile), START, "Chromium's debugging port")
            self.socket = connect(
                f"ws://127.0.0.1:{port}{path}", max_size=None, open_timeout=START, proxy=None
            )
            self.reader = threading.Thread(target=self._read, daemon=True)
            self.reader.start()
            self.version = self.ask("Browser.getVersion")["product"].split("/")[-1]
        except BaseException:
            self.end()
            raise

    def _trust(self, env: dict[str, str], ca_file: Path):
        """Puts the lab's authority where Chromium on Linux looks for a
        person's own."""
        store = Path(env["HOME"]) / ".pki" / "nssdb"
        store.mkdir(parents=True)
        tool = [find_program("certutil"), "-d", f"sql:{store}"]
        for command in ["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "lab", "-i", str(ca_file)]:
            subprocess.run([*tool, *command], env=env, check=True, timeout=ANSWER, capture_output=True)

    def _door(self, profile: Path) -> list[str] | None:
        if self.program.process.poll() is not None:
            raise Missing(f"Chromium ended: {self.program.said()[-2000:]}")
        try:
            lines = (profile / "DevToolsActivePort").read_text().splitlines()
        except OSError:
            return None
        return lines if len(lines) == 2 else None

    def _read(self):
        try:
            for message in self.socket:
                message = json.loads(message)
                answer = self.waiting.pop(message.get("id"), None)
                if answer is None:
                    continue
                if "error" in message:
                    answer.set_exception(Missing(f"Chromium refuses: {message['error']}"))
                else:
                    answer.set_result(message["result"])
        except ConnectionClosed:
            pass
        for answer in list(self.waiting.values()):
            answer.set_exception(Missing("Chromium's debugging port closed"))

    def send(self, method: str, session: str | None = None, **params) -> Future:
        """Sends a command; its answer comes in the future."""
        number, answer = next(self.calls), Future()
        self.waiting[number] = answer
        message = {"id": number, "method": method, "params": params}
        self.socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return answer

    def ask(self, method: str, session: str | None = None, seconds: float = ANSWER, **params) -> dict:
        """Sends a command and waits for its answer."""
        try:
            return self.send(method, session, **params).result(seconds)
        except NotYet:
            raise Missing(f"Chromium's answer to {method} did not come in {seconds:g} s") from None

    def tab(self, address: str) -> "Tab":
        """A new tab in front of the others, loaded and ready."""
        target = self.ask("Target.createTarget", url=address)["targetId"]
        tab = Tab(self, target)
        ready = "document.readyState === 'complete' && !!window.ready"
        wait_until(lambda: tab.evaluate(ready), START, f"page {address}")
        return tab

    def said(self) -> str:
        """Its log."""
        return self.program.said()

    def end(self):
        """Ends it as closing the last window would."""
        if self.socket:
            try:
                self.send("Browser.close")
                self.program.process.wait(10)
            except (subprocess.TimeoutExpired, ConnectionClosed, OSError):
                pass
            self.socket.close()
        self.program.end()
        if self.reader:
            self.reader.join(ANSWER)


class Tab:
    """One page in a tab."""

    def __init__(self, chromium: Chromium, target: str):
        self.chromium, self.target = chromium, target
        self.session = chromium.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def start(self, expression: str) -> Future:
        """Evaluates as if a person had clicked; the future has the value
        once the promise is settled."""
        answer = self.chromium.send(
            "Runtime.evaluate",
            self.session,
            expression=expression,
            userGesture=True,
            awaitPromise=True,
            returnByValue=True,
        )
        value = Future()

        def settle(done):
            if error := done.exception():
                return value.set_exception(error)
            result = done.result()
            if "exceptionDetails" in result:
                return value.set_exception(Missing(f"the page's script failed: {result['exceptionDetails']}"))
            return value.set_result(result["result"].get("value"))

        answer.add_done_callback(settle)
        return value

    def evaluate(self, expression: str, seconds: float = ANSWER):
        """The value of an expression."""
        try:
            return self.start(expression).result(seconds)
        except NotYet:
            raise Missing(f"the page's answer to {expression} did not come in {seconds:g} s") from None

    def to_front(self):
        """Shows it instead of the other tabs."""
        self.chromium.ask("Target.activateTarget", targetId=self.target)

    def close(self):
        """Closes it."""
        self.chromium.ask("Target.closeTarget", targetId=self.target)
