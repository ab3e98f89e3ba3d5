"""ssh-agent: no terminal of its own, and a list of libraries that it loads."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lab import Wrong
from lab.verdict import Skipped
from scene import TOKEN, Scene, library, tool

PATIENCE = 60.0
NOBODY = 65534
# Remembers each sentence, and keeps the picture as a person's eyes do.
ASKPASS = """#!/bin/sh
printf '%s\\t%s\\n' "$SSH_ASKPASS_PROMPT" "$1" >>"{log}"
[ -n "$CABLECAR_CODE" ] && cp "$CABLECAR_CODE" "{picture}.new" && mv "{picture}.new" "{picture}"
exec sleep 60
"""
# A browser: it loads the page and keeps it.
BROWSER = """#!{python}
import os, sys, urllib.request
page = urllib.request.urlopen(sys.argv[1]).read()
open("{page}.new", "wb").write(page)
os.rename("{page}.new", "{page}")
"""


class Agent:
    """An agent in the background, as people have it, and one key in it."""

    def __init__(self, scene: Scene, key: Path, env: dict, allowed: str = ""):
        self.socket = scene.lab.folder / "agent"
        self.env = scene.env | env
        # In the foreground it would end with the terminal; here it has none.
        command = ["ssh-agent", "-D", "-a", self.socket, "-P", allowed or library()]
        self.process = scene.without_tty(*command, env=env)
        wait_until(self.socket.exists, "the agent's socket")
        self.env["SSH_AUTH_SOCK"] = str(self.socket)
        add = [tool("ssh-add"), "-q", "-S", library(), key]
        self.added = subprocess.run(add, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def login(self, scene: Scene, server, key: Path) -> subprocess.Popen:
        """A login whose key is in the agent."""
        command = scene.ssh(server, "-i", key.with_suffix(".pub"), "-o", f"IdentityAgent={self.socket}")
        return scene.without_tty(*command)


def wait_until(found, what: str):
    """What `found` gives, once it is something."""
    deadline = time.monotonic() + PATIENCE
    while not (it := found()):
        if time.monotonic() > deadline:
            raise Wrong(f"{what} did not come")
        time.sleep(0.02)
    return it


def let_in(session: subprocess.Popen, what: str):
    """The session ends as it should."""
    out, err = session.communicate(timeout=PATIENCE)
    if out.strip() != TOKEN:
        raise Wrong(f"{what} did not let anybody in: {out!r} {err!r}")


def askpass() -> None:
    """No terminal: askpass says where the picture is, and the phone reads it."""
    with Scene() as scene:
        key = scene.keygen()
        server = scene.server(key.with_suffix(".pub").read_text())
        said, picture, program = (scene.lab.folder / name for name in ("said", "eyes.png", "askpass"))
        program.write_text(ASKPASS.format(log=said, picture=picture))
        program.chmod(0o700)
        agent = Agent(scene, key, {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"})
        if agent.added.returncode != 0:
            raise Wrong(f"the agent does not take the key: {agent.added.stderr}")
        session = agent.login(scene, server, key)
        wait_until(picture.exists, "the picture")
        named = Path(re.search(r"this picture .*: (/\S+)", said.read_text()).group(1))
        if named.parent.stat().st_mode & 0o077:
            raise Wrong("others can look into the folder with the code")
        # Long enough for the sentence to be read.
        scan = scene.scan(picture, "after=1500")
        let_in(session, "the agent")
        scan.expect(0)
        sentences = said.read_text()
        if "Confirm on the phone" not in sentences or "FIDO:/" in sentences:
            raise Wrong(f"askpass was told: {sentences}")
        if not all(line.startswith("none\t") for line in sentences.splitlines()):
            raise Wrong(f"askpass was asked for a password: {sentences}")
        wait_until(lambda: not named.parent.exists(), "the end of the folder with the code")
        wait_until(lambda: not running(program), "the end of askpass")


def running(program: Path) -> list[str]:
    """The processes with this program's name among their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(program).encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
    return found


