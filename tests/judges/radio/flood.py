"""Forged adverts by the thousand: little work, no tunnel, and the true phone
is found all the same."""

import contextlib
import os
import time

from lab import Lab, Run, Wrong
from lab.verdict import Skipped
from meeting import scan_arguments, until, world

# An advert of this length takes 376 us on the one channel that a radio
# listens to, so it hears at most about this many a second.
PER_SECOND = 2600
SHORT, LONG = 20_000, 1_000_000
# A machine that cannot send as much says nothing about the rest.
LEAST_PER_SECOND = 2000
MOST_CPU = 0.2
FOUND_WITHIN = 2.0
# Milliseconds for which the computer waits: more than the longest flood takes.
LIFE = 1_800_000
# Between two adverts of a phone.
INTERVAL = 0.1


def cpu_seconds(pid: int) -> float:
    """What a process has used, in user space and in the kernel."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid: int) -> int:
    """What a process holds in memory."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def tunnels(relay) -> int:
    """How many have come to the relay, whether they were let in or not."""
    return relay.run.output.count('"joined"') + relay.run.output.count('"refused"')


def flooded(count: int, addresses: int, same_data: int) -> str:
    """One kind of flood. The phone has a BlueZ of its own, as phones do; what
    it says is carried to the computer's ten times a second."""
    with world() as (lab, relay, _, site), Lab() as far:
        computer = lab.desktop("create", {**site.creation(), "timeout": LIFE}, relay=relay)
        computer.code()
        pid = computer.process.pid
        until("the computer listens", lab.air.discovering)
        used, began, size = cpu_seconds(pid), time.monotonic(), resident_kib(pid)
        lab.air.flood(count, PER_SECOND, addresses, same_data)
        sent = lab.air.flooded(count / PER_SECOND * 4 + 60)
        share = (cpu_seconds(pid) - used) / (time.monotonic() - began)
        grown = resident_kib(pid) - size
        if sent["count"] / sent["seconds"] < LEAST_PER_SECOND:
            raise Skipped(f"this machine sends only {sent['count'] / sent['seconds']:.0f} adverts a second")
        if tunnels(relay):
            raise Wrong("a forged advert opened a tunnel")
        if computer.process.poll() is not None:
            raise Wrong(f"the computer ended: {computer.said()}")
        if share > MOST_CPU:
            raise Wrong(f"{share:.2f} of a core under {sent['count'] / sent['seconds']:.0f} adverts a second")
        # The true one, while the flood goes on.
        lab.air.flood(PER_SECOND * 60, PER_SECOND, addresses, same_data)
        # The code is another one every five minutes; the person scans the present one.
        code = [line for line in computer.lines if line.startswith("FIDO:/")][-1]
        scan = far.phone().start(*scan_arguments(lab, relay), stdin=code + "\n")
        advert = until("the phone is on the air", far.air.adverts)[0]
        near = carried(lab, advert["data"], computer)
        lab.air.stop_flood()
        site.registered(computer.result())
        scan.expect(0)
        if near > FOUND_WITHIN:
            raise Wrong(f"found only after {near:.2f} s")
        return (
            f"{sent['count']} adverts, {sent['count'] / sent['seconds']:.0f}/s, {share:.3f} of a core, "
            f"{grown / 1024:+.1f} MiB, the true one after {near:.2f} s"
        )


def carried(lab: Lab, data: bytes, computer: Run) -> float:
    """Repeats an advert until the computer knows it; gives how long that took."""
    began = time.monotonic()
    while time.monotonic() < began + 30.0:
        lab.air.hear(data, address="C0:00:5E:00:53:01")
        with contextlib.suppress(Wrong):
            return computer.stage("phone-nearby", INTERVAL)["t"] - began
    raise Wrong(f"the true phone is not found: {computer.said()}")


def cases(is_long: bool) -> dict:
    """The floods, each with its number of adverts."""
    count = LONG if is_long else SHORT
    return {
        "flood-new-addresses": lambda: flooded(count, 0, 0),
        "flood-one-address": lambda: flooded(SHORT, 1, 0),
        "flood-repeated": lambda: flooded(SHORT, 260, 260),
    }
