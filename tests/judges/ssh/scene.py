"""Somebody at a computer with OpenSSH, their phone, and a server."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from lab import Broken, Lab, Run, Wrong
from window import PATIENCE, Tty

ROOT = Path(__file__).resolve().parents[3]
KIND = "sk-ecdsa-sha2-nistp256@openssh.com"
TOKEN = "let in by the phone"


def library() -> Path:
    """The provider: $CABLECAR_SSH_LIBRARY, or as built for release."""
    path = Path(os.environ.get("CABLECAR_SSH_LIBRARY", ROOT / "target" / "release" / "libcablecar_ssh.so"))
    if not path.exists():
        raise Broken(f"{path} is not there: cargo build --release")
    return path.resolve()


def tool(name: str) -> str:
    """A program of OpenSSH's."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        raise Broken(f"{name} is not there: apt-get install openssh-client openssh-server")
    return found


def free_port(kind: int) -> int:
    """A port of loopback on which nobody listens yet."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


# A consent command that remembers what it was asked.
ASKER = """#!{python}
import json, sys
question = json.loads(sys.stdin.readline())
print(json.dumps(question), file=open("{log}", "a"))
names = [account["name"] for account in question["accounts"]]
print(json.dumps({{"answer": "approve", "account": names.index("{name}")}}))
"""


class Scene:
    """All of them, with nothing of this machine's own ssh."""

    def __init__(self):
        self.lab = Lab(radio=False)
        self.open: list = []
        try:
            self.relay, self.phone = self.lab.relay(), self.lab.phone()
            self.desk = self.lab.folder / "desk"
            self.desk.mkdir(mode=0o700)
            self.questions = self.lab.folder / "questions"
            self.air = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
            self.env = self.lab.env | {
                "TERM": "xterm",
                "SSH_SK_PROVIDER": str(library()),
                "CABLECAR_QR": "text",
                "CABLECAR_DANGER_AIR": self.air,
                "CABLECAR_CA_FILE": str(self.lab.ca_file),
                "CABLECAR_CONNECT_TO": self.relay.connect_to,
            }
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends all of it."""
        for one in reversed(self.open):
            one.stop()
        self.lab.close()

    def tty(self, *command, env: dict | None = None, redirected: bool = False, folder: Path | None = None) -> Tty:
        """Starts a command in a terminal; a variable that is None is not set."""
        command = [tool(str(command[0])), *command[1:]]
        env = {name: value for name, value in (self.env | (env or {})).items() if value is not None}
        self.open.append(Tty(command, env, folder or self.desk, redirected))
        return self.open[-1]

    def without_tty(self, *command, env: dict | None = None, stdin=subprocess.DEVNULL) -> subprocess.Popen:
        """Starts a command that has no terminal."""
        started = subprocess.Popen(
            [tool(str(command[0])), *map(str, command[1:])], env=self.env | (env or {}), cwd=self.desk,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.open.append(_Stopped(started))
        return started

    def scan(self, code, consent: str = "allow") -> Run:
        """The phone scans. Its person allows, denies, or chooses `account:NAME`."""
        means = ["--danger-air", self.air]
        if consent.startswith("account:"):
            asker = self.phone.folder / "asker"
            asker.write_text(ASKER.format(python=sys.executable, name=consent.partition(":")[2], log=self.questions))
            asker.chmod(0o700)
            means += ["--consent-command", str(asker)]
            consent = None
        return self.phone.scan(code, *means, relay=self.relay, consent=consent)

    def tunnels(self) -> int:
        """How many tunnels the relay has joined."""
        return self.relay.run.output.count('"joined"')

    def keygen(self, *options: str, name: str = "key", consent: str = "allow") -> Path:
        """Makes a key on the phone; gives its file."""
        file = self.desk / name
        making = self.tty("ssh-keygen", "-t", "ecdsa-sk", "-w", library(), "-f", file, "-N", "", "-C", "judge", *options)
        scan = self.scan(making.code(), consent)
        making.expect(0)
        scan.expect(0)
        if not file.with_suffix(".pub").read_text().startswith(KIND):
            raise Wrong(f"that is no key of a phone: {file.with_suffix('.pub').read_text()}")
        return file

    def server(self, *keys: str) -> "Server":
        """An sshd that lets these keys in."""
        self.open.append(Server(self, keys))
        return self.open[-1]

    def ssh(self, server: "Server", *options: str) -> list:
        """The command that logs in and says what it found there."""
        return [
            "ssh", "-F", "none", "-p", server.port, "-o", f"UserKnownHostsFile={server.known}",
            "-o", "StrictHostKeyChecking=yes", "-o", "PreferredAuthentications=publickey", "-o", "IdentitiesOnly=yes",
            "-o", f"SecurityKeyProvider={library()}", *options, f"{getpass.getuser()}@127.0.0.1", f"echo {TOKEN}",
        ]  # fmt: skip


class _Stopped:
    """A process that ends with the scene."""

    def __init__(self, process: subprocess.Popen):
        self.process = process

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5.0)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5.0)
        for pipe in (self.process.stdout, self.process.stderr, self.process.stdin):
            if pipe:
                pipe.close()


class Server:
    """sshd on loopback as the current user, with keys of its own."""

    def __init__(self, scene: Scene, keys: tuple[str, ...]):
        folder = scene.lab.folder / f"sshd-{len(scene.open)}"
        folder.mkdir(mode=0o700)
        host_key = folder / "host"
        subprocess.run([tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", host_key], check=True)
        authorized = folder / "authorized_keys"
        authorized.write_text("".join(key.strip() + "\n" for key in keys))
        authorized.chmod(0o600)
        self.port = free_port(socket.SOCK_STREAM)
        self.known = folder / "known_hosts"
        self.known.write_text(f"[127.0.0.1]:{self.port} {host_key.with_suffix('.pub').read_text()}")
        config = folder / "config"
        config.write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {host_key}\nPidFile none\n"
            f"AuthorizedKeysFile {authorized}\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\n"
        )
        if os.getuid() == 0:
            # As the init script does it.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.log = folder / "log"
        command = [tool("sshd"), "-D", "-e", "-f", str(config)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self.log.open("w"))
        deadline = time.monotonic() + PATIENCE
        while "Server listening" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"sshd did not start: {self.log.read_text()}")
            time.sleep(0.02)

    def stop(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait(PATIENCE)
