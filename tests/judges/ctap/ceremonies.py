"""python-fido2's client and server, and py_webauthn, with our authenticator."""

import json
import queue
from collections.abc import Callable

from device import PATIENCE, Device, Wrong
from fido2.attestation import PackedAttestation
from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.cose import CoseKey
from fido2.ctap2 import Ctap2
from fido2.ctap2.extensions import (
    CredBlobExtension,
    CredPropsExtension,
    CredProtectExtension,
    HmacSecretExtension,
    LargeBlobExtension,
)
from fido2.ctap2.pin import ClientPin
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from fido2.server import Fido2Server
from fido2.webauthn import AttestationConveyancePreference
from lab import Site
from packets import SIZE, Packets

PIN = "1234 grüße"
ORIGIN = "https://example.com"
ALGORITHMS = {"ES256": -7, "EdDSA": -8}


class Connection(CtapHidConnection):
    """Packets to and from the pipe."""

    def __init__(self, device: Device):
        self._device = device
        self._arrived: queue.Queue = queue.Queue()
        self._packets = Packets(device, self._arrived.put)

    def read_packet(self) -> bytes:
        if not (packet := self._arrived.get(timeout=PATIENCE)):
            raise OSError(f"the authenticator is gone: {self._device.said()}")
        return packet

    def write_packet(self, data: bytes):
        self._packets.take(data)

    def close(self):
        pass


class Person(UserInteraction):
    """Knows the PIN."""

    def prompt_up(self):
        pass

    def request_pin(self, permissions, rp_id):
        return PIN

    def request_uv(self, permissions, rp_id):
        return True


def ctap(device: Device) -> CtapHidDevice:
    """The device as python-fido2 has it."""
    descriptor = HidDescriptor("cablecar-ctap", 0, 0, SIZE, SIZE, "cablecar-phone ctap", None)
    return CtapHidDevice(descriptor, Connection(device))


def client(device: Device) -> Fido2Client:
    """A client with every extension that it has."""
    extensions = [
        HmacSecretExtension(allow_hmac_secret=True),
        LargeBlobExtension(),
        CredBlobExtension(),
        CredProtectExtension(),
        CredPropsExtension(),
    ]
    return Fido2Client(
        ctap(device),
        client_data_collector=DefaultClientDataCollector(ORIGIN),
        user_interaction=Person(),
        extensions=extensions,
    )


def with_pin(device: Device):
    """Sets the PIN, once."""
    pin = ClientPin(Ctap2(ctap(device)))
    if not pin.ctap.info.options["clientPin"]:
        pin.set_pin(PIN)


def ceremony(algorithm: str, verification: str) -> Callable[[Device], str]:
    """Registration and two sign-ins: with a list, and without one."""

    def run(device: Device) -> str:
        with_pin(device)
        rp = {"id": "example.com", "name": "Example"}
        server = Fido2Server(rp, attestation=AttestationConveyancePreference.DIRECT)
        one = CoseKey.for_alg(ALGORITHMS[algorithm]).ALGORITHM
        server.allowed_algorithms = [p for p in server.allowed_algorithms if p.alg == one]
        user = {"id": f"{algorithm} {verification}".encode(), "name": "ada", "displayName": "Ada"}
        options, state = server.register_begin(user, resident_key_requirement="required", user_verification=verification)
        made = client(device).make_credential(options.public_key)
        data = server.register_complete(state, made)
        expect(data.credential_data.public_key[3] == one, f"a key of {algorithm}")
        # What is kept for good takes the PIN, whatever the site wants.
        expect(data.is_user_verified(), "the UV flag of who gave the PIN")
        expect(data.is_backup_eligible() and not data.is_backed_up(), "it may be backed up, and is not yet")
        said = made.response.attestation_object
        expect(said.fmt == "packed", f"attestation packed, not {said.fmt}")
        PackedAttestation().verify(said.att_stmt, said.auth_data, made.response.client_data.hash)
        for known in ([data.credential_data], []):
            options, state = server.authenticate_begin(known, user_verification=verification)
            got = client(device).get_assertion(options.public_key)
            signed = [got.get_response(index) for index in range(len(got.get_assertions()))]
            mine = [one for one in signed if one.raw_id == data.credential_data.credential_id]
            expect(len(mine) == 1, "the new passkey is among those found, once")
            server.authenticate_complete(state, [data.credential_data], mine[0])
            signed = mine[0].response.authenticator_data
            expect(signed.is_user_verified() == (verification == "required"), "the UV flag tells what happened")
            expect(signed.counter == 0, "the counter stays 0")
        return "packed, self attested"

    return run


