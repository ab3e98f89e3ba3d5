#!/usr/bin/env python3
"""systemctl, for a machine without systemd: starts a unit's service as its file
says, under its user and with its capabilities, and waits for its word.

    systemctl enable --now UNIT | start | stop | reload | kill --signal=NAME | is-active | daemon-reload

It knows what `cablecar-relay.service` says and no more; what shields the system
from the service is systemd's own, and `systemd-analyze` judges it.
"""

import os
import pwd
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

UNITS = [Path("/etc/systemd/system"), Path("/usr/lib/systemd/system")]
MAIN = Path("/run/service.pid")
LOG = Path("/var/log/cablecar-relay.log")
PATIENCE = 90.0


def read(unit: str) -> dict[str, list[str]]:
    """The lines of its file, by their names."""
    name = unit if "." in unit else f"{unit}.service"
    path = next((folder / name for folder in UNITS if (folder / name).exists()), None)
    if not path:
        sys.exit(f"Unit {name} could not be found.")
    said: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        key, is_one, value = line.partition("=")
        if is_one and not line.startswith("#"):
            said.setdefault(key, []).append(value)
    return said


def start(unit: str):
    """Starts it and returns when it has said that it is ready."""
    said = read(unit)
    only = {key: values[-1] for key, values in said.items()}
    user = pwd.getpwnam(only["User"])
    for kind, root in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")):
        folder = Path(root, only[kind])
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(int(only[f"{kind}Mode"], 8))
        os.chown(folder, user.pw_uid, user.pw_gid)
    door = Path("/run/notify")
    door.unlink(missing_ok=True)
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(door))
    door.chmod(0o777)
    capabilities = [f"+{one.removeprefix('CAP_').lower()}" for one in only["AmbientCapabilities"].split()]
    wanted = ",".join(["-all", *capabilities])
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "--no-new-privs"]
    command += [f"--inh-caps={wanted}", f"--ambient-caps={wanted}", f"--bounding-set={wanted}"]
    env = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": str(door)}
    env["WATCHDOG_USEC"] = str(int(only["WatchdogSec"].removesuffix("s")) * 1_000_000)
    with LOG.open("a") as log:
        service = subprocess.Popen(
            [*command, *shlex.split(only["ExecStart"])],
            env=env, cwd="/", umask=int(only["UMask"], 8), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    MAIN.write_text(str(service.pid))
    # One process stays and listens, as systemd would.
    ready, done = os.pipe()
    if os.fork() == 0:
        os.setsid()
        for number in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        listen(notify, done)
    os.close(done)
    deadline = time.monotonic() + PATIENCE
    while service.poll() is None and time.monotonic() < deadline:
        if select.select([ready], [], [], 0.1)[0]:
            return
    MAIN.unlink()
    service.kill()
    sys.exit(f"Job for {unit} failed: {LOG.read_text()[-2000:]}")


def listen(notify: socket.socket, ready: int):
    """Notes which process the service says is its main one, for as long as there is one."""
    notify.settimeout(1.0)
    while is_active():
        try:
            words = notify.recv(4096).decode().split("\n")
        except TimeoutError:
            continue
        for word in words:
            if word.startswith("MAINPID="):
                MAIN.write_text(word.removeprefix("MAINPID="))
        if "READY=1" in words:
            os.write(ready, b".")
    os._exit(0)


def is_active() -> bool:
    """Whether it runs. Nobody here buries the dead."""
    try:
        status = Path("/proc", MAIN.read_text(), "status").read_text()
    except OSError:
        return False
    return "\nState:\tZ" not in status


def send(number: int):
    """A signal to the service's main process."""
    if not is_active():
        sys.exit("Unit is not active.")
    os.kill(int(MAIN.read_text()), number)


def main(arguments: list[str]):
    """Does what was typed."""
    verb, *rest = [argument for argument in arguments if argument not in ("--quiet", "--kill-who=main")]
    if verb == "enable":
        if "WantedBy" not in read(rest[-1]):
            sys.exit("The unit files have no installation config")
        verb = "start" if "--now" in rest else "daemon-reload"
    if verb == "start":
        start(rest[-1])
    elif verb == "stop":
        send(signal.SIGTERM)
        while is_active():
            time.sleep(0.05)
    elif verb == "reload":
        send(signal.SIGHUP)
    elif verb == "kill":
        (name,) = (word.removeprefix("--signal=") for word in rest if word.startswith("--signal="))
        send(signal.Signals[f"SIG{name}"])
    elif verb == "is-active":
        sys.exit(0 if is_active() else 3)
    elif verb != "daemon-reload":
        sys.exit(f"Unknown command verb {verb}.")


if __name__ == "__main__":
    main(sys.argv[1:])
