"""Registrations and sign-ins with a phone: python-fido2's client and server,
and libfido2's tools, at the key; our phone over a mock radio and our relay."""

import re
import shutil
import socket
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tools
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap import CtapError
from fido2.ctap2 import Ctap2
from fido2.server import Fido2Server
from fido2.webauthn import AttestedCredentialData
from hosts import CANCELLED, begin, expect
from key import CANCEL, PATIENCE, SIZE, Host, Key, opened
from lab import Lab, Run, Wrong
from lab.display import wait_until
from lab.verdict import Skipped

ORIGIN = "https://example.com"


class World:
    """A key that is plugged in, a relay, and a phone."""

    def __init__(self, lab: Lab, kind: type[Key] = Key, uhid: bool = False):
        self.lab, self.relay, self.phone = lab, lab.relay(), lab.phone()
        self.key = kind(lab, self.relay, uhid)
        self.pool = ThreadPoolExecutor()

    def scan(self, *arguments: str, consent: str | None = "allow") -> Run:
        """The phone scans the next code."""
        return self.phone.scan(self.key.code(), *arguments, relay=self.relay, consent=consent)

    def with_phone(self, call, *arguments: str, consent: str | None = "allow"):
        """What a call gives in whose course the phone is asked, and the phone's run."""
        waiting = self.pool.submit(call)
        wait_until(lambda: waiting.done() or self.key.has_code(), PATIENCE, "a code")
        if waiting.done():
            waiting.result()
            raise Wrong("it needed no phone")
        scan = self.scan(*arguments, consent=consent)
        return waiting.result(PATIENCE), scan


def with_world(case, kind: type[Key] = Key, uhid: bool = False):
    """The case with a world in which the key ends well."""

    def run():
        with Lab() as lab:
            world = World(lab, kind, uhid)
            try:
                said = case(world)
                world.key.stop()
            finally:
                world.key.run.stop()
                world.pool.shutdown(cancel_futures=True)
            return said

    return run


class Person(UserInteraction):
    """Has a phone, and no PIN."""

    def prompt_up(self):
        pass

    def request_pin(self, permissions, rp_id):
        raise Wrong("it asks for a PIN")

    def request_uv(self, permissions, rp_id):
        return True


def client(key: Key) -> Fido2Client:
    """python-fido2's client at the key."""
    collector = DefaultClientDataCollector(ORIGIN)
    return Fido2Client(opened(key), client_data_collector=collector, user_interaction=Person())


def site() -> Fido2Server:
    """A website."""
    return Fido2Server({"id": "example.com", "name": "Example"})


def register(world: World, server: Fido2Server, name: bytes = b"ada"):
    """A registration that the server has verified; its credential and the phone's run."""
    user = {"id": name, "name": name.decode(), "displayName": name.decode()}
    options, state = server.register_begin(user, resident_key_requirement="required", user_verification="required")
    made, scan = world.with_phone(lambda: client(world.key).make_credential(options.public_key))
    data = server.register_complete(state, made)
    expect(data.is_user_verified() and data.credential_data is not None, "the person was verified")
    return data.credential_data, scan


def sign_in(world: World):
    """Registered, and signed in with any passkey of the site."""
    server = site()
    passkey, scan = register(world, server)
    # A phone that stays is asked again, without another code.
    options, state = server.authenticate_begin([], user_verification="required")
    got = client(world.key).get_assertion(options.public_key).get_response(0)
    server.authenticate_complete(state, [passkey], got)
    expect(world.key.shown() == 1, "one code for both")
    expect(got.response.user_handle == b"ada", f"whose it is, not {got.response.user_handle}")
    # Another session, with a code of its own.
    scan.stop()
    options, state = server.authenticate_begin([], user_verification="required")
    got, again = world.with_phone(lambda: client(world.key).get_assertion(options.public_key).get_response(0))
    server.authenticate_complete(state, [passkey], got)
    expect(world.key.told("asked") == 3, "each was told")
    again.stop()
    # This library asks silently first, and then for the one that it was told:
    # the phone is asked for all of them, and has the second.
    stranger = AttestedCredentialData.create(passkey.aaguid, bytes(32), passkey.public_key)
    options, state = server.authenticate_begin([stranger, passkey], user_verification="required")
    got, third = world.with_phone(lambda: client(world.key).get_assertion(options.public_key).get_response(0))
    server.authenticate_complete(state, [passkey], got)
    third.stop()
    # A host that asks for the whole list at once.
    whole = [{"type": "public-key", "id": id} for id in (bytes(32), passkey.credential_id)]
    got, _ = world.with_phone(lambda: Ctap2(opened(world.key)).get_assertion("example.com", bytes(32), whole))
    expect(got.credential["id"] == passkey.credential_id, "the passkey of the list")
    return "registered, and signed in twice"


