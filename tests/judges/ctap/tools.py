"""libfido2's tools, fido2-token, fido2-cred and fido2-assert, with our
authenticator: a preload makes the file that they open a socket of ours, and
behind it CTAPHID's packets become frames of the pipe."""

import base64
import hashlib
import os
import pty
import re
import select
import socket
import subprocess
import threading
from pathlib import Path

from device import PATIENCE, Device, Wrong
from packets import SIZE, Packets

HERE = Path(__file__).resolve().parent
NODE = "/dev/cablecar-ctap"
PIN, NEXT_PIN = "12345678", "87654321"
RP, NAME, USER = "example.com", "ada", b"ada lovelace"


class Bench:
    """The tools, and the authenticator in front of them."""

    def __init__(self, device: Device, folder: Path):
        self.device, self.folder = device, folder
        self.shim = folder / "shim.so"
        compiler = os.environ.get("CC", "cc")
        built = subprocess.run(
            [compiler, "-Wall", "-Wextra", "-O1", "-shared", "-fPIC", "-o", self.shim, HERE / "shim.c", "-ldl"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if built.returncode != 0:
            raise RuntimeError(f"the shim does not compile: {built.stderr}")
        path = folder / "socket"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen()
        self.env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.env |= {"LD_PRELOAD": str(self.shim), "CABLECAR_SHIM_PATH": NODE, "CABLECAR_SHIM_SOCKET": str(path)}
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """Nobody can open it any more."""
        self._listener.close()

    def _serve(self):
        while True:
            try:
                host, _ = self._listener.accept()
            except OSError:
                return
            packets = Packets(self.device, lambda packet, host=host: self._give(host, packet))
            try:
                # A report's number, and the report.
                while report := host.recv(1 + SIZE):
                    packets.take(report[1:])
            except Wrong:
                pass  # the tool is told by the end
            host.close()

    @staticmethod
    def _give(host: socket.socket, packet: bytes):
        try:
            host.send(packet) if packet else host.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the tool has left

    def run(self, *command: str, pins: tuple[str, ...] = (), stdin: str = "", code: int = 0) -> str:
        """Runs a tool that may ask for PINs at its terminal; gives what it printed."""
        controller, terminal = pty.openpty()
        process = subprocess.Popen(
            command, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True, preexec_fn=lambda: own(terminal),
        )  # fmt: skip
        over = threading.Event()
        typist = threading.Thread(target=type_pins, args=(controller, pins, over), daemon=True)
        typist.start()
        try:
            out, err = process.communicate(stdin, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Wrong(f"{' '.join(command)} does not end; the authenticator said {self.device.said()}") from None
        finally:
            over.set()
            typist.join()
            os.close(controller)
            os.close(terminal)
        if process.returncode != code:
            raise Wrong(f"{' '.join(command)} ended with {process.returncode}, not {code}: {out} {err}")
        return out


def own(terminal: int):
    """Makes it the terminal of a new session, where the tools ask."""
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def type_pins(controller: int, pins: tuple[str, ...], over: threading.Event):
    """Waits for each prompt and types the next PIN."""
    for pin in pins:
        said = b""
        while not re.search(rb"(for /dev\S+|again): $", said):
            if over.is_set():
                return
            if select.select([controller], [], [], 0.1)[0]:
                said += os.read(controller, 1024)
        os.write(controller, pin.encode() + b"\n")


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def hash_of(text: str) -> str:
    return base64_of(hashlib.sha256(text.encode()).digest())


def expect(fulfilled: bool, what: str):
    """Or the authenticator is wrong."""
    if not fulfilled:
        raise Wrong(f"expected: {what}")


def set_pin(bench: Bench):
    """The first one."""
    bench.run("fido2-token", "-S", NODE, pins=(PIN, PIN))


def information(bench: Bench) -> str:
    """`fido2-token -I`, before and after a PIN is set and changed."""
    said = bench.run("fido2-token", "-I", NODE)
    for part in ("FIDO_2_0", "FIDO_2_1", "hmac-secret", "credProtect", "largeBlobKey", "noclientPin", "maxmsgsiz: 7609"):
        expect(part in said, f"{part} in {said}")
    set_pin(bench)
    expect(re.search(r"options:.*[ ,]clientPin", bench.run("fido2-token", "-I", NODE)) is not None, "a PIN is set")
    bench.run("fido2-token", "-C", NODE, pins=(PIN, NEXT_PIN, NEXT_PIN))
    bench.run("fido2-token", "-C", NODE, pins=(PIN, "11111111", "11111111"), code=1)
    said = bench.run("fido2-token", "-I", NODE)
    expect("pin retries: 7" in said, f"7 guesses left in {said}")
    bench.run("fido2-token", "-C", NODE, pins=(NEXT_PIN, PIN, PIN))
    expect("pin retries: 8" in bench.run("fido2-token", "-I", NODE), "8 guesses left again")
    return "set, changed, refused"


def make(bench: Bench, algorithm: str, *flags: str, user: bytes = USER, pins: tuple[str, ...] = (PIN,)) -> list[str]:
    """`fido2-cred -M` and `-V`: gives the id and the public key."""
    asked = "\n".join([hash_of("create"), RP, NAME, base64_of(user)]) + "\n"
    made = bench.run("fido2-cred", "-M", *flags, NODE, algorithm, stdin=asked, pins=pins)
    keep = [flag for flag in flags if flag in ("-h", "-v")]
    if "-b" in flags:
        # The key for large blobs, which the other end takes for a certificate
        # where there is none.
        made = made[: made.rstrip("\n").rindex("\n") + 1]
    said = bench.run("fido2-cred", "-V", *keep, algorithm, stdin=made)
    id, _, key = said.partition("\n")
    return [id, key]


def sign_in(bench: Bench, algorithm: str, id: str | None, key: str, *flags: str, pins: tuple[str, ...] = ()) -> list[str]:
    """`fido2-assert -G` and `-V`: gives the lines of what was asserted."""
    salt = [base64_of(bytes(32))] if "-h" in flags else []
    asked = "\n".join([hash_of("get"), RP, *([id] if id else []), *salt]) + "\n"
    got = bench.run("fido2-assert", "-G", *flags, NODE, stdin=asked, pins=pins)
    file = bench.folder / "key.pem"
    file.write_text(key)
    keep = [flag for flag in flags if flag in ("-h", "-v", "-p")]
    # What follows the four lines of an assertion is not signed.
    bench.run("fido2-assert", "-V", *keep, str(file), algorithm, stdin=got)
    return got.splitlines()


def credentials(bench: Bench) -> str:
    """Credentials of both algorithms, verified by libfido2."""
    set_pin(bench)
    for algorithm in ("es256", "eddsa"):
        id, key = make(bench, algorithm, "-q")
        sign_in(bench, algorithm, id, key, "-p")
        sign_in(bench, algorithm, id, key, "-v", pins=(PIN,))
    try:
        make(bench, "rs256", "-q")
    except Wrong:
        return "es256, eddsa; rs256 refused"
    raise Wrong("there is no RS256 here")


def resident(bench: Bench) -> str:
    """A resident credential with a secret: listed, used, deleted."""
    set_pin(bench)
    id, key = make(bench, "es256", "-r", "-b", "-h", "-v", user=b"grace hopper")
    lines = sign_in(bench, "es256", None, key, "-r", "-h", "-v", pins=(PIN,))
    again = sign_in(bench, "es256", None, key, "-r", "-h", "-v", pins=(PIN,))
    secret = [line for line in lines if line in again and len(line) == 44]
    expect(base64_of(b"grace hopper") in lines, f"the user's id in {lines}")
    expect(bool(secret), f"a secret that stays the same, in {lines}")
    said = bench.run("fido2-token", "-L", "-r", NODE, pins=(PIN,))
    expect(RP in said, f"{RP} in {said}")
    said = bench.run("fido2-token", "-L", "-k", RP, NODE, pins=(PIN,))
    expect(id in said, f"{id} in {said}")
    bench.run("fido2-token", "-S", "-b", "-n", RP, "-i", id, str(blob(bench)), NODE, pins=(PIN,))
    back = bench.folder / "back"
    bench.run("fido2-token", "-G", "-b", "-n", RP, "-i", id, str(back), NODE, pins=(PIN,))
    expect(back.read_bytes() == blob(bench).read_bytes(), "the large blob comes back")
    # Whose it is, 1.12 cannot tell: it lists with another inflate than it wrote with.
    listed = bench.run("fido2-token", "-L", "-b", NODE, pins=(PIN,))
    expect(f" {back.stat().st_size} " in listed, f"the large blob, in {listed}")
    bench.run("fido2-token", "-D", "-b", "-n", RP, "-i", id, NODE, pins=(PIN,))
    bench.run("fido2-token", "-D", "-i", id, NODE, pins=(PIN,))
    # That there is none any more is an error to the tool.
    bench.run("fido2-token", "-L", "-r", NODE, pins=(PIN,), code=1)
    return "hmac-secret, large blob, list, delete"


def blob(bench: Bench) -> Path:
    """A file with something in it."""
    file = bench.folder / "blob"
    file.write_bytes(b"large, and not random. " * 100)
    return file


def reset(bench: Bench) -> str:
    """`fido2-token -R`, just after a power cycle."""
    set_pin(bench)
    bench.device.pull_out()
    bench.device.plug_in()
    bench.run("fido2-token", "-R", NODE)
    expect("noclientPin" in bench.run("fido2-token", "-I", NODE), "no PIN any more")
    return "the PIN is gone"
