"""A network of our own, in which port 443 is free and a relay's name is ours.

libwebauthn dials nothing but `wss://<name of the advert>`, port 443. So the
whole judge runs inside a mount and a network namespace with nothing in it but
loopback and a hosts file. Nothing outside is touched.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

INSIDE = "CABLECAR_PEERS_INSIDE"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def is_inside() -> bool:
    """Whether this process is in one."""
    return INSIDE in os.environ


def way_in() -> tuple[list[str], str]:
    """The command that enters one, and, if there is none, why."""
    whys = []
    for command in (
        ["unshare", "--mount", "--net"],
        ["unshare", "--map-root-user", "--mount", "--net"],
    ):
        try:
            tried = subprocess.run(
                [*command, "true"], check=False, capture_output=True, text=True, timeout=20
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            whys.append(str(error))
            continue
        if tried.returncode == 0:
            return command, ""
        whys.append(tried.stderr.strip())
    return [], f"no namespace for port 443: {whys[-1]}"


def enter(command: list[str]):
    """Becomes this very program again, inside. Does not return."""
    os.environ[INSIDE] = "1"
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


def furnish(names: dict[str, str]):
    """Inside: brings loopback up, and makes each name mean its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(handle, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in names.items())]
    with tempfile.NamedTemporaryFile("w", suffix=".hosts", delete=False) as hosts:
        hosts.write("\n".join(lines) + "\n")
    Path(hosts.name).chmod(0o644)
    subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True, timeout=20)
    # It stays reachable at /etc/hosts.
    Path(hosts.name).unlink()
