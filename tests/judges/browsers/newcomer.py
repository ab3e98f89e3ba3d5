"""A newcomer on Debian with Firefox, who types what the README says."""

import contextlib
import os
import re
import shlex
import subprocess
from pathlib import Path

from firefox import Firefox
from lab import Lab, Wrong
from lab.display import Program, wait_until
from lab.programs import ROOT, program
from scene import SHOWN, WINDOW, switch_on

SECTION = "## In your browser"
TYPED = {
    'cargo build --release && export PATH="$PWD/target/release:$PATH"': None,
    "cablecar install browser": "install",
    "cargo run --release --bin demo -- --web": None,
}
"""What the section has to say, in this order, each line by its beginning."""


def typed() -> dict[str, str]:
    """The section's commands."""
    text = (ROOT / "README.md").read_text()
    section = text[text.index(SECTION) :].split("\n## ")[0]
    lines = re.findall(r"^\$ (.*)$", section, re.MULTILINE)
    if [next((one for one in TYPED if line.startswith(one)), line) for line in lines] != list(TYPED):
        raise Wrong(f"README, {SECTION}: {lines}")
    return dict(zip(TYPED, lines, strict=True))


def settings(said: str) -> dict[str, str]:
    """What the demo says that the browser's environment must have."""
    return dict(re.findall(r"^ +export (\w+)=(\S+)$", said, re.MULTILINE))


def newcomer(_engine: str) -> str:
    """Installs, switches on, opens the demo's website, scans, and is signed in."""
    commands = typed()
    demo = Path(os.environ.get("CABLECAR_DEMO", ROOT / "target/release/demo"))
    if not demo.exists():
        raise Wrong(f"{demo} is not there: cargo build --release")
    with contextlib.ExitStack() as exit, Lab(radio=False) as lab:
        folder = str(Path(program("cablecar")).parent)
        env = lab.env | {"PATH": f"{folder}:{os.environ['PATH']}"}
        install = commands["cablecar install browser"]
        done = subprocess.run(["bash", "-c", install], env=env, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise Wrong(f"{install}: {done.stdout} {done.stderr}")
        words = shlex.split(install)
        extension = Path(words[words.index("--extension-to") + 1].replace("~", env["HOME"]))

        serving = Program([str(demo), "--web", "--port", "0"], env, lab.folder / "demo.log")
        exit.callback(serving.end)
        wait_until(lambda: "Bluetooth at both" in serving.said(), SHOWN, "the demo's words")
        said = serving.said()
        phone = lab.phone()

        firefox = Firefox(lab.folder / "firefox", env | settings(said), [extension])
        exit.callback(firefox.end)
        page = firefox.open(re.search(r"^ +firefox (\S+)$", said, re.MULTILINE).group(1))
        wait_until(lambda: page.evaluate("!!document.querySelector('#register button')"), SHOWN, "the website")
        switch_on(firefox, page)

        scan = shlex.split(re.search(r"^ +cablecar-phone (scan .*)$", said, re.MULTILINE).group(1))
        for form, told in (("register", "alice has a passkey here"), ("sign-in", "alice is signed in")):
            page.click(f"#{form} button")
            text = "document.querySelector('#with-code:not([hidden]) #text')?.textContent"
            code = wait_until(lambda: (window := firefox.find(WINDOW)) and window.evaluate(text), SHOWN, "a code")
            phone.start(*scan, "--danger-consent", "allow", stdin=code + "\n").expect(0)
            said = "document.querySelector('#said').textContent"
            wait_until(lambda told=told: told in page.evaluate(said), SHOWN, f"the page to say {told!r}")
            wait_until(lambda: not firefox.shows(WINDOW), SHOWN, "the extension's window to go")
        if (what := page.evaluate("document.querySelector('#what').textContent")).find("a phone was used") < 0:
            raise Wrong(f"the website says: {what}")
    return "signed in"


CASES = {"newcomer": newcomer}
ONLY = {"newcomer": ["firefox"]}
