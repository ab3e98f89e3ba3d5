"""A plug-in of pytest's that makes our pipe the security key of python-fido2's
own `tests/device`. Loaded with `-p plugin` before the suite, which then finds
one USB device; where it asks a person to pull it out and plug it in again,
the program is ended and started.
"""

import os
import queue
from pathlib import Path

import fido2.hid
import pytest
from device import PATIENCE, Device
from fido2.hid.base import CtapHidConnection, HidDescriptor
from packets import SIZE, Packets

DEVICE = Device(Path(os.environ["CABLECAR_CTAP_STATE"]))
DESCRIPTOR = HidDescriptor("cablecar-ctap", 0, 0, SIZE, SIZE, "cablecar-phone ctap", None)


class Connection(CtapHidConnection):
    """Packets to and from the pipe."""

    def __init__(self, _=DESCRIPTOR):
        self._arrived: queue.Queue = queue.Queue()
        self._packets = Packets(DEVICE, self._arrived.put)

    def read_packet(self) -> bytes:
        if not (packet := self._arrived.get(timeout=PATIENCE)):
            raise OSError(f"the authenticator is gone: {DEVICE.said()}")
        return packet

    def write_packet(self, data: bytes):
        self._packets.take(data)

    def close(self):
        pass


def list_descriptors() -> list[HidDescriptor]:
    """The one device, while it is plugged in."""
    if DEVICE.process and DEVICE.over:
        pytest.exit(f"the authenticator is gone: {DEVICE.said()}", returncode=3)
    return [DESCRIPTOR] if DEVICE.process else []


fido2.hid.list_descriptors = list_descriptors
fido2.hid.get_descriptor = lambda _: DESCRIPTOR
fido2.hid.open_connection = Connection


def pytest_sessionstart():
    DEVICE.plug_in()


def pytest_collection_modifyitems():
    from tests.device import Printer

    Printer.remove = lambda *_, **__: DEVICE.pull_out()
    Printer.insert = lambda *_, **__: DEVICE.plug_in()
    Printer.print = lambda *_: None


def pytest_unconfigure():
    if DEVICE.process:
        DEVICE.pull_out()
