"""The key through `/dev/uhid` as the kernel's own header describes it: uhid.c
stands for the kernel, since few machines of this kind have the device."""

import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import hosts
import signing
from fido2.hid.base import parse_report_descriptor
from hosts import begin, expect
from key import LOCK, PING, Host, Key
from lab import Broken, Lab, Relay, Wrong
from lab.display import wait_until

SOURCE = Path(__file__).with_name("uhid.c")
PATIENCE = 30.0
USB, EIO = 3, 5


class KernelKey(Key):
    """A key that was plugged in through what it takes for /dev/uhid."""

    def __init__(self, lab: Lab, relay: Relay | None = None, *_):
        program, library = lab.folder / "uhid", lab.folder / "uhid.so"
        for flags in (["-o", program], ["-shared", "-fPIC", "-o", library]):
            command = [os.environ.get("CC", "cc"), "-Wall", "-Wextra", "-O1", *flags, SOURCE, "-ldl"]
            built = subprocess.run(command, capture_output=True, text=True, check=False)
            if built.returncode != 0:
                raise Broken(f"uhid.c does not compile: {built.stderr}")
        self.lines: list[str] = []
        path = lab.folder / "uhid.socket"
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self.kernel = subprocess.Popen([program, path], stdin=its, stdout=subprocess.PIPE, text=True)
        lab.running.append(Ended(self.kernel))
        threading.Thread(target=self._read, daemon=True).start()
        self.told_kernel("listening")
        env = {"LD_PRELOAD": str(library), "CABLECAR_UHID_SOCKET": str(path)}
        super().__init__(lab, relay, uhid=True, env=env, wire=ours)
        ours.send(b"o")

    def _read(self):
        self.lines.extend(line.rstrip("\n") for line in self.kernel.stdout)

    def told_kernel(self, pattern: str) -> re.Match:
        """What it has written, by the kernel's reading."""
        find = lambda: next(filter(None, (re.fullmatch(pattern, line) for line in list(self.lines))), None)  # noqa: E731
        wait_until(find, PATIENCE, f"{pattern} at the kernel, which heard {self.lines}")
        return find()

    def stop(self):
        """Pulls it out, and the kernel hears of it before the file is closed."""
        super().stop()
        self.told_kernel("destroy")
        if self.kernel.wait(PATIENCE) != 0:
            raise Wrong(f"the kernel ended with {self.kernel.returncode}: {self.lines}")


class Ended:
    """A process of the lab's that is ended with it."""

    def __init__(self, process: subprocess.Popen):
        self.process = process

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def created(key: KernelKey) -> str:
    """What the kernel reads of it is what hosts look for."""
    said = key.told_kernel(r"create name=(.+) bus=(\d+) vendor=0 product=0 country=0 descriptor=([0-9a-f]+)")
    expect(said[1] == "Cablecar virtual security key", f"its name, not {said[1]}")
    expect(int(said[2]) == USB, "on USB, or libfido2 passes over it")
    # As python-fido2 reads the descriptor of a device.
    sizes = parse_report_descriptor(bytes.fromhex(said[3]))
    expect(sizes == (64, 64), f"64 bytes in both directions, not {sizes}")
    return said[1]


def reports(key: KernelKey):
    """Whoever waits for a reply gets one, and no host is lost over it."""
    host = Host(key)
    key.wire.send(b"g")
    key.told_kernel(f"get-report id=7 err={EIO} size=0")
    key.wire.send(b"s")
    key.told_kernel(f"set-report id=8 err={EIO}")
    host.send(PING, b"once")
    host.expect((PING, b"once"))
    key.wire.send(b"w")  # the same again, by another way
    key.told_kernel("set-report id=9 err=0")
    host.expect((PING, b"once"))


def closed(key: KernelKey):
    """The last host closes it: what it wanted is withdrawn, and its lock is gone."""
    host = Host(key)
    host.send(LOCK, b"\x0a")
    host.expect((LOCK, b""))
    begin(host)
    key.code()
    key.wire.send(b"c")
    key.wait_for("withdrawn")
    key.wire.send(b"o")
    other = Host(key)
    other.expect_silence()
    begin(other)
    key.code()


def killed(key: KernelKey):
    """Stopped while a host waits: the kernel is told all the same."""
    begin(Host(key))
    key.code()


def with_kernel(case):
    """The case with a key that the kernel has."""
    return hosts.with_key(case, KernelKey)


CASES = {
    "uhid-created": with_kernel(created),
    "uhid-info": with_kernel(hosts.info),
    "uhid-ping": with_kernel(hosts.ping),
    "uhid-reports": with_kernel(reports),
    "uhid-closed": with_kernel(closed),
    "uhid-stopped": with_kernel(killed),
    "uhid-sign-in": signing.with_world(signing.sign_in, KernelKey),
}
