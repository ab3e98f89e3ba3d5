"""A display that nobody sees, and programs with windows on it."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

START = 60.0
"""Seconds for a program to be there, on a machine with other things to do."""
PICTURE = 30.0
"""Seconds for a picture of the screen."""


class Missing(Exception):
    """Something that had to come did not."""


def wait_until(look: Callable, seconds: float, what: str):
    """What `look` gives, as soon as it gives something. The pauses between
    two looks grow to a twentieth of a second."""
    deadline, pause = time.monotonic() + seconds, 0.005
    while not (found := look()):
        if time.monotonic() > deadline:
            raise Missing(f"{what} did not come in {seconds:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return found


def find_program(*names: str) -> str:
    """The first of these programs that is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise Missing(f"missing: {names[0]}")


class Program:
    """A program and all that it starts, in a process group of its own, with
    what it says in a file."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path, **options):
        self.log = log
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                **options,
            )

    def said(self) -> str:
        """All that it printed."""
        return self.log.read_text(errors="replace")

    def end(self, seconds: float = 10.0):
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
    """An X display that nobody sees, with a window manager: without one a
    browser's dialogs are not placed where a person would see them."""

    def __init__(self, folder: Path, env: dict[str, str], width: int = 1280, height: int = 1000):
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
            # A window that comes while the window manager starts can stay
            # hidden for ever; it says itself when it is there.
            there = folder / "openbox.there"
            openbox = [find_program("openbox"), "--sm-disable", "--startup", f"touch {shlex.quote(str(there))}"]
            self.programs.append(Program(openbox, self.env | {"DISPLAY": self.name}, folder / "openbox.log"))
            wait_until(there.exists, START, "a window manager")
        except BaseException:
            self.end()
            raise

    def _number(self, pipe) -> str:
        if self.programs[0].process.poll() is not None:
            raise Missing(f"Xvfb ended: {self.programs[0].said()}")
        return (pipe.read() or b"").decode().strip()

    def picture(self, path: Path) -> Path:
        """All that is to be seen, as a PNG file."""
        command = [find_program("import"), "-display", self.name, "-window", "root", str(path)]
        subprocess.run(command, env=self.env, check=True, timeout=PICTURE, capture_output=True)
        return path

    def still(self, path: Path) -> Path:
        """The same as soon as nothing moves there."""
        seen: list[str] = []

        def look():
            # Of the pixels; a file of them also says when it was written.
            command = ["identify", "-format", "%#", str(self.picture(path))]
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PICTURE)
            seen.append(done.stdout)
            return len(seen) > 1 and seen[-1] == seen[-2]

        wait_until(look, START, "a screen on which nothing moves")
        return path

    def codes(self, path: Path) -> list[str]:
        """The FIDO codes that are to be seen once nothing moves; the picture
        stays in `path`. A dialog fades in: zbar reads the ghost of a code that
        no person would scan. Reading it is the phone's business."""
        return self._look(self.picture(path)) and self._look(self.still(path))

    def _look(self, picture: Path) -> list[str]:
        command = [find_program("zbarimg"), "--quiet", "--raw", "-Sdisable", "-Sqr.enable", str(picture)]
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PICTURE).stdout
        return [text for text in said.split() if text.startswith("FIDO:/")]

    def end(self):
        """Ends the window manager, then the display."""
        for program in reversed(self.programs):
            program.end()


def shrink(picture: Path, to: Path, colours: int):
    """For the docs: few colours, and no more of the screen than a window."""
    command = ["convert", str(picture), "-trim", "+repage", "-strip", "+dither", "-colors", str(colours), f"PNG8:{to}"]
    subprocess.run(command, check=True, timeout=PICTURE)