def refused(world: World):
    """The person at the phone says no, and the host hears it."""
    options, _ = site().register_begin({"id": b"ada", "name": "ada"}, resident_key_requirement="required")
    waiting = world.pool.submit(lambda: client(world.key).make_credential(options.public_key))
    scan = world.scan(consent="deny")
    try:
        waiting.result(PATIENCE)
    except ClientError as error:
        cause = error.cause
        expect(isinstance(cause, CtapError) and cause.code == CtapError.ERR.OPERATION_DENIED, f"denied, not {error}")
    else:
        raise Wrong("a refusal made a passkey")
    scan.stop()
    expect(not world.phone.passkeys(), "nothing was made")
    world.key.run.wait_for(lambda event: event.get("id") == "phone.declined", PATIENCE)


def withdrawn(world: World):
    """CANCEL takes the question off the phone."""
    folder: Path = world.lab.folder
    asker = folder / "asker"
    asker.write_text(f"#!/bin/sh\nread -r a; touch '{folder}/asked'; read -r b; printf '%s' \"$b\" >'{folder}/end'\n")
    asker.chmod(0o700)
    event = threading.Event()
    ctap = Ctap2(opened(world.key))
    waiting = world.pool.submit(
        lambda: ctap.make_credential(
            bytes(32), {"id": "example.com", "name": "x"}, {"id": b"ada", "name": "ada"},
            [{"type": "public-key", "alg": -7}], event=event,
        )  # fmt: skip
    )
    scan = world.scan("--consent-command", str(asker), consent=None)
    wait_until(lambda: (folder / "asked").exists(), PATIENCE, "the phone asks")
    event.set()
    try:
        waiting.result(PATIENCE)
    except CtapError as error:
        expect(error.code == CtapError.ERR.KEEPALIVE_CANCEL, f"cancelled, not {error}")
    else:
        raise Wrong("it was answered all the same")
    wait_until(lambda: (folder / "end").exists() and (folder / "end").read_text(), PATIENCE, "the phone is told")
    expect((folder / "end").read_text() == '{"withdrawn":true}', "the question was withdrawn")
    scan.wait()
    expect(not world.phone.passkeys(), "nothing was made")


def unplugged(world: World):
    """Pulled out while the phone asks: its question goes."""
    folder: Path = world.lab.folder
    asker = folder / "asker"
    asker.write_text(f"#!/bin/sh\nread -r a; touch '{folder}/asked'; read -r b; printf '%s' \"$b\" >'{folder}/end'\n")
    asker.chmod(0o700)
    begin(Host(world.key))
    scan = world.scan("--consent-command", str(asker), consent=None)
    wait_until(lambda: (folder / "asked").exists(), PATIENCE, "the phone asks")
    world.key.stop()
    scan.wait()
    expect((folder / "end").read_text() == '{"withdrawn":true}', "the question was withdrawn")
    world.key = Key(world.lab, world.relay)


def again(world: World):
    """Who took back what it asked gets a phone the next time."""
    host = Host(world.key)
    begin(host)
    world.key.code()
    host.send(CANCEL)
    host.expect(CANCELLED)
    register(world, site())