def other_terminal() -> None:
    """No terminal, but one that is named: the code is shown there."""
    with Scene() as scene:
        key = scene.keygen()
        server = scene.server(key.with_suffix(".pub").read_text())
        window = scene.tty("sleep", "300")
        agent = Agent(scene, key, {"CABLECAR_TTY": window.path})
        session = agent.login(scene, server, key)
        scan = scene.scan(window.code())
        let_in(session, "the agent")
        scan.expect(0)
        window.wait_for("signed by the phone")


def page() -> None:
    """No terminal, but a browser: the code is on a page for it alone."""
    with Scene() as scene:
        key = scene.keygen()
        server = scene.server(key.with_suffix(".pub").read_text())
        shown, program = scene.lab.folder / "page", scene.lab.folder / "browser"
        program.write_text(BROWSER.format(python=sys.executable, page=shown))
        program.chmod(0o700)
        agent = Agent(scene, key, {"BROWSER": str(program)})
        session = agent.login(scene, server, key)
        html = wait_until(lambda: shown.exists() and shown.read_text(), "the page")
        if "Sign in with ssh" not in html:
            raise Wrong(f"the page does not say what it is for: {html[:500]}")
        scan = scene.scan(re.search(r"FIDO:/\d+", html).group(0))
        let_in(session, "the agent")
        scan.expect(0)


def nobody_in_particular() -> None:
    """A user without rights signs, and the page knows its browser for its own."""
    if os.getuid() != 0:
        raise Skipped("this is a user without rights already, and agent-page the same case")
    python, setpriv = "/usr/bin/python3", shutil.which("setpriv")
    if not (Path(python).exists() and setpriv):
        raise Skipped("no setpriv to be another user with, or no python3 for everybody")
    with Scene() as scene:
        key, letter = scene.keygen(), scene.desk / "letter"
        letter.write_text("Dear Sir or Madam")
        shown, program = scene.desk / "page", scene.lab.folder / "browser"
        program.write_text(BROWSER.format(python=python, page=shown))
        program.chmod(0o755)
        provider = shutil.copy(library(), scene.lab.folder)
        scene.lab.folder.chmod(0o755)
        for one in (scene.desk, key, key.with_suffix(".pub"), letter, scene.lab.folder / "home"):
            os.chown(one, NOBODY, NOBODY)
        become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        env = {"BROWSER": str(program), "SSH_SK_PROVIDER": str(provider)}
        signing = scene.without_tty(*become, tool("ssh-keygen"), "-Y", "sign", "-n", "file", "-f", key, letter, env=env)
        wait_until(shown.exists, "the page")
        scan = scene.scan(re.search(r"FIDO:/\d+", shown.read_text()).group(0))
        _, err = signing.communicate(timeout=PATIENCE)
        scan.expect(0)
        if signing.returncode != 0 or not Path(f"{letter}.sig").exists():
            raise Wrong(f"nothing was signed: {err}")


def nowhere() -> None:
    """No terminal, no askpass, no browser: it says so, and what to do."""
    with Scene() as scene:
        key = scene.keygen()
        signing = scene.without_tty("ssh-keygen", "-Y", "sign", "-n", "file", "-f", key, stdin=subprocess.PIPE)
        _, err = signing.communicate("letter", timeout=PATIENCE)
        if signing.returncode == 0 or "(screen.none)" not in err or "CABLECAR_TTY" not in err:
            raise Wrong(f"it said: {err}")


def not_on_the_list() -> None:
    """An agent loads no library that is not on its list."""
    with Scene() as scene:
        key = scene.keygen()
        agent = Agent(scene, key, {}, allowed="/nowhere/*")
        if agent.added.returncode == 0:
            raise Wrong("the agent loads what is not on its list")


CASES = {
    "agent-askpass": askpass,
    "agent-terminal": other_terminal,
    "agent-page": page,
    "not-root": nobody_in_particular,
    "agent-list": not_on_the_list,
    "nowhere": nowhere,
}
