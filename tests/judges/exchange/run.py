#!/usr/bin/env python3
"""Passkeys go from other programs to our phone and back.

    tests/run exchange
    target/judges/venv/bin/python tests/judges/exchange/run.py [CASE...]

The others: KeePassXC's own command line (Debian's 2.7.4, which shows the
attributes though it predates passkeys), pykeepass, and an independent
implementation of Bitwarden's export under a passphrase. The programs are those
built for release, or those in $CABLECAR_BIN.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import others
import pykeepass
from lab import Lab, Phone, Run, Wrong
from lab.programs import program
from lab.verdict import judge
from others import PASSPHRASE, KeePassXC, Passkey

MANY = 5_000
MEMORY = 400
"""MiB that an import may take, whatever the file. What it unpacks to may be 128."""


class Desk:
    """A phone, and a folder of files to bring to it."""

    def __init__(self):
        self.lab = Lab(radio=False)
        self.phone = self.lab.phone()
        self.folder = self.lab.folder
        self.passphrase_file = self.folder / "file-passphrase"
        self.passphrase_file.write_text(PASSPHRASE + "\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lab.close()

    def file(self, name: str, content: dict | bytes) -> Path:
        """A file of this content."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def run(self, verb: str, *arguments, phone: Phone | None = None) -> Run:
        """`import` or `export`, with the file's passphrase at hand."""
        extra = ["--format", "json", "--file-passphrase-file", str(self.passphrase_file)]
        return (phone or self.phone).start(verb, *map(str, arguments), *extra)

    def bring(self, file: Path, phone: Phone | None = None) -> dict:
        """An import that goes well; gives the report."""
        return self.run("import", file, phone=phone).result()

    def take(self, to: str, name: str, *extra) -> Path:
        """An export that goes well."""
        self.run("export", "--to", to, self.folder / name, *extra).result()
        return self.folder / name

    def with_passkeys(self, *passkeys: Passkey) -> None:
        """The phone has these, which came in a database."""
        report = self.bring(database(self.folder / "first.kdbx", passkeys))
        if report["taken"] != len(passkeys):
            raise Wrong(f"not all came in: {report}")

    def expect(self, *passkeys: Passkey) -> None:
        """The phone has these and no others, by their keys."""
        file = self.take("cxf", "all.json", "--force")
        items = [item["credentials"][0] for item in json.loads(file.read_text())["accounts"][0]["items"]]
        for passkey in passkeys:
            found = [
                item for item in items
                if passkey.same(item["credentialId"], item["rpId"], item["userHandle"], others.unbase64url(item["key"]))
            ]  # fmt: skip
            if len(found) != 1:
                raise Wrong(f"the phone has {passkey.kind} of {passkey.rp_id} {len(found)} times")
        if len(items) != len(passkeys):
            raise Wrong(f"the phone has {len(items)} passkeys, not {len(passkeys)}")


def database(path: Path, passkeys, cipher: str | None = None) -> Path:
    """A database of pykeepass', as KeePassXC would have filled it."""
    kdbx = pykeepass.create_database(str(path), password=PASSPHRASE)
    if cipher:
        kdbx.kdbx.header.value.dynamic_header.cipher_id.data = cipher
    for number, passkey in enumerate(passkeys):
        entry = kdbx.add_entry(kdbx.root_group, f"entry {number}", passkey.name, "", url=f"https://{passkey.rp_id}")
        fill(entry, passkey)
    kdbx.save()
    return path


def fill(entry, passkey: Passkey):
    """The attributes of a passkey."""
    for name, value, protect in passkey.attributes():
        entry.set_custom_property(name, value, protect=protect)
    entry.tags = ["Passkey"]


def reasons(report: dict) -> list[str]:
    """What became of each, by account."""
    found = sorted((one["account"], "in" if one["taken"] else one["reason"]) for one in report["passkeys"])
    return [f"{account}: {outcome}" for account, outcome in found]


def same(found, expected):
    """Or the case fails."""
    if found != expected:
        raise Wrong(f"{found}, not {expected}")


