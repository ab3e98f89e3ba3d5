"""Computers and phones, ours and other people's, in one form.

A computer's `begin(create, options, relay)` gives a run, of which `code(run)`
and `result(run)` know what it shows and what it comes to. A phone's
`scan(code, relay)` gives a run that ends with 0 if all went well. Nothing is
waited for longer than `PATIENCE`, in seconds.
"""

import json
from pathlib import Path

from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_attestation_object

import peer
from relays import Relay
from relying_party import ORIGIN

PATIENCE = 60.0


def way_to(relay: Relay) -> list[str]:
    """How our programs are sent to a relay. Its name and port 443 do, where they can be dialled."""
    return ["--connect-to", relay.connect_to] if relay.uri else []


class OurComputer:
    """cablecar."""

    name = "cablecar"
    needs_443, needs_tls13, asks_to_keep = False, False, True
    says_origin = ORIGIN

    def __init__(self, lab, built: Path):
        self.lab = lab

    def begin(self, create: bool, options: dict, relay: Relay):
        verb = "create" if create else "get"
        more = ["--ca-file", str(self.lab.ca_file), *way_to(relay)]
        return self.lab.desktop(verb, options, *more, origin=ORIGIN)

    def code(self, run) -> str:
        return run.code(PATIENCE)

    def result(self, run) -> dict:
        return run.result(PATIENCE)


class PeersComputer:
    """One of the programs of this workspace."""

    binary = ""
    needs_443, needs_tls13, asks_to_keep = False, False, True
    says_origin = ORIGIN

    def __init__(self, lab, built: Path):
        self.lab, self.path = lab, built / self.binary

    def begin(self, create: bool, options: dict, relay: Relay):
        ceremony = json.dumps({"origin": ORIGIN, "publicKey": options})
        env = {"SSL_CERT_FILE": str(self.lab.ca_file)}
        arguments = ["create" if create else "get", *self.way_to(relay)]
        return peer.start(self.lab, self.path, *arguments, stdin=ceremony, env=env)

    def way_to(self, relay: Relay) -> list[str]:
        return []

    def code(self, run) -> str:
        return run.said_of("code", PATIENCE)

    def result(self, run) -> dict:
        if (code := run.wait(PATIENCE)) != 0:
            raise peer.Wrong(f"{self.name} ended with {code}; it said: {run.said()}")
        result = run.last_of("result")
        if not isinstance(result, dict):
            raise peer.Wrong(f"{self.name} ended well without a result: {run.output!r}")
        return result


class KanidmComputer(PeersComputer):
    """webauthn-authenticator-rs. It is sent elsewhere only where no name can be dialled."""

    name, binary = "kanidm", "kanidm-desktop"
    asks_to_keep = False  # its library leaves `rk` out of what it asks
    says_origin = ORIGIN + "/"  # a URL, where an origin belongs

    def way_to(self, relay):
        return ["--tunnel-uri", relay.uri] if relay.uri else []

    def result(self, run):
        result = super().result(run)
        attested = result["response"].get("attestationObject")
        if attested and not result["id"]:
            # Its library leaves the id to its own relying party, and puts the
            # attestation's format where "public-key" belongs.
            parsed = parse_attestation_object(base64url_to_bytes(attested))
            id = bytes_to_base64url(parsed.auth_data.attested_credential_data.credential_id)
            result |= {"id": id, "rawId": id, "type": "public-key"}
        return result


class LibwebauthnComputer(PeersComputer):
    """libwebauthn."""

    name, binary = "libwebauthn", "libwebauthn-desktop"
    needs_443, needs_tls13 = True, True


class LibwebauthnOffering(LibwebauthnComputer):
    """libwebauthn, whose code offers Bluetooth's own channel (CTAP 2.3) too."""

    name = "libwebauthn, L2CAP offered"

    def way_to(self, relay):
        return ["--offer", "local"]


class OurPhone:
    """cablecar-phone, with a vault of its own."""

    name = "cablecar-phone"
    strict = True  # it verifies its owner, and finds passkeys by itself

    def __init__(self, lab, built: Path, label: str):
        self.lab, self.phone = lab, lab.phone(label)

    def scan(self, code: str, relay: Relay):
        more = ["--domain-id", str(relay.domain), "--ca-file", str(self.lab.ca_file), *way_to(relay)]
        return self.phone.scan(code, *more)


class KanidmPhone:
    """webauthn-authenticator-rs' soft token, with a file of its own."""

    name = "kanidm"
    strict = False

    def __init__(self, lab, built: Path, label: str):
        self.lab, self.path, self.token = lab, built / "kanidm-phone", lab.folder / f"{label}.token"

    def scan(self, code: str, relay: Relay):
        arguments = ["--token", str(self.token), "--domain-id", str(relay.domain)]
        if relay.uri:
            arguments += ["--tunnel-uri", relay.uri]
        env = {"SSL_CERT_FILE": str(self.lab.ca_file)}
        return peer.start(self.lab, self.path, *arguments, stdin=code + "\n", env=env)
