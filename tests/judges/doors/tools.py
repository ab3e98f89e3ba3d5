"""`cablecar` under the names of libfido2's tools, checked by the tools."""

import base64
import hashlib
import os
import struct
import subprocess
from pathlib import Path

from fido2 import cbor
from lab import Wrong, program
from lab.verdict import Skipped
from world import PATIENCE, World, expect, world

HASH = hashlib.sha256(b"credential challenge").digest()
RP = "example.com"


def theirs(name: str) -> str:
    """The path of libfido2's own program."""
    for folder in os.environ["PATH"].split(os.pathsep):
        path = Path(folder) / name
        if path.exists() and "cablecar" not in path.resolve().name:
            return str(path)
    raise Skipped(f"no {name}; on Debian: apt-get install fido2-tools")


class Bench:
    """The names in a folder, as they would lie on a search path."""

    def __init__(self, around: World):
        self.world, self.folder = around, around.lab.folder
        for name in ("fido2-assert", "fido2-cred", "fido2-token"):
            (self.folder / name).symlink_to(program("cablecar"))

    def file(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def ours(self, *command, stdin: str | None = None, consent: str = "allow") -> tuple[int, str, str]:
        """Runs a tool of ours whose person scans the code; its input stays open."""
        name, *arguments = map(str, command)
        process = subprocess.Popen(
            [self.folder / name, *arguments], env=self.world.env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            if stdin:
                process.stdin.write(stdin)
                process.stdin.flush()
            said = ""
            for line in process.stderr:
                said += line
                if line.startswith("FIDO:/"):
                    self.world.scan(line.strip(), consent)
            return process.wait(PATIENCE), process.stdout.read(), said
        finally:
            process.kill()
            process.wait()


def run(*command) -> tuple[int, str, str]:
    """Runs a program."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout, done.stderr


def b64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def well(outcome: tuple[int, str, str], what: str) -> str:
    code, output, said = outcome
    expect(code == 0, f"{what} ended with {code}: {said}")
    return output


def sign_in():
    """Made by ours, used by ours, checked by theirs and by ours."""
    checker = theirs("fido2-assert")
    with world() as around:
        bench = Bench(around)
        given = bench.file("cred_param", b64(HASH), RP, "ada", b64(b"ada lovelace"))
        made = well(bench.ours("fido2-cred", "-M", "-rv", "-i", given, "/dev/hidraw9", "es256"), "fido2-cred -M")
        lines = made.splitlines()
        expect(lines[:3] == [b64(HASH), RP, "none"] and len(lines) == 6, f"fido2-cred -M printed {lines}")
        made = bench.file("made", *lines)
        cred = well(bench.ours("fido2-cred", "-V", "-v", "-i", made), "fido2-cred -V").splitlines()
        expect(cred[0] == lines[4], "another credential came out")
        key = bench.file("pubkey", *cred[1:])
        allowed = bench.file("assert_param", b64(HASH), RP, cred[0])
        resident = bench.file("resident_param", b64(HASH), RP)
        for arguments, length in ((["-i", allowed], 4), (["-r", "-v", "-i", resident], 5), (["-pt", "pin=true", "-i", allowed], 4)):
            said = well(bench.ours("fido2-assert", "-G", *arguments, "any"), f"fido2-assert -G {arguments}")
            lines = said.splitlines()
            expect(len(lines) == length and lines[:2] == [b64(HASH), RP], f"{arguments}: {lines}")
            if length == 5:
                expect(lines[4] == b64(b"ada lovelace"), f"another user: {lines[4]}")
            got = bench.file("got", *lines)
            well(run(checker, "-V", "-pv", "-i", got, key, "es256"), "their fido2-assert -V")
            well(run(bench.folder / "fido2-assert", "-V", "-pv", "-i", got, key, "es256"), "our fido2-assert -V")
            for line in (0, 2, 3):
                blob = bytearray(base64.b64decode(lines[line]))
                blob[-1] ^= 1
                bent = bench.file("bent", *lines[:line], b64(blob), *lines[line + 1 :])
                codes = [run(which, "-V", "-i", bent, key)[0] for which in (checker, bench.folder / "fido2-assert")]
                expect(codes == [1, 1], f"line {line} was bent, and the tools ended with {codes}")


def program_like():
    """As Teams for Linux shells out: an input that stays open, lists behind what is read, an argument for the type."""
    with world() as around:
        bench = Bench(around)
        listed = run(bench.folder / "fido2-token", "-L")
        device = well(listed, "fido2-token -L").split(":")[0]
        expect(device.startswith("/dev/"), f"fido2-token -L printed {listed[1]!r}")
        stdin = "\n".join([b64(HASH), RP, "ada", b64(b"ada")]) + "\n"
        made = bench.ours("fido2-cred", "-M", "-h", "-r", "-v", "-t", "es256", device, stdin=stdin)
        lines = well(made, "fido2-cred -M").strip().split("\n")
        expect(len(lines[2:]) >= 4, f"it reads fewer lines than four: {lines}")
        stdin = "\n".join([b64(HASH), RP, lines[4], b64(bytes(32))]) + "\n"
        got = bench.ours("fido2-assert", "-G", "-r", "-v", device, stdin=stdin)
        expect(len(well(got, "fido2-assert -G").strip().split("\n")) == 5, got[1])


def refusals():
    """What is refused is refused in their words, and ends with 1."""
    with world() as around:
        bench = Bench(around)
        resident = bench.file("param", b64(HASH), RP)
        code, output, said = bench.ours("fido2-assert", "-G", "-r", "-i", resident, "any")
        expect((code, output) == (1, "") and "FIDO_ERR_NO_CREDENTIALS" in said, f"no passkey: {code}, {said}")
        given = bench.file("cred_param", b64(HASH), RP, "ada", b64(b"ada"))
        code, output, said = bench.ours("fido2-cred", "-M", "-i", given, "any", consent="deny")
        expect((code, output) == (1, "") and "FIDO_ERR_OPERATION_DENIED" in said, f"no: {code}, {said}")
        for command in (["fido2-assert", "-G", "-h", "-i", resident, "any"], ["fido2-cred", "-M", "-u", "any"], ["fido2-cred"], ["fido2-assert", "-X"]):
            code, output, said = bench.ours(*command)
            expect((code, output) == (1, "") and said and "FIDO:/" not in said, f"{command}: {code}, {said}")


def attested():
    """What a key attests by itself is judged alike by theirs and by ours."""
    checker = theirs("fido2-cred")
    with world() as around:
        bench = Bench(around)
        lines = local_credential(bench.folder)
        for bent in (None, 0, 3, 5):
            said = list(lines)
            if bent is not None:
                blob = bytearray(base64.b64decode(said[bent]))
                blob[-1] ^= 1
                said[bent] = b64(blob)
            made = bench.file("made", *said)
            one, other = (run(which, "-V", "-i", made) for which in (checker, bench.folder / "fido2-cred"))
            expect(one[:2] == other[:2], f"line {bent} bent: theirs {one}, ours {other}")
            expect((one[0] == 0) == (bent is None), f"line {bent} bent: {one}")


def local_credential(folder: Path) -> list[str]:
    """A credential with self attestation, of our phone's own pipe, as `fido2-cred -M` prints it."""
    command = [program("cablecar-phone"), "ctap", "--stdio", "--state", str(folder / "key"), "--danger-consent", "allow"]
    request = {1: HASH, 2: {"id": RP}, 3: {"id": b"ada", "name": "ada"}, 4: [{"alg": -7, "type": "public-key"}]}
    payload = b"\x01" + cbor.encode(request)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as phone:
        phone.stdin.write(struct.pack(">BI", 0x10, len(payload)) + payload)
        phone.stdin.flush()
        answer = b""
        while not answer:
            header = phone.stdout.read(5)
            if len(header) < 5:
                raise Wrong("the phone's pipe ended")
            kind, length = struct.unpack(">BI", header)
            content = phone.stdout.read(length)
            answer = content if kind == 0x10 else b""
        phone.stdin.close()
    expect(answer[0] == 0, f"the phone's pipe refused with {answer[0]:02x}")
    made = cbor.decode(answer[1:])
    data = made[2]
    expect(made[1] == "packed", f"no self attestation: {made[1]}")
    length = struct.unpack(">H", data[53:55])[0]
    return [b64(HASH), RP, "packed", b64(cbor.encode(data)), b64(data[55 : 55 + length]), b64(made[3]["sig"])]


CASES = {
    "tools-sign-in": sign_in,
    "tools-program": program_like,
    "tools-refusals": refusals,
    "tools-attested": attested,
}