def attestation_none(device: Device) -> str:
    """The format that a client may ask for instead (CTAP 2.2, attestationFormatsPreference)."""
    made = Ctap2(ctap(device)).send_cbor(
        Ctap2.CMD.MAKE_CREDENTIAL,
        {
            1: bytes(32),
            2: {"id": "example.com"},
            3: {"id": b"none", "name": "ada"},
            4: [{"alg": -7, "type": "public-key"}],
            11: ["none"],
        },
    )
    expect(made[1] == "none" and made[3] == {}, f"attestation none, not {made[1]} {made[3]}")
    return "none"


def extensions(device: Device) -> str:
    """prf, hmac-secret, largeBlob, credProtect, credBlob and credProps."""
    with_pin(device)
    rp, user = {"id": "example.com", "name": "Example"}, {"id": b"extensions", "name": "ada"}
    server = Fido2Server(rp)
    options, state = server.register_begin(user, resident_key_requirement="required", user_verification="required")
    asked = {
        "prf": {},
        "largeBlob": {"support": "required"},
        "credBlob": b"a small blob",
        "credentialProtectionPolicy": "userVerificationRequired",
        "enforceCredentialProtectionPolicy": True,
        "credProps": True,
    }
    made = client(device).make_credential({**options["publicKey"], "extensions": asked})
    data = server.register_complete(state, made)
    told, signed = made.client_extension_results, data.extensions or {}
    expect(told["prf"]["enabled"] is True, "prf enabled")
    expect(told["largeBlob"]["supported"] is True, "large blobs supported")
    expect(told["credProps"]["rk"] is True, "credProps")
    expect(signed.get("credProtect") == 3, f"credProtect 3 in {signed}")
    expect(signed.get("credBlob") is True, f"credBlob stored, in {signed}")

    def sign_in(asked: dict):
        options, state = server.authenticate_begin([data.credential_data], user_verification="required")
        got = client(device).get_assertion({**options["publicKey"], "extensions": asked}).get_response(0)
        server.authenticate_complete(state, [data.credential_data], got)
        return got

    def prf(asked: dict) -> tuple[bytes, bytes]:
        found = sign_in({"prf": {"eval": asked}}).client_extension_results["prf"]["results"]
        return found["first"], found.get("second")  # as in JSON, base64url

    (one, none), (again, two) = prf({"first": b"1"}), prf({"first": b"1", "second": b"2"})
    expect(one == again and not none, "a prf gives the same for the same")
    expect(bool(two) and two != one and len(one) == len(two) == 43, "and another for another")
    blob = b"0123456789" * 300
    sign_in({"largeBlob": {"write": blob}})
    expect(sign_in({"largeBlob": {"read": True}}).client_extension_results.large_blob.blob == blob, "the large blob")
    got = sign_in({"getCredBlob": True})
    expect(got.response.authenticator_data.extensions.get("credBlob") == b"a small blob", "the small blob")
    # At this level it does not exist for whoever was not verified.
    options, _ = server.authenticate_begin([data.credential_data], user_verification="discouraged")
    try:
        client(device).get_assertion(options.public_key)
    except ClientError:
        return "prf, largeBlob, credBlob, credProtect, credProps"
    raise Wrong("a passkey that demands verification was used without")


def py_webauthn(device: Device) -> str:
    """Another verifier, which is nobody's here."""
    with_pin(device)
    site = Site("example.com", ORIGIN)
    made = client(device).make_credential(site.creation("grace"))
    id = site.registered(json.loads(json.dumps(dict(made))))
    got = client(device).get_assertion(site.request([id])).get_response(0)
    expect(site.signed_in(json.loads(json.dumps(dict(got)))) == id, "the same passkey")
    return "registration and sign-in"


def expect(fulfilled: bool, what: str):
    """Or the authenticator is wrong."""
    if not fulfilled:
        raise Wrong(f"expected: {what}")
