"""A website whose verifier is neither ours nor a peer's: py_webauthn.

Stricter than the lab's `Site` in what it looks at, milder in what it asks
for: kanidm's soft token has no discoverable passkeys, and over this transport
it never says that it verified its owner when it signs in.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab import Wrong

RP_ID = "example.org"
ORIGIN = "https://example.org"
USER = b"cablecar-peers-user"


@dataclass
class Passkey:
    """What the site remembers of a passkey."""

    id: str
    key: bytes
    counter: int


class RelyingParty:
    """One site with one account. `strict`: the phone must verify its owner and
    keep the passkey where it can be found without its id. `origin`: where its
    page is, as the computer spells it."""

    def __init__(self, strict: bool, origin: str):
        self.strict, self.origin = strict, origin
        self.verification = (
            UserVerificationRequirement.REQUIRED if strict else UserVerificationRequirement.PREFERRED
        )
        self.passkey: Passkey | None = None
        self.challenge = b""

    def creation(self) -> dict:
        """Options to register."""
        kept = ResidentKeyRequirement.REQUIRED if self.strict else ResidentKeyRequirement.DISCOURAGED
        options = generate_registration_options(
            rp_id=RP_ID,
            rp_name="Example",
            user_id=USER,
            user_name="alice",
            user_display_name="Alice",
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=kept, user_verification=self.verification
            ),
            supported_pub_key_algs=[COSEAlgorithmIdentifier.ECDSA_SHA_256],
            timeout=60000,
        )
        self.challenge = options.challenge
        return json.loads(options_to_json(options))

    def registered(self, response: dict):
        """Verifies a registration and remembers the passkey."""
        try:
            verified = verify_registration_response(
                credential=response,
                expected_challenge=self.challenge,
                expected_rp_id=RP_ID,
                expected_origin=self.origin,
                require_user_presence=True,
                require_user_verification=self.strict,
                supported_pub_key_algs=[COSEAlgorithmIdentifier.ECDSA_SHA_256],
            )
        except (WebAuthnException, ValueError, KeyError) as refused:
            raise Wrong(f"the site refuses the registration: {refused}") from refused
        if bytes_to_base64url(verified.credential_id) != response["id"]:
            raise Wrong(f"the passkey's id is not the one that its attestation names: {response['id']}")
        self.passkey = Passkey(response["id"], verified.credential_public_key, verified.sign_count)

    def request(self, listed: bool) -> dict:
        """Options to sign in: with the passkey named in a list, or with any of the site's."""
        allow = [PublicKeyCredentialDescriptor(base64url_to_bytes(self.passkey.id))] if listed else []
        options = generate_authentication_options(
            rp_id=RP_ID, allow_credentials=allow, user_verification=self.verification, timeout=60000
        )
        self.challenge = options.challenge
        return json.loads(options_to_json(options))

    def signed_in(self, response: dict, listed: bool):
        """Verifies a sign-in with the passkey. One that was found by itself must say whose it is."""
        if response.get("id") != self.passkey.id:
            raise Wrong(f"the site knows no passkey {response.get('id')!r}")
        try:
            verified = verify_authentication_response(
                credential=response,
                expected_challenge=self.challenge,
                expected_rp_id=RP_ID,
                expected_origin=self.origin,
                credential_public_key=self.passkey.key,
                credential_current_sign_count=self.passkey.counter,
                require_user_verification=self.strict,
            )
        except (WebAuthnException, ValueError, KeyError) as refused:
            raise Wrong(f"the site refuses the sign-in: {refused}") from refused
        self.passkey.counter = verified.new_sign_count
        handle = response["response"].get("userHandle")
        if handle is not None and base64url_to_bytes(handle) != USER:
            raise Wrong(f"the sign-in is for another account: {handle}")
        if handle is None and not listed:
            raise Wrong("the sign-in does not say for which account it is")
