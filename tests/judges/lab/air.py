"""A private bus with a mock BlueZ on it, and the lab's hand on the air."""

import json
import select
import subprocess
import sys
import time
from pathlib import Path

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""
PATIENCE = 20.0


class Broken(Exception):
    """The lab itself does not work; no verdict about anybody."""


class Bus:
    """A private dbus-daemon. Its socket lies in the folder."""

    def __init__(self, folder: Path):
        self.socket = folder / "bus"
        self.address = f"unix:path={self.socket}"
        config = folder / "bus.conf"
        config.write_text(CONFIG.format(socket=self.socket))
        self.daemon = subprocess.Popen(
            ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", f"--config-file={config}"],
            stdin=subprocess.DEVNULL,
            stderr=(folder / "bus.log").open("w"),
        )
        deadline = time.monotonic() + PATIENCE
        while not self.socket.exists():
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                self.daemon.kill()
                raise Broken(f"dbus-daemon did not start: {(folder / 'bus.log').read_text()}")
            time.sleep(0.01)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(PATIENCE)


class Air:
    """The mock BlueZ of a bus, and what is said over its radio."""

    def __init__(self, bus: Bus, folder: Path):
        self.bus, self.folder = bus, folder
        self.mock = None
        self.start()

    def start(self):
        """Starts BlueZ, with its adapter in and on."""
        self.mock = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("bluez.py")), self.bus.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "bluez.log").open("a"),
            text=True,
        )
        if self._read() != {"ready": True}:
            raise Broken("the mock BlueZ did not start")

    def stop(self):
        """BlueZ is no longer running. `start` brings it back."""
        self.mock.stdin.close()
        self.mock.wait(PATIENCE)

    def hear(self, data: bytes, uuid: int = 0xFFF9, address: str | None = None):
        """Somebody's advert, once."""
        self._do("hear", data=data.hex(), uuid=uuid, address=address)

    def flood(self, count: int, per_second: float, addresses: int = 0, same_data: int = 0):
        """Begins to send forged adverts: from so many addresses, or from ever
        new ones; of so many contents, or of ever new ones."""
        self._do("flood", count=count, per_second=per_second, addresses=addresses, same_data=same_data)

    def flooded(self, timeout: float) -> dict:
        """Waits for the end of the flood: its `count` and `seconds`."""
        return self._do("flooded", timeout=timeout)

    def stop_flood(self):
        """Ends the flood."""
        self._do("stop-flood")

    def adapter(self, **state: bool):
        """Sets `present`, `powered` and `denied`, whichever are named."""
        self._do("adapter", **state)

    def adverts(self) -> list[dict]:
        """What is on the air by the programs: `type`, `uuid`, `data`, `interval`."""
        found = []
        for advert in self._do("adverts"):
            for uuid, data in advert["data"].items():
                short = int(uuid[4:8], 16)
                found.append({**advert, "uuid": short, "data": bytes.fromhex(data)})
        return found

    def discovering(self) -> int:
        """How many programs listen."""
        return self._do("discovering")

    def log(self) -> list[dict]:
        """What happened at BlueZ; `t` is on the clock of `time.monotonic`."""
        return self._do("log")

    def _do(self, order: str, timeout: float = PATIENCE, **more):
        self.mock.stdin.write(json.dumps({"do": order, **more}) + "\n")
        self.mock.stdin.flush()
        answer = self._read(timeout)
        if "error" in answer:
            raise Broken(f"{order}: {answer['error']}")
        return answer["answer"]

    def _read(self, timeout: float = PATIENCE):
        ready, _, _ = select.select([self.mock.stdout], [], [], timeout)
        line = self.mock.stdout.readline() if ready else ""
        if not line:
            raise Broken(f"the mock BlueZ does not answer: {(self.folder / 'bluez.log').read_text()[-2000:]}")
        return json.loads(line)
