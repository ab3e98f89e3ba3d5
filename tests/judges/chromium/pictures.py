"""Pictures for the docs: what a person sees at Chromium."""

from pathlib import Path

from lab.display import shrink, wait_until
from scene import SHOWN, Scene

COLOURS = 48


def take(folder: Path) -> str:
    """The code's dialog as our phone is on its way, and the page afterwards.
    By the time anybody sees them, the code is dead."""
    folder.mkdir(parents=True, exist_ok=True)
    with Scene() as scene:
        passkey = scene.register()
        call = scene.ask("get", scene.site.request([passkey]))
        code = scene.code(call)
        shrink(code, folder / "chromium-code.png", COLOURS)
        scan = scene.scan(code, consent="after=8000")
        scan.wait_for(lambda event: event.get("event") == "asked")
        # The dialog says what to do, and no longer that it connects.
        connected = "UI step: kCableV2Connected"
        wait_until(
            lambda: connected in scene.chromium.said().rpartition("UI step: kCableV2QRCode")[2],
            SHOWN,
            connected,
        )
        shrink(scene.display.still(scene.lab.folder / "asked.png"), folder / "chromium-asked.png", COLOURS)
        scene.site.signed_in(call.response())
        scan.expect(0)
        shrink(scene.display.still(scene.lab.folder / "done.png"), folder / "chromium-done.png", COLOURS)
    return f"in {folder}"