def keepassxc_reads_ours():
    """KeePassXC's command line shows each attribute of what we write."""
    with Desk() as desk:
        keepassxc = KeePassXC(desk.lab)
        passkeys = [Passkey(), Passkey("EdDSA", "ed.example", "bob & <söhne>", os.urandom(40))]
        desk.with_passkeys(*passkeys)
        file = desk.take("kdbx", "ours.kdbx")
        names = keepassxc("ls", "-q", file).splitlines()
        same(sorted(names), ["ed.example (Passkey)", "example.com (Passkey)"])
        for passkey in passkeys:
            entry = f"{passkey.rp_id} (Passkey)"
            for name, value, _ in passkey.attributes():
                shown = keepassxc.attribute(file, entry, name)
                if name == "KPEX_PASSKEY_PRIVATE_KEY_PEM":
                    same(shown.strip(), value.strip())
                else:
                    same(shown, value)
            same(keepassxc.attribute(file, entry, "Tags"), "Passkey")
            same(keepassxc.attribute(file, entry, "UserName"), passkey.name)
            same(len(others.unbase64url(keepassxc.attribute(file, entry, "KPEX_PASSKEY_PRF"))), 32)


def keepassxc_writes_and_we_read():
    """What KeePassXC saves again comes into another phone; what it removes is
    in its recycle bin, and stays there."""
    with Desk() as desk:
        keepassxc = KeePassXC(desk.lab)
        kept, removed = Passkey("EdDSA", "kept.example", "kept"), Passkey("ES256", "removed.example", "removed")
        desk.with_passkeys(kept, removed)
        file = desk.take("kdbx", "ours.kdbx")
        before = file.read_bytes()
        keepassxc("mkdir", "-q", file, "/Sites")
        keepassxc("mv", "-q", file, "kept.example (Passkey)", "/Sites")
        keepassxc("add", "-q", "-u", "carol", "-p", file, "/A login", typed=f"{PASSPHRASE}\nhunter2\n")
        keepassxc("rm", "-q", file, "removed.example (Passkey)")
        # The major version; of the minor one it is the judge.
        if file.read_bytes()[10:12] != before[10:12] or file.read_bytes() == before:
            raise Wrong("KeePassXC did not save it as KDBX 4")
        other = desk.lab.phone("other")
        report = desk.bring(file, other)
        same(reasons(report), ["kept: in", "removed: recycled"])
        desk.phone = other
        desk.expect(kept)


