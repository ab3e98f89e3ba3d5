"""A website whose verifier is not ours: py_webauthn."""

import json

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, InvalidRegistrationResponse
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from .programs import Wrong


class Site:
    """Makes options, remembers its challenge, and verifies what comes back."""

    def __init__(self, rp_id: str = "example.com", origin: str = "https://example.com"):
        self.rp_id, self.origin = rp_id, origin
        self.passkeys: dict[str, bytes] = {}  # credential id: public key
        self.challenge = b""

    def creation(self, name: str = "alice", exclude: list[str] = ()) -> dict:
        """Options to register an account."""
        options = generate_registration_options(
            rp_id=self.rp_id,
            rp_name="Example",
            user_id=name.encode(),
            user_name=name,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(id)) for id in exclude],
        )
        self.challenge = options.challenge
        return json.loads(options_to_json(options))

    def registered(self, response: dict) -> str:
        """Verifies a registration, and remembers the key; gives its id."""
        try:
            verified = verify_registration_response(
                credential=response,
                expected_challenge=self.challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except InvalidRegistrationResponse as refused:
            raise Wrong(f"the site refuses the registration: {refused}") from refused
        self.passkeys[response["id"]] = verified.credential_public_key
        return response["id"]

    def request(self, allow: list[str] = ()) -> dict:
        """Options to sign in, with one of these passkeys or with any."""
        options = generate_authentication_options(
            rp_id=self.rp_id,
            allow_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(id)) for id in allow],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        self.challenge = options.challenge
        return json.loads(options_to_json(options))

    def signed_in(self, response: dict) -> str:
        """Verifies a sign-in; gives the passkey's id."""
        key = self.passkeys.get(response.get("id"))
        if key is None:
            raise Wrong(f"the site knows no passkey {response.get('id')!r}")
        try:
            verify_authentication_response(
                credential=response,
                expected_challenge=self.challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origin,
                credential_public_key=key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except InvalidAuthenticationResponse as refused:
            raise Wrong(f"the site refuses the sign-in: {refused}") from refused
        return response["id"]
