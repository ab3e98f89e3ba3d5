#!/usr/bin/env python3
"""The page of `--show page`, in Chromium without a window.

    tests/run page
    target/judges/venv/bin/python tests/judges/page/run.py [--picture FILE] [CASE...]

The computer opens it as it opens any browser, by $BROWSER; what it would open
is opened in a Chromium that can be asked what is to be seen, and by whom. The
phone reads the code off a picture of it. axe-core, from npm, looks for
barriers at each stage, in light and in dark. Strangers knock.
"""

import argparse
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.display import Display, Program, find_program, shrink, wait_until
from lab.verdict import Skipped, judge
from scene import AXE, HEADING, LAST, PATIENCE, check, desk, no_barriers, no_code
from strangers import another_user, strangers
from website import website
from wiped import wiped

COLOURS = 24


def sign_in(dark: bool, picture: Path | None = None) -> str:
    """A sign-in with eyes on the page from its beginning to its end."""
    if not AXE.exists():
        raise Skipped(f"no axe-core at {AXE}")
    with desk() as (one, eyes):
        computer = one.get()
        page = eyes.page(one.url(), dark)
        page.wait_for("scan the code with the phone")
        page.wait_for("the next one in 4:")
        check(page.text().startswith(HEADING), f"it begins with {page.text()[:80]!r}")
        no_barriers(page, "with a code")
        seen = page.picture(one.lab.folder / "page.png")
        if picture:
            shrink(seen, picture, COLOURS)
        # Off the picture, as a camera would.
        scan = one.phone.scan(seen, relay=one.relay, consent="after=4000")
        page.wait_for("confirm on the phone")
        no_code(page, "with a phone there")
        no_barriers(page, "as the phone asks")
        one.site.signed_in(computer.result())
        page.wait_for(LAST)
        no_code(page, "at the end")
        no_barriers(page, "at the end")
        scan.expect(0)
        check(computer.lines[-1].endswith(LAST), f"the last line is {computer.lines[-1]!r}")
        check(not any("FIDO:/" in line or "127.0.0.1" in line for line in computer.lines), "the terminal has the code too")
        # The icon that nobody has is the one thing that browsers ask for unasked.
        wrong = [said for said in page.complaints() if "favicon.ico" not in said]
        check(not wrong, f"the browser complains: {wrong}")
    return "0 violations at 3 stages"


def no_scripts() -> None:
    """All that matters comes to a browser without scripts, in a window as
    people have it: its title says how far it is."""
    with desk(eyes=False) as (one, _):
        display = Display(one.lab.folder, one.lab.env, width=1000, height=1100)
        env = one.lab.env | {"DISPLAY": display.name}
        computer = one.get()
        command = [
            find_program("chromium", "chromium-browser"), "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--ozone-platform=x11", "--blink-settings=scriptEnabled=false", "--window-size=900,1000",
            f"--user-data-dir={one.lab.folder / 'window'}", f"--app={one.url()}",
        ]  # fmt: skip
        window = Program(command, env, one.lab.folder / "window.log")
        look = ["xdotool", "search", "--onlyvisible", "--name", HEADING, "getwindowname"]

        def title(text: str):
            found = lambda: text in subprocess.run(look, env=env, capture_output=True, text=True, check=False).stdout  # noqa: E731
            wait_until(found, PATIENCE, f"{text!r} in the window's title")

        try:
            title("Scan the code")
            screen = one.lab.folder / "window.png"
            wait_until(lambda: display.codes(screen), PATIENCE, "a code in the window")
            scan = one.phone.scan(screen, relay=one.relay, consent="after=3000")
            title("Confirm on the phone")
            wait_until(lambda: not display.codes(screen), PATIENCE, "a window without the code")
            one.site.signed_in(computer.result())
            title(LAST.partition(";")[0])
            scan.expect(0)
        finally:
            window.end()
            display.end()


def by_ear() -> None:
    """A person who does not see it: names, roles, a live region, the keyboard,
    and the code as text behind a button."""
    with desk() as (one, eyes):
        computer = one.get()
        page = eyes.page(one.url())
        page.wait_for("scan the code with the phone")
        check([n["name"] for n in page.nodes("image")] == ["QR code for the phone"], f"images: {page.nodes('image')}")
        check([n["name"] for n in page.nodes("heading")] == [HEADING], f"headings: {page.nodes('heading')}")
        live = [node for node in page.nodes("status") if node.get("live") == "polite"]
        check(len(live) == 2, f"live regions: {page.nodes('status')}")
        check("FIDO:/" not in page.text(), "the code's text is read out unasked")
        page.press("Tab", 9)
        focused = "document.activeElement.tagName"
        check(page.evaluate(focused) == "SUMMARY", f"the keyboard comes to {page.evaluate(focused)}")
        page.press("Enter", 13)
        page.wait_for("FIDO:/")
        no_barriers(page, "with the text open")
        code = re.search(r"FIDO:/\d+", page.text()).group()
        scan = one.phone.scan(code, relay=one.relay, consent="after=2000")
        page.wait_for("confirm on the phone")
        # The focus was on what is gone; it must not be lost.
        check(page.evaluate("document.activeElement.id") == "stage", "the focus is lost with the code")
        check("Confirm on the phone" in page.evaluate("document.title"), "the title does not say how far it is")
        one.site.signed_in(computer.result())
        page.wait_for(LAST)
        scan.expect(0)


def stopped() -> None:
    """However it ends, the page says so, and the code goes."""
    with desk(registered=False) as (one, eyes):
        for number, says in ((signal.SIGINT, "Stopped"), (signal.SIGKILL, "This page is no longer connected")):
            one.opened.unlink(missing_ok=True)
            computer = one.get()
            page = eyes.page(one.url())
            page.wait_for("scan the code with the phone")
            computer.process.send_signal(number)
            page.wait_for(says)
            no_code(page, f"after {number.name}")
            computer.wait()


def no_browser() -> None:
    """Where no browser can be opened, the person is told where the page is."""
    with desk() as (one, eyes):
        for browser in ("false", "/no/such/browser"):
            computer = one.get(browser)
            line = computer.line(lambda line: "http://127.0.0.1:" in line)
            page = eyes.page(re.search(r"http://\S+", line).group())
            page.wait_for("scan the code with the phone")
            scan = one.phone.scan(page.picture(one.lab.folder / "page.png"), relay=one.relay)
            one.site.signed_in(computer.result())
            scan.expect(0)


def main() -> int:
    """Runs the cases."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("cases", nargs="*", metavar="CASE")
    asked.add_argument("--picture", type=Path, metavar="FILE", help="leave a picture for the docs there")
    asked = asked.parse_args()
    cases = {
        "light": lambda: sign_in(dark=False, picture=asked.picture),
        "dark": lambda: sign_in(dark=True),
        "no-scripts": no_scripts,
        "by-ear": by_ear,
        "strangers": strangers,
        "another-user": another_user,
        "stopped": stopped,
        "no-browser": no_browser,
        "wiped": wiped,
        "website": website,
    }
    return judge(cases, asked.cases)


if __name__ == "__main__":
    sys.exit(main())