def keepassxc_3_is_refused():
    """Debian's KeePassXC makes databases of version 3.1 by itself."""
    with Desk() as desk:
        keepassxc = KeePassXC(desk.lab)
        file = desk.folder / "old.kdbx"
        keepassxc("db-create", "-q", "-t", "100", "-p", file, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")
        desk.run("import", file).expect(2, "import.kdbx-version")


def pykeepass_writes_and_we_read():
    """Nested groups, an entry's history, an RS256 key, and KeePassDX's field."""
    with Desk() as desk:
        passkeys = [Passkey(name="one"), Passkey("EdDSA", name="two"), Passkey("RS256", name="three"), Passkey(name="four")]
        file = desk.folder / "nested.kdbx"
        kdbx = pykeepass.create_database(str(file), password=PASSPHRASE)
        group = kdbx.add_group(kdbx.add_group(kdbx.root_group, "Outer"), "Inner")
        kdbx.add_entry(kdbx.root_group, "A login", "dave", "hunter2")
        for passkey in passkeys:
            fill(kdbx.add_entry(group, passkey.name, passkey.name, "hunter2"), passkey)
        changed = kdbx.find_entries(title="one", first=True)
        changed.set_custom_property("KPEX_PASSKEY_PRF", others.base64url(bytes(range(32))), protect=True)
        changed.save_history()
        changed.title = "one, later"
        kdbx.trash_entry(kdbx.find_entries(title="four", first=True))
        kdbx.save()
        report = desk.bring(file)
        same(reasons(report), ["four: recycled", "one: in", "three: algorithm", "two: in"])
        named = [one["why"] for one in report["passkeys"] if one["reason"] == "algorithm"]
        if "RS256" not in named[0]:
            raise Wrong(f"RS256 is not named: {named}")
        desk.expect(*passkeys[:2])
        out = json.loads(desk.take("cxf", "prf.json").read_text())["accounts"][0]["items"]
        prf = [item["credentials"][0]["fido2Extensions"]["hmacCredentials"]["credWithUV"] for item in out]
        if others.base64url(bytes(range(32))) not in prf:
            raise Wrong("the secret of prf did not come along")


def each_cipher_of_kdbx():
    """ChaCha20 as well as AES; Twofish is named."""
    with Desk() as desk:
        passkey = Passkey()
        desk.bring(database(desk.folder / "chacha.kdbx", [passkey], "chacha20"))
        desk.expect(passkey)
        file = database(desk.folder / "twofish.kdbx", [passkey], "twofish")
        desk.run("import", file).expect(2, "import.encryption")


def pykeepass_reads_ours():
    """pykeepass opens what we write."""
    with Desk() as desk:
        passkey = Passkey()
        desk.with_passkeys(passkey)
        kdbx = pykeepass.PyKeePass(str(desk.take("kdbx", "ours.kdbx")), password=PASSPHRASE)
        same((kdbx.version, kdbx.encryption_algorithm), ((4, 0), "aes256"))
        [entry] = kdbx.entries
        for name, value, protect in passkey.attributes():
            same((entry.get_custom_property(name).strip(), entry.is_custom_property_protected(name)), (value.strip(), protect))


def bitwarden_plain():
    """An export of the website, and ours back."""
    with Desk() as desk:
        passkeys = [Passkey(), Passkey("ES256", "other.example", "bob", os.urandom(20))]
        report = desk.bring(desk.file("export.json", others.bitwarden_export(passkeys)))
        same(report["taken"], 2)
        desk.expect(*passkeys)
        check_bitwarden(json.loads(desk.take("bitwarden", "ours.json").read_text()), passkeys)


def bitwarden_under_a_passphrase():
    """Both key derivations in, ours out, each opened by the other side."""
    kdfs = (
        {"kdfType": 0, "kdfIterations": 600_000, "kdfMemory": None, "kdfParallelism": None},
        {"kdfType": 1, "kdfIterations": 3, "kdfMemory": 64, "kdfParallelism": 4},
    )
    for kdf in kdfs:
        with Desk() as desk:
            passkeys = [Passkey(), Passkey("ES256", "other.example", "bob", b"short")]
            sealed = others.bitwarden_seal(others.bitwarden_export(passkeys), PASSPHRASE, **kdf)
            desk.bring(desk.file("export.json", sealed))
            desk.expect(*passkeys)
            ours = json.loads(desk.take("bitwarden-encrypted", "ours.json").read_text())
            check_bitwarden(others.bitwarden_open(ours, PASSPHRASE), passkeys)
            wrong = desk.file("wrong.json", others.bitwarden_seal({}, "another", **kdf))
            desk.run("import", wrong).expect(2, "import.wrong-passphrase")


def check_bitwarden(export: dict, passkeys: list[Passkey]):
    """It has these, in the form of Bitwarden's own exports."""
    theirs = others.bitwarden_export(passkeys)
    for name in ("encrypted", "folders"):
        same(export[name], theirs[name])
    by_id = {item["login"]["fido2Credentials"][0]["credentialId"]: item for item in export["items"]}
    same(len(by_id), len(passkeys))
    for item in theirs["items"]:
        expected = item["login"]["fido2Credentials"][0]
        ours = by_id[expected["credentialId"]]
        same(sorted(ours), sorted(item))
        same(sorted(ours["login"]), sorted(item["login"]))
        found = ours["login"]["fido2Credentials"][0]
        same(sorted(found), sorted(expected))
        for name in set(expected) - {"keyValue", "creationDate", "rpName"}:
            same(found[name], expected[name])
        key = others.serialization.load_der_private_key(others.unbase64url(found["keyValue"]), None)
        [passkey] = [one for one in passkeys if one.bitwarden()["login"]["fido2Credentials"][0]["credentialId"] == found["credentialId"]]
        same(others.public_bytes(key), others.public_bytes(passkey.key))


def five_thousand_entries():
    """How long they take, and how much memory."""
    with Desk() as desk:
        one = Passkey()
        export = others.bitwarden_export([])
        for number in range(MANY):
            passkey = Passkey.__new__(Passkey)
            passkey.__dict__ = {**one.__dict__, "id": number.to_bytes(16), "rp_id": f"site-{number}.example"}
            export["items"].append(passkey.bitwarden())
        file = desk.file("many.json", export)
        report, seconds, mebibytes = measured(desk, file)
        same((report["taken"], report["left_out"]), (MANY, 0))
        return f"{file.stat().st_size >> 20} MiB in {seconds:.1f} s and {mebibytes} MiB of memory"


def bombs():
    """Files made to take a machine down take no more than others."""
    with Desk() as desk:
        nested = desk.file("nested.json", b'{"items":' + b"[" * (60 << 20))
        inner = desk.file("items.json", b'{"encrypted":false,"items":[' + b"0," * (30 << 20) + b"0]}")
        most = 0
        for file, error in ((nested, "import.too-deep"), (inner, "import.too-many"), (bomb(desk), "import.unpacks-too-large")):
            run, _, mebibytes = measured(desk, file, expect=error)
            most = max(most, mebibytes)
        return f"{most} MiB of memory at most"


def bomb(desk: Desk) -> Path:
    """A database of a few hundred KiB that unpacks to 256 MiB."""
    path = desk.folder / "bomb.kdbx"
    kdbx = pykeepass.create_database(str(path), password=PASSPHRASE)
    # As an attachment, which pykeepass packs for us.
    kdbx.add_binary(bytes(256 << 20), compressed=True, protected=False)
    kdbx.save()
    if path.stat().st_size > 2 << 20:
        raise Wrong(f"that is no bomb: {path.stat().st_size} bytes")
    return path


# A process counts the memory of whoever started it as its own, so this one is small.
WATCHER = """
import json, os, resource, sys, time
began = time.monotonic()
code = os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)[1])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([code, time.monotonic() - began, peak >> 10]), file=open(os.environ["WATCHED"], "w"))
"""


def measured(desk: Desk, file: Path, expect: str | None = None) -> tuple[dict | None, float, int]:
    """An import: its report, its seconds and its peak of memory in MiB."""
    command = [program("cablecar-phone"), "--vault", desk.phone.vault, "--passphrase-file", desk.phone.passphrase_file]
    command += ["import", file, "--format", "json", "--file-passphrase-file", desk.passphrase_file]
    watched = desk.folder / "watched"
    run = subprocess.run(
        [sys.executable, "-c", WATCHER, *map(str, command)], env={**desk.phone.env, "WATCHED": str(watched)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    code, seconds, mebibytes = json.loads(watched.read_text())
    if mebibytes > MEMORY:
        raise Wrong(f"{file.name} took {mebibytes} MiB, more than {MEMORY}")
    if expect:
        if code != 2 or f"({expect})" not in run.stderr:
            raise Wrong(f"{file.name}: {code}, {run.stderr}")
        return None, seconds, mebibytes
    if code:
        raise Wrong(f"{file.name}: {run.stderr}")
    return json.loads(run.stdout), seconds, mebibytes


CASES = {
    "keepassxc-reads-ours": keepassxc_reads_ours,
    "keepassxc-writes-and-we-read": keepassxc_writes_and_we_read,
    "keepassxc-3-is-refused": keepassxc_3_is_refused,
    "pykeepass-writes-and-we-read": pykeepass_writes_and_we_read,
    "pykeepass-reads-ours": pykeepass_reads_ours,
    "each-cipher-of-kdbx": each_cipher_of_kdbx,
    "bitwarden-plain": bitwarden_plain,
    "bitwarden-under-a-passphrase": bitwarden_under_a_passphrase,
    "five-thousand-entries": five_thousand_entries,
    "bombs": bombs,
}


if __name__ == "__main__":
    sys.exit(judge(CASES, sys.argv[1:]))
