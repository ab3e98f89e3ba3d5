"""Chromium as people run it: its window on a display of its own."""

import subprocess
from pathlib import Path

from lab import devtools
from lab.display import START, Display, find_program, wait_until
from lab.wire import ANSWER
from websockets.exceptions import ConnectionClosed


class Chromium(devtools.Chromium):
    """One that trusts the lab, and comes to the lab's relay."""

    def __init__(
        self, folder: Path, env: dict[str, str], display: Display, connect_to: str, ca_file: Path,
        size: tuple[int, int] = (1100, 900),
    ):  # fmt: skip
        env = env | {"DISPLAY": display.name}
        self._trust(env, ca_file)
        options = [
            "--disable-quic",
            "--no-default-browser-check",
            "--password-store=basic",
            "--ozone-platform=x11",
            f"--window-size={size[0]},{size[1]}",
            "--window-position=20,20",
            "--enable-logging=stderr",
            "--vmodule=device_event_log*=1",
            f"--host-resolver-rules=MAP {connect_to}",
        ]
        super().__init__(folder, env, options)

    def _trust(self, env: dict[str, str], ca_file: Path):
        """Puts the lab's authority where Chromium on Linux looks for a
        person's own."""
        store = Path(env["HOME"]) / ".pki" / "nssdb"
        store.mkdir(parents=True)
        tool = [find_program("certutil"), "-d", f"sql:{store}"]
        for command in ["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "lab", "-i", str(ca_file)]:
            subprocess.run([*tool, *command], env=env, check=True, timeout=ANSWER, capture_output=True)

    def tab(self, address: str) -> devtools.Page:
        """A new tab in front of the others, loaded and ready."""
        tab = devtools.Page(self, self.ask("Target.createTarget", url=address)["targetId"])
        ready = "document.readyState === 'complete' && !!window.ready"
        wait_until(lambda: tab.evaluate(ready), START, f"page {address}")
        return tab

    def end(self):
        """Ends it as closing the last window would."""
        if self.wire:
            try:
                self.wire.send("Browser.close", {})
                self.program.process.wait(10)
            except (subprocess.TimeoutExpired, ConnectionClosed, OSError):
                pass
        super().end()
