"""Chromium as people run it: its window on a display of its own, and the
debugging protocol beside it, which does what people would do with a mouse.
"""

import itertools
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

START = 60.0
"""Seconds for a program to be there, on a machine with other things to do."""
ANSWER = 30.0
"""Seconds for an answer of Chromium's, other than that of a page's promise."""


class Missing(Exception):
    """Something that had to come did not."""


def wait_until(look, seconds, what):
    """What `look` gives, as soon as it gives something. The pauses between
    two looks grow to a twentieth of a second."""
    deadline, pause = time.monotonic() + seconds, 0.005
    while not (found := look()):
        if time.monotonic() > deadline:
            raise Missing(f"{what} did not come in {seconds:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return found


def find_program(*names):
    """The first of these programs that is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise Missing(f"missing: {names[0]}")


class Program:
    """A program and all that it starts, in a process group of its own, with
    what it says in a file."""

    def __init__(self, command, env, log, **options):
        self.name = Path(command[0]).name
        self.log = Path(log)
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, **options
            )

    def said(self):
        return self.log.read_text(errors="replace")

    def end(self, seconds=10.0):
        """Asks it to end, then ends the whole group."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Display:
    """An X display that nobody sees, with a window manager: without one
    Chromium's dialogs are not placed where a person would see them."""

    def __init__(self, folder, env, width=1280, height=1000):
        self.env = env
        reader, writer = os.pipe()
        xvfb = [find_program("Xvfb"), "-displayfd", str(writer), "-screen", "0", f"{width}x{height}x24"]
        self.programs = [Program([*xvfb, "-nolisten", "tcp"], env, folder / "xvfb.log", pass_fds=[writer])]
        os.close(writer)
        try:
            os.set_blocking(reader, False)
            with open(reader, "rb", buffering=0) as pipe:
                number = wait_until(lambda: self._number(pipe), START, "a display of Xvfb's")
            self.name = f":{number}"
            openbox = [find_program("openbox"), "--sm-disable"]
            self.programs.append(Program(openbox, self.env | {"DISPLAY": self.name}, folder / "openbox.log"))
        except BaseException:
            self.end()
            raise

    def _number(self, pipe):
        if self.programs[0].process.poll() is not None:
            raise Missing(f"Xvfb ended: {self.programs[0].said()}")
        return (pipe.read() or b"").decode().strip()

    def picture(self, path):
        """All that is to be seen, as a PNG file."""
        command = [find_program("import"), "-display", self.name, "-window", "root", str(path)]
        subprocess.run(command, env=self.env, check=True, timeout=ANSWER, capture_output=True)
        return path

    def end(self):
        for program in reversed(self.programs):
            program.end()


class Chromium:
    """One Chromium with a profile of its own."""

    def __init__(self, folder, env, display, flags=(), size=(1100, 900), connect_to=None, ca_file=None):
        self.folder = Path(folder)
        self.display = display
        profile = self.folder / "profile"
        profile.mkdir(parents=True)
        env = env | {"DISPLAY": display.name}
        if ca_file:
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
            *([f"--host-resolver-rules=MAP {connect_to}"] if connect_to else []),
            *flags,
            "about:blank",
        ]
        self.program = Program(command, env, self.folder / "chromium.log")
        self.calls, self.waiting, self.sessions = itertools.count(1), {}, {}
        self.socket, self.reader = None, None
        try:
            port, path = wait_until(lambda: self._door(profile), START, "Chromium's debugging port")
            self.socket = connect(f"ws://127.0.0.1:{port}{path}", max_size=None, open_timeout=START, proxy=None)
            self.port = port
            self.reader = threading.Thread(target=self._read, daemon=True)
            self.reader.start()
            self.version = self.ask("Browser.getVersion")["product"].split("/")[-1]
        except BaseException:
            self.end()
            raise

    def _trust(self, env, ca_file):
        """Puts the lab's authority where Chromium on Linux looks for a
        person's own."""
        store = Path(env["HOME"]) / ".pki" / "nssdb"
        if not store.exists():
            store.mkdir(parents=True)
            tool = [find_program("certutil"), "-d", f"sql:{store}"]
            for command in ["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "lab", "-i", str(ca_file)]:
                subprocess.run([*tool, *command], env=env, check=True, timeout=ANSWER, capture_output=True)

    def _door(self, profile):
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

    def send(self, method, session=None, **params):
        """Sends a command; its answer comes in the future."""
        number, answer = next(self.calls), Future()
        self.waiting[number] = answer
        message = {"id": number, "method": method, "params": params}
        self.socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return answer

    def ask(self, method, session=None, seconds=ANSWER, **params):
        """Sends a command and waits for its answer."""
        try:
            return self.send(method, session, **params).result(seconds)
        except NotYet:
            raise Missing(f"Chromium's answer to {method} did not come in {seconds:g} s") from None

    def tab(self, address):
        """A new tab in front of the others, loaded and ready."""
        target = self.ask("Target.createTarget", url=address)["targetId"]
        tab = Tab(self, target)
        wait_until(lambda: tab.evaluate("document.readyState === 'complete' && !!window.ready"), START, f"page {address}")
        return tab

    def said(self):
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

    def __init__(self, chromium, target):
        self.chromium, self.target = chromium, target
        self.session = chromium.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def start(self, expression):
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

    def evaluate(self, expression, seconds=ANSWER):
        """The value of an expression."""
        try:
            return self.start(expression).result(seconds)
        except NotYet:
            raise Missing(f"the page's answer to {expression} did not come in {seconds:g} s") from None

    def to_front(self):
        self.chromium.ask("Target.activateTarget", targetId=self.target)

    def close(self):
        self.chromium.ask("Target.closeTarget", targetId=self.target)
