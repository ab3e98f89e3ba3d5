"""Pictures for the docs: what a person sees at Chromium."""

import itertools
import subprocess
from pathlib import Path

from lab.display import wait_until
from scene import SHOWN, Scene


def take(folder: Path) -> str:
    """The code's dialog as our phone is on its way, and the page afterwards.
    By the time anybody sees them, the code is dead."""
    folder.mkdir(parents=True, exist_ok=True)
    with Scene() as scene:
        passkey = scene.register()
        call = scene.ask("get", scene.site.request([passkey]))
        code = scene.code(call)
        shrink(code, folder / "chromium-code.png")
        scan = scene.scan(code, consent="after=8000")
        scan.wait_for(lambda event: event.get("event") == "asked")
        # The dialog says what to do, and no longer that it connects.
        connected = "UI step: kCableV2Connected"
        wait_until(
            lambda: connected in scene.chromium.said().rpartition("UI step: kCableV2QRCode")[2],
            SHOWN,
            connected,
        )
        shrink(still(scene), folder / "chromium-asked.png")
        scene.site.signed_in(call.response())
        scan.expect(0)
        shrink(still(scene), folder / "chromium-done.png")
    return f"in {folder}"


def still(scene: Scene) -> Path:
    """A picture of the screen as soon as nothing moves there."""
    numbers, before = itertools.count(), []

    def look():
        picture = scene.display.picture(scene.lab.folder / f"still-{next(numbers)}.png")
        # Of the pixels; a file of them also says when it was written.
        command = ["identify", "-format", "%#", str(picture)]
        before.append(
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=SHOWN).stdout
        )
        return picture if before[-1:] == before[-2:-1] else None

    return wait_until(look, SHOWN, "a screen on which nothing moves")


def shrink(picture: Path, to: Path):
    """Few colours, and no more of the screen than Chromium's window."""
    command = [
        "convert",
        str(picture),
        "-trim",
        "+repage",
        "-strip",
        "+dither",
        "-colors",
        "48",
        f"PNG8:{to}",
    ]
    subprocess.run(command, check=True, timeout=60)
