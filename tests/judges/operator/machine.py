"""A machine to install things on: this one's files, every change of which goes
into memory and is lost, with no network but its own loopback and no processes
but its own. It takes root, and asks for nothing outside."""

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from lab import Broken, Lab, Wrong
from lab.verdict import Skipped
from parties import PATIENCE

HERE = Path(__file__).resolve().parent
# Loopback is down in a new network, and `ip` is not on every machine.
LOOPBACK_UP = (
    "import fcntl,socket,struct;s=socket.socket();r=struct.pack('16sH14x',b'lo',0);"
    + "f=struct.unpack('16sH14x',fcntl.ioctl(s,0x8913,r))[1];fcntl.ioctl(s,0x8914,struct.pack('16sH14x',b'lo',f|1))"
)
SETUP = """
set -e
mount -t tmpfs none {folder}
mkdir {folder}/changes {folder}/work {folder}/root
mount -t overlay overlay -o lowerdir=/,upperdir={folder}/changes,workdir={folder}/work {folder}/root
python3 -c {loopback}
cd {folder}/root
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs none run
echo it-stands
exec chroot . sleep 100000
"""


class Machine:
    """One. `run` types a command there, as root."""

    def __init__(self, lab: Lab):
        if os.geteuid() != 0:
            raise Skipped("a machine to install on takes root")
        for program in ("unshare", "nsenter", "setpriv", "dpkg"):
            if not shutil.which(program):
                raise Skipped(f"a machine to install on takes {program}")
        folder = lab.folder / "machine"
        folder.mkdir()
        script = SETUP.format(folder=folder, loopback=shlex.quote(LOOPBACK_UP))
        self.outer = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        said = ""
        for line in self.outer.stdout:
            if line == "it-stands\n":
                break
            said += line
        else:
            raise Skipped(f"no machine to install on: {said.strip()}")
        children = Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")
        self.inner = children.read_text().split()[0]
        # Once the shell has become its last command, its root is the new one.
        deadline = time.monotonic() + PATIENCE
        while os.readlink(f"/proc/{self.inner}/root") == "/":
            if time.monotonic() > deadline:
                raise Broken("the machine has no root of its own")
            time.sleep(0.01)
        self.files = Path(f"/proc/{self.inner}/root")
        # What stands in for systemd, which is no program for a place like this.
        self.put("/usr/local/bin/systemctl", (HERE / "service.py").read_text(), 0o755)

    def put(self, path: str, text: str | bytes, mode: int = 0o644):
        """A file there."""
        there = self.files / path.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(text.encode() if isinstance(text, str) else text)
        there.chmod(mode)

    def run(self, command: str, *, fails: bool = False, patience: float = 300.0) -> str:
        """What the command prints; it must end well, or not, as `fails` says."""
        enter = ["nsenter", "-t", self.inner, "-m", "-n", "-p", "-r", "-w"]
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        env |= {"HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
        try:
            done = subprocess.run(
                [*enter, "sh", "-c", f"cd /root && {command}"],
                env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", timeout=patience, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise Wrong(f"`{command}` does not end; it said: {late.stdout}") from None
        if (done.returncode != 0) != fails:
            log = self.files / "var/log/cablecar-relay.log"
            more = f"; the service said: {log.read_text(errors='replace')[-2000:]}" if log.exists() else ""
            raise Wrong(f"`{command}` ended with {done.returncode}: {done.stdout[-3000:]}{more}")
        return done.stdout

    def close(self):
        """Nothing of it is left."""
        self.outer.kill()
        self.outer.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
