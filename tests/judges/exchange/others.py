"""Other programs' side of each format: their cryptography and their writers."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import uuid

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from lab import Wrong
from lab.verdict import Skipped

PASSPHRASE = "of the file"


def base64url(content: bytes) -> str:
    """As most formats write bytes."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def unbase64url(text: str) -> bytes:
    """And back."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Passkey:
    """A passkey of another program's making."""

    def __init__(self, kind: str = "ES256", rp_id: str = "example.com", name: str = "alice", id: bytes | None = None):
        self.kind, self.rp_id, self.name = kind, rp_id, name
        self.id = os.urandom(16) if id is None else id
        self.handle = os.urandom(24)
        self.key = {
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
        }[kind]()

    def pkcs8(self, pem: bool = False) -> bytes:
        """Its private key."""
        encoding = serialization.Encoding.PEM if pem else serialization.Encoding.DER
        return self.key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def same(self, id: str, rp_id: str, handle: str, key: bytes) -> bool:
        """Whether this is it, as another file has it; `key` is PKCS#8."""
        load = serialization.load_pem_private_key if key.startswith(b"-----") else serialization.load_der_private_key
        public = public_bytes(load(key, None))
        return (id, rp_id, handle, public) == (
            base64url(self.id), self.rp_id, base64url(self.handle), public_bytes(self.key)
        )  # fmt: skip

    def bitwarden(self) -> dict:
        """An item of an export of Bitwarden's website."""
        uuid_or_not = str(uuid.UUID(bytes=self.id)) if len(self.id) == 16 else "b64." + base64url(self.id)
        passkey = {
            "credentialId": uuid_or_not, "keyType": "public-key", "keyAlgorithm": "ECDSA", "keyCurve": "P-256",
            "keyValue": base64url(self.pkcs8()), "rpId": self.rp_id, "userHandle": base64url(self.handle),
            "userName": self.name, "counter": "0", "rpName": "Example", "userDisplayName": self.name.title(),
            "discoverable": "true", "creationDate": "2024-01-30T14:09:33.753Z",
        }  # fmt: skip
        return {
            "passwordHistory": None, "revisionDate": "2024-01-30T14:09:33.753Z",
            "creationDate": "2024-01-30T11:23:54.416Z", "deletedDate": None, "id": str(uuid.uuid4()),
            "organizationId": None, "folderId": None, "type": 1, "reprompt": 0, "name": "Example", "notes": None,
            "favorite": False, "collectionIds": None,
            "login": {
                "fido2Credentials": [passkey], "uris": [{"match": None, "uri": f"https://{self.rp_id}"}],
                "username": self.name, "password": "hunter2", "totp": None,
            },
        }  # fmt: skip

    def attributes(self) -> list[tuple[str, str, bool]]:
        """KeePassXC's attributes: name, value, whether it is protected."""
        return [
            ("KPEX_PASSKEY_USERNAME", self.name, False),
            ("KPEX_PASSKEY_CREDENTIAL_ID", base64url(self.id), True),
            ("KPEX_PASSKEY_PRIVATE_KEY_PEM", self.pkcs8(pem=True).decode(), True),
            ("KPEX_PASSKEY_RELYING_PARTY", self.rp_id, False),
            ("KPEX_PASSKEY_USER_HANDLE", base64url(self.handle), True),
            ("KPEX_PASSKEY_FLAG_BE", "1", False),
            ("KPEX_PASSKEY_FLAG_BS", "1", False),
        ]


def public_bytes(key) -> bytes:
    """What a site would keep."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def bitwarden_export(passkeys: list[Passkey]) -> dict:
    """A plain export."""
    return {"encrypted": False, "folders": [], "items": [passkey.bitwarden() for passkey in passkeys]}


def bitwarden_keys(export: dict, passphrase: str) -> tuple[bytes, bytes]:
    """The two keys of an export under a passphrase."""
    secret, salt = passphrase.encode(), export["salt"].encode()
    if export["kdfType"] == 0:
        key = hashlib.pbkdf2_hmac("sha256", secret, salt, export["kdfIterations"], 32)
    else:
        memory, lanes = export["kdfMemory"] * 1024, export["kdfParallelism"]
        salt = hashlib.sha256(salt).digest()
        key = hash_secret_raw(secret, salt, export["kdfIterations"], memory, lanes, 32, Type.ID)
    return tuple(HKDFExpand(hashes.SHA256(), 32, info).derive(key) for info in (b"enc", b"mac"))


def bitwarden_seal(plain: dict, passphrase: str, **kdf) -> dict:
    """An export under a passphrase."""
    export = {"encrypted": True, "passwordProtected": True, "salt": base64.b64encode(os.urandom(16)).decode(), **kdf}
    enc, mac = bitwarden_keys(export, passphrase)

    def seal(text: bytes) -> str:
        iv, padding = os.urandom(16), 16 - len(text) % 16
        cipher = Cipher(algorithms.AES(enc), modes.CBC(iv)).encryptor()
        sealed = cipher.update(text + bytes([padding]) * padding) + cipher.finalize()
        tag = hmac.new(mac, iv + sealed, "sha256").digest()
        return "2." + "|".join(base64.b64encode(part).decode() for part in (iv, sealed, tag))

    export["encKeyValidation_DO_NOT_EDIT"] = seal(str(uuid.uuid4()).encode())
    export["data"] = seal(json.dumps(plain).encode())
    return export


def bitwarden_open(export: dict, passphrase: str) -> dict:
    """What is in one; whoever did not seal it right is found out."""
    enc, mac = bitwarden_keys(export, passphrase)

    def unseal(text: str) -> bytes:
        iv, sealed, tag = (base64.b64decode(part) for part in text.removeprefix("2.").split("|"))
        if not text.startswith("2.") or not hmac.compare_digest(hmac.new(mac, iv + sealed, "sha256").digest(), tag):
            raise Wrong("what was sealed does not open")
        cipher = Cipher(algorithms.AES(enc), modes.CBC(iv)).decryptor()
        padded = cipher.update(sealed) + cipher.finalize()
        return padded[: -padded[-1]]

    uuid.UUID(unseal(export["encKeyValidation_DO_NOT_EDIT"]).decode())
    return json.loads(unseal(export["data"]))


class KeePassXC:
    """KeePassXC's own command line."""

    def __init__(self, lab):
        self.program = shutil.which("keepassxc-cli")
        if not self.program:
            raise Skipped("no keepassxc-cli; on Debian: apt-get install keepassxc")
        self.env = {**lab.env, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(lab.folder / "config")}

    def __call__(self, verb: str, *arguments, typed: str = PASSPHRASE + "\n") -> str:
        """What it prints."""
        command = [self.program, verb, *map(str, arguments)]
        run = subprocess.run(command, input=typed, env=self.env, text=True, capture_output=True, timeout=120, check=False)
        if run.returncode:
            raise Wrong(f"keepassxc-cli {verb} ended with {run.returncode}: {run.stderr[-500:]}")
        return run.stdout

    def attribute(self, database, entry: str, name: str) -> str:
        """The value of an attribute, protected or not."""
        return self("show", "-q", "-s", "-a", name, database, entry).removesuffix("\n")