def page(world: World) -> str:
    """The code on a page in the browser, as a service shows it; and nothing of it in the log."""
    world.key.stop()
    folder: Path = world.lab.folder
    opened_page, browser = folder / "opened", folder / "browser"
    browser.write_text(f"#!/bin/sh\nprintf '%s' \"$1\" >'{opened_page}.new' && mv '{opened_page}.new' '{opened_page}'\n")
    browser.chmod(0o700)
    world.key = Key(world.lab, world.relay, env={"BROWSER": str(browser)}, show=("--show", "page"))
    options, state = site().register_begin({"id": b"ada", "name": "ada"}, resident_key_requirement="required")
    waiting = world.pool.submit(lambda: client(world.key).make_credential(options.public_key))
    wait_until(opened_page.exists, PATIENCE, "the browser is opened")
    url = opened_page.read_text()
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        text = answer.read().decode()
    expect("Make a passkey for example.com" in text and "<svg" in text, f"the wish and the code, in {text[:500]}")
    code = re.search(r"FIDO:/\d+", text)
    expect(code is not None, "the code's text")
    world.phone.scan(code[0], relay=world.relay, consent="allow")
    site().register_complete(state, waiting.result(PATIENCE))
    said = "\n".join(world.key.run.lines)
    expect("FIDO:/" not in said and url not in said, f"no secret in {said}")
    return "registered"


class Bench(tools.Bench):
    """libfido2's tools, whose reports go to the key as they are."""

    def __init__(self, world: World, folder: Path):
        self.world = world
        folder.mkdir()
        super().__init__(None, folder)

    def _serve(self):
        while True:
            try:
                host, _ = self._listener.accept()
            except OSError:
                return
            with host:
                self._join(host)

    def _join(self, host: socket.socket):
        wire = self.world.key.wire
        self.world.key.listeners.append(host)
        try:
            # A report's number, and the report.
            while report := host.recv(1 + SIZE):
                wire.send(report[1:])
        except OSError:
            pass
        finally:
            self.world.key.listeners.remove(host)


def libfido2(rp: str):
    """fido2-token and fido2-assert, for this RP ID."""

    def case(world: World):
        if not shutil.which("fido2-token"):
            raise Skipped("no fido2-token; on Debian: apt-get install fido2-tools")
        bench = Bench(world, world.lab.folder / "tools")
        said = bench.run("fido2-token", "-I", tools.NODE)
        for part in ("FIDO_2_1", "hybrid", "maxmsgsiz: 7609"):
            expect(part in said, f"{part} in {said}")
        before, tools.RP = tools.RP, rp
        try:
            # fido2-cred prints nothing but what is attested, and a phone attests
            # only if a website wants it.
            made, scan = world.with_phone(
                lambda: Ctap2(opened(world.key)).make_credential(
                    bytes(32), {"id": rp, "name": rp}, {"id": b"ada", "name": "ada"},
                    [{"type": "public-key", "alg": -7}], options={"rk": True},
                )  # fmt: skip
            )
            data = made.auth_data.credential_data
            id, public = tools.base64_of(data.credential_id), pem(data.public_key)
            tools.sign_in(bench, "es256", id, public, "-p")
            expect(world.key.shown() == 1, "the phone that stayed is asked again")
            scan.stop()
            world.with_phone(lambda: tools.sign_in(bench, "es256", id, public, "-p"))
        finally:
            tools.RP = before
            bench.close()
        return "informed, signed in twice"

    return case


def pem(key) -> str:
    """A COSE key as OpenSSL has it."""
    point = ec.EllipticCurvePublicNumbers(
        *(int.from_bytes(key[part], "big") for part in (-2, -3)), ec.SECP256R1()
    )  # fmt: skip
    public = point.public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.PEM, form).decode()


CASES = {
    "sign-in": with_world(sign_in),
    "refused": with_world(refused),
    "withdrawn": with_world(withdrawn),
    "unplugged": with_world(unplugged),
    "again": with_world(again),
    "page": with_world(page),
    "libfido2": with_world(libfido2("example.com")),
    "libfido2-no-domain": with_world(libfido2("pam://desk")),
}
