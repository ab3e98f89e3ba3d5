#!/usr/bin/env python3
"""Peers that fall silent without a word: their cable is cut.

Run by itself inside a network namespace, it makes a second one for the relay,
with a cable between them, pairs tunnels, pulls the cable out and waits until
the relay has let go of all of them. Prints the seconds.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

CLIENTS, RELAY = "10.97.0.1", "10.97.0.2"
PORT = 8443


def released(pairs: int, *flags: str) -> float:
    """After how many seconds the relay has let go of so many pairs. OSError or
    CalledProcessError where there can be no namespace."""
    subprocess.run(["unshare", "--net", "true"], check=True, capture_output=True, timeout=20)
    from load import Wrong, program

    command = ["unshare", "--net", sys.executable, __file__, program("cablecar-relay"), str(pairs), *flags]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    if done.returncode == 3:
        raise OSError(done.stderr.strip())
    if done.returncode != 0:
        raise Wrong(done.stderr[-1000:])
    return float(done.stdout)


class Reached:
    """The relay, as `stuck.pair` wants it."""

    def connect(self, receive: int | None = None) -> socket.socket:
        """A bare connection."""
        return socket.create_connection((RELAY, PORT), 20.0)


def sockets(pid: int) -> int:
    """How many it has. Its reserve, a file, comes only after it says that it listens."""
    count = 0
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(one).startswith("socket:")
    return count


def main(relay: str, pairs: int, flags: list[str]) -> float:
    """Inside of the first namespace."""
    from stuck import pair

    ours = subprocess.Popen(["unshare", "--net", "sleep", "3600"])
    there = ["nsenter", "-t", str(ours.pid), "--net"]
    served = None
    try:
        time.sleep(0.5)
        cable = f"link add cut0 type veth peer name cut1 netns {ours.pid}"
        for command in (
            ["ip", *cable.split()],
            ["ip", "addr", "add", f"{CLIENTS}/24", "dev", "cut0"],
            ["ip", "link", "set", "cut0", "up"],
            [*there, "ip", "addr", "add", f"{RELAY}/24", "dev", "cut1"],
            [*there, "ip", "link", "set", "cut1", "up"],
        ):
            made = subprocess.run(command, check=False, capture_output=True, text=True)
            if made.returncode != 0:
                print(f"{' '.join(command)}: {made.stderr}", file=sys.stderr)
                sys.exit(3)
        serve = [relay, "serve", "--plain", "--listen", f"{RELAY}:{PORT}", "--exempt", "10.97.0.0/24"]
        served = subprocess.Popen([*there, *serve, *flags], stdout=subprocess.PIPE, text=True)
        if not served.stdout.readline().startswith("listening"):
            raise SystemExit("the relay did not start")
        before = sockets(served.pid)
        kept = [pair(Reached()) for _ in range(pairs)]
        held = sockets(served.pid) - before
        if held != 2 * pairs:
            raise SystemExit(f"{held} sockets for {pairs} pairs")
        subprocess.run(["ip", "link", "set", "cut0", "down"], check=True)
        began = time.monotonic()
        while (left := sockets(served.pid) - before) > 0:
            if time.monotonic() - began > 180:
                raise SystemExit(f"{left} are not released")
            time.sleep(0.1)
        del kept
        return time.monotonic() - began
    finally:
        for process in (served, ours):
            if process:
                process.kill()
                process.wait()


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
