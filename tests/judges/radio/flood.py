"""Forged adverts by the thousand: little work, no tunnel, and the true phone
is found all the same."""

import os
import time

from lab import Lab, Wrong
from meeting import until, world

# An advert of this length takes 376 us on the one channel that a radio
# listens to, so it hears at most about this many a second.
PER_SECOND = 2600
SHORT, LONG = 20_000, 1_000_000
MOST_CPU = 0.2
FOUND_WITHIN = 2.0


def cpu_seconds(pid: int) -> float:
    """What a process has used, in user space and in the kernel."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid: int) -> int:
    """What a process holds in memory."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def tunnels(lab: Lab, relay) -> int:
    """How many computers have come to the relay."""
    return relay.run.output.count("joined")


def flooded(count: int, addresses: int, same_data: int) -> str:
    """One kind of flood."""
    with world() as (lab, relay, phone, site):
        computer = lab.desktop("create", site.creation(), relay=relay)
        code, pid = computer.code(), computer.process.pid
        until("the computer listens", lab.air.discovering)
        time.sleep(0.5)
        used, began, size = cpu_seconds(pid), time.monotonic(), resident_kib(pid)
        lab.air.flood(count, PER_SECOND, addresses, same_data)
        sent = lab.air.flooded(count / PER_SECOND * 4 + 60)
        share = (cpu_seconds(pid) - used) / (time.monotonic() - began)
        grown = resident_kib(pid) - size
        if tunnels(lab, relay):
            raise Wrong("a forged advert opened a tunnel")
        if computer.process.poll() is not None:
            raise Wrong(f"the computer ended: {computer.said()}")
        if share > MOST_CPU:
            raise Wrong(f"{share:.2f} of a core under {sent['count'] / sent['seconds']:.0f} adverts a second")
        # The true one, while the flood goes on.
        lab.air.flood(PER_SECOND * 60, PER_SECOND, addresses, same_data)
        scan = phone.scan(code, relay=relay)
        said = until("the phone is on the air", lambda: [e for e in lab.air.log() if e["what"] == "register"])[0]["t"]
        near = computer.stage("phone-nearby", 30.0)
        lab.air.stop_flood()
        site.registered(computer.result())
        scan.expect(0)
        if near["t"] - said > FOUND_WITHIN:
            raise Wrong(f"found only after {near['t'] - said:.2f} s")
        return (
            f"{sent['count']} adverts, {sent['count'] / sent['seconds']:.0f}/s, {share:.3f} of a core, "
            f"{grown / 1024:+.1f} MiB, the true one after {near['t'] - said:.2f} s"
        )


def cases(is_long: bool) -> dict:
    """The floods, each with its number of adverts."""
    count = LONG if is_long else SHORT
    return {
        "flood-new-addresses": lambda: flooded(count, 0, 0),
        "flood-one-address": lambda: flooded(SHORT, 1, 0),
        "flood-repeated": lambda: flooded(SHORT, 260, 260),
    }
