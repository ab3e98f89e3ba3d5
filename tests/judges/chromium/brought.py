"""A passkey that was made elsewhere signs in through our phone."""

import json
import os
import uuid

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lab import Wrong
from scene import Scene
from webauthn.helpers import bytes_to_base64url, encode_cbor


def bitwarden_passkey():
    """The account was made with Bitwarden; its export comes into the phone, and
    the phone signs in to the site that knows the account by that key alone."""
    with Scene() as scene:
        key, id, handle = ec.generate_private_key(ec.SECP256R1()), uuid.uuid4(), os.urandom(32)
        point = key.public_key().public_numbers()
        # What the site has kept since: a COSE key of kind EC2, ES256 on P-256.
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        passkey = bytes_to_base64url(id.bytes)
        scene.site.passkeys[passkey] = encode_cbor(public)
        file = scene.lab.folder / "bitwarden.json"
        file.write_text(json.dumps(export(key, id, handle)))
        brought = scene.phone.start("import", str(file), "--format", "json").result()
        if brought["taken"] != 1 or scene.phone.passkeys()[0]["credential_id"] != passkey:
            raise Wrong(f"it did not come in: {brought}")
        for allow in ([], [passkey]):
            got, _ = scene.sign_in(allow)
            if got["response"]["id"] != passkey:
                raise Wrong(f"it is another passkey: {got['response']}")
        if got["response"]["response"]["userHandle"] not in (None, bytes_to_base64url(handle)):
            raise Wrong(f"it is another account: {got['response']}")


def export(key: ec.EllipticCurvePrivateKey, id: uuid.UUID, handle: bytes) -> dict:
    """As Bitwarden's website writes it."""
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    passkey = {
        "credentialId": str(id), "keyType": "public-key", "keyAlgorithm": "ECDSA", "keyCurve": "P-256",
        "keyValue": bytes_to_base64url(der), "rpId": "localhost", "userHandle": bytes_to_base64url(handle),
        "userName": "alice", "counter": "0", "rpName": "Example", "userDisplayName": "Alice",
        "discoverable": "true", "creationDate": "2024-01-30T14:09:33.753Z",
    }  # fmt: skip
    login = {
        "fido2Credentials": [passkey], "uris": [{"match": None, "uri": "https://localhost"}],
        "username": "alice", "password": "hunter2", "totp": None,
    }  # fmt: skip
    item = {
        "passwordHistory": None, "revisionDate": "2024-01-30T14:09:33.753Z", "deletedDate": None,
        "creationDate": "2024-01-30T11:23:54.416Z", "id": str(uuid.uuid4()), "organizationId": None,
        "folderId": None, "type": 1, "reprompt": 0, "name": "Example", "notes": None, "favorite": False,
        "login": login, "collectionIds": None,
    }  # fmt: skip
    return {"encrypted": False, "folders": [], "items": [item]}


CASES = {"bitwarden-passkey": bitwarden_passkey}
