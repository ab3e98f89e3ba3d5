"""The line to a browser: commands and events as JSON over a websocket, which
is what the DevTools protocol and WebDriver BiDi have in common."""

import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

from lab.display import START, Missing, Program
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

ANSWER = 60.0
"""Seconds for an answer of a browser's, other than that of a page's promise."""


class Wire:
    """One line. `hear` is told events."""

    def __init__(self, address: str, hear: Callable[[dict], None] = lambda _: None):
        self.calls, self.waiting, self.hear = itertools.count(1), {}, hear
        self.socket = connect(address, max_size=None, open_timeout=START, proxy=None, ping_interval=None)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            for text in self.socket:
                message = json.loads(text)
                answer = self.waiting.pop(message.get("id"), None)
                if answer is None:
                    self._heard(message)
                elif "error" in message:
                    answer.set_exception(Missing(f"the browser refuses: {str(message)[:600]}"))
                else:
                    answer.set_result(message["result"])
        except ConnectionClosed:
            pass
        for answer in list(self.waiting.values()):
            answer.set_exception(Missing("the line to the browser closed"))

    def _heard(self, event: dict):
        # Chromium answers nothing that a page was asked which closed meanwhile.
        if event.get("method") == "Target.detachedFromTarget":
            session = event["params"]["sessionId"]
            for number, answer in list(self.waiting.items()):
                if answer.session == session and self.waiting.pop(number, None):
                    answer.set_exception(Missing("the page has closed"))
        self.hear(event)

    def send(self, method: str, params: dict, **more) -> Future:
        """Sends a command; its answer comes in the future."""
        number, answer = next(self.calls), Future()
        answer.session = more.get("sessionId")
        self.waiting[number] = answer
        self.socket.send(json.dumps({"id": number, "method": method, "params": params, **more}))
        return answer

    def ask(self, method: str, params: dict, seconds: float = ANSWER, **more) -> dict:
        """Sends a command and waits for its answer."""
        return waited(self.send(method, params, **more), method, seconds)

    def close(self):
        """Hangs up."""
        self.socket.close()
        self.reader.join(ANSWER)


class Browser:
    """A browser's program, and the line to it once there is one."""

    wire: Wire | None = None

    def __init__(self, program: Program):
        self.program = program

    def said(self) -> str:
        """Its log."""
        return self.program.said()

    def end(self):
        """Ends it."""
        if self.wire:
            self.wire.close()
        self.program.end()


def waited(answer: Future, what: str, seconds: float = ANSWER):
    """The answer, within a bound."""
    try:
        return answer.result(seconds)
    except NotYet:
        raise Missing(f"the answer to {what[:300]} did not come in {seconds:g} s") from None
