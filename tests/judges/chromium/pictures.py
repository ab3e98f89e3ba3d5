"""Pictures for the docs: what a person sees at Chromium."""

import subprocess
import time
from pathlib import Path

from scene import Scene


def take(folder: Path) -> str:
    """The code's dialog as our phone is on its way, and the page afterwards.
    By the time anybody sees them, the code is dead."""
    folder.mkdir(parents=True, exist_ok=True)
    with Scene() as scene:
        passkey = scene.register()
        call = scene.ask("get", scene.site.request([passkey]))
        code = scene.code(call)
        shrink(code, folder / "chromium-code.png")
        scan = scene.scan(code, consent="after=6000")
        scan.wait_for(lambda event: event.get("event") == "asked")
        time.sleep(3.0)  # until the dialog says what to do, not that it connects
        shrink(scene.screen(scene.lab.folder / "asked.png"), folder / "chromium-asked.png")
        scene.site.signed_in(call.response())
        scan.expect(0)
        shrink(scene.screen(scene.lab.folder / "done.png"), folder / "chromium-done.png")
    return f"in {folder}"


def shrink(picture: Path, to: Path):
    """Few colours, and no more of the screen than Chromium's window."""
    command = ["convert", str(picture), "-trim", "+repage", "-strip", "+dither", "-colors", "48", f"PNG8:{to}"]
    subprocess.run(command, check=True, timeout=60)
