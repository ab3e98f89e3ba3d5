"""The C border itself: a program in C that does what ssh-sk-helper does, three
times over in one process, and under valgrind where that is installed."""

import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from lab import Wrong
from lab.verdict import Skipped
from scene import ROOT, Scene, library, tool

# Optimised code compares bytes before it knows that they are there, and drops
# the result if they were not: right, but not for valgrind.
PLAIN = ROOT / "target" / "debug" / "libcablecar_ssh.so"
SUPPRESSED = Path(__file__).with_name("valgrind.supp")
SOURCE = Path(__file__).with_name("caller.c")


def compiled(folder: Path) -> Path:
    """The caller."""
    compiler = shutil.which("cc")
    if not compiler:
        raise Skipped("no C compiler")
    program = folder / "caller"
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-g", "-o", program, SOURCE, "-ldl"], check=True)
    return program


def read(said: str) -> dict[str, bytes]:
    """The fields that the caller printed."""
    return {name: bytes.fromhex(value) for name, value in re.findall(r"^(\w+)=([0-9a-f]*)$", said, re.M)}


def calls(prefix: list, provider: Path, patience: int = 1) -> str:
    """A key, two signatures and a resident key, by a program in C."""
    with Scene() as scene:
        program = compiled(scene.lab.folder)
        out = scene.lab.folder / "out"
        window = scene.tty(*prefix, program, provider, out)
        # A key; a signature; another, after the library was unloaded; a resident key.
        scans = []
        for number in range(1, 5):
            scans.append(scene.scan(window.code(number)))
            scans[-1].expect(0, timeout=60.0 * patience)
        said = window.expect(0)
        fields = read(out.read_text())
        if len(fields["point"]) != 65 or fields["point"] != fields["found"] or fields["handle"] != fields["again"]:
            raise Wrong(f"the key that was found is not the key that was made: {fields}")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), fields["point"])
        for turn in ("1", "2"):
            message = sha256(b"ssh:").digest() + fields["flags" + turn] + fields["counter" + turn]
            message += sha256(f"session {turn}".encode()).digest()
            numbers = [int.from_bytes(fields[name + turn]) for name in "rs"]
            try:
                key.verify(utils.encode_dss_signature(*numbers), message, ec.ECDSA(SHA256()))
            except InvalidSignature:
                raise Wrong(f"signature {turn} is not one of the key") from None
        if len(fields["user"]) != 32 or not fields["user"].startswith(b"carol\0"):
            raise Wrong(f"the user handle came back as {fields['user']}")
        return said


def from_c() -> None:
    """As C sees it, checked by another library."""
    calls([], library())


def valgrind() -> str:
    """The same under valgrind: no error, and nothing lost."""
    if not shutil.which("valgrind"):
        raise Skipped("no valgrind")
    if not PLAIN.exists():
        raise Skipped(f"{PLAIN} is not there: cargo build -p cablecar-ssh-provider")
    words = ["--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect"]
    said = calls(["valgrind", *words, f"--suppressions={SUPPRESSED}"], PLAIN, patience=5)
    for nothing in (r"definitely lost: 0 bytes", r"indirectly lost: 0 bytes", r"ERROR SUMMARY: 0 errors"):
        if not re.search(nothing, said) and "no leaks are possible" not in said:
            raise Wrong(f"valgrind does not say {nothing!r}: {said[-3000:]}")
    return "0 errors, 0 bytes lost"


def version() -> str:
    """The ssh of this machine speaks the library's version."""
    said = subprocess.run([tool("ssh"), "-V"], capture_output=True, text=True, check=True).stderr
    found = tuple(map(int, re.match(r"OpenSSH_(\d+)\.(\d+)", said).groups()))
    if found < (9, 1):
        raise Skipped(f"{said.strip()} is too old for it")
    return said.strip()


CASES = {"version": version, "from-c": from_c}
# Needs the library built without optimisation; its tests are always under valgrind.
LONG_CASES = {"valgrind": valgrind}
