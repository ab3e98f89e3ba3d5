"""Chromium is the computer, and our phone answers."""

import base64
import copy
import hashlib
import json
import time
from collections.abc import Callable

from lab import Wrong
from lab.verdict import Skipped
from scene import Scene

# Two inputs of a page's for `prf`, in base64url.
FIRST, SECOND = "Zmlyc3Q", "c2Vjb25k"
GIVES_PRF = 156
"""The Chromium seen to give a page the secrets of the prf extension; 150 says that it is enabled, and no more."""
WAITING = 20.0
"""Seconds for which a tab is left with its code."""


def create():
    """A passkey is made."""
    with Scene() as scene:
        passkey = scene.register()
        if [one["credential_id"] for one in scene.phone.passkeys()] != [passkey]:
            raise Wrong("the vault holds something else")


def discoverable_get():
    """A sign-in that names no passkey; the site learns the account from it."""
    with Scene() as scene:
        passkey = scene.register("alice")
        got, _ = scene.sign_in()
        if got["response"]["id"] != passkey:
            raise Wrong("it is another passkey")
        if base64url(got["response"]["response"]["userHandle"]) != b"alice":
            raise Wrong(f"it is another account: {got['response']}")


def forged_results():
    """The control of all others: the site refuses what was changed by a bit,
    and what was made for another request or by another site."""
    with Scene() as scene:
        call = scene.ask("create", scene.site.creation())
        scan = scene.scan(scene.code(call))
        made = call.response()
        scene.site.registered(made)
        scan.expect(0)
        got, _ = scene.sign_in()
        got = got["response"]
        scene.site.signed_in(got)
        # The last byte of the signature, and the first of the RP ID's hash.
        refused(scene.site.signed_in, flipped(got, "signature", -1))
        refused(scene.site.signed_in, flipped(got, "authenticatorData", 0))
        refused(scene.site.signed_in, {**got, "id": "AAAA", "rawId": "AAAA"})
        hash_at = base64url(made["response"]["attestationObject"]).index(
            hashlib.sha256(b"localhost").digest()
        )
        challenge, scene.site.challenge = scene.site.challenge, b"another"
        refused(scene.site.signed_in, got)
        refused(scene.site.registered, made)
        scene.site.challenge, scene.site.origin = challenge, "http://localhost:1"
        refused(scene.site.signed_in, got)
        scene.site.origin = scene.site.address
        scene.site.challenge = base64url(
            json.loads(base64url(made["response"]["clientDataJSON"]))["challenge"]
        )
        scene.site.registered(made)
        refused(scene.site.registered, flipped(made, "attestationObject", hash_at))


def base64url(text: str) -> bytes:
    """What the text stands for."""
    return base64.urlsafe_b64decode(text + "==")


def flipped(response: dict, part: str, index: int) -> dict:
    """The response with one bit of a part changed."""
    forged = copy.deepcopy(response)
    content = bytearray(base64url(forged["response"][part]))
    content[index] ^= 1
    forged["response"][part] = base64.urlsafe_b64encode(content).decode().rstrip("=")
    return forged


def refused(verify: Callable, response: dict):
    """The site does not take it."""
    try:
        verify(response)
    except Wrong:
        return
    raise Wrong(f"the site takes a forged result: {response}")


def get_with_allow_list():
    """A sign-in with one of two passkeys."""
    with Scene() as scene:
        first = scene.register("alice")
        second = scene.register("bob")
        for wanted in (first, second):
            got, _ = scene.sign_in([wanted])
            if got["response"]["id"] != wanted:
                raise Wrong("it is another passkey")


def exclude_list_hit():
    """The phone has a passkey for this account."""
    with Scene() as scene:
        passkey = scene.register()
        call = scene.ask("create", scene.site.creation(exclude=[passkey]))
        scan = scene.scan(scene.code(call))
        call.expect("InvalidStateError")
        scan.expect(1, "passkey.already-registered")
        if len(scene.phone.passkeys()) != 1:
            raise Wrong("another passkey was made")
        scene.still_works()


def prf():
    """The same input gives the same secret, another one another."""
    with Scene() as scene:
        extension = {"prf": {"eval": {"first": FIRST, "second": SECOND}}}
        call = scene.ask("create", {**scene.site.creation(), "extensions": extension})
        scan = scene.scan(scene.code(call))
        made = call.response()
        passkey = scene.site.registered(made)
        scan.expect(0)
        results = [made["clientExtensionResults"]["prf"]]
        if results[0].get("enabled") is not True:
            raise Wrong(f"prf is not enabled: {results[0]}")
        for inputs in ({"first": FIRST, "second": SECOND}, {"first": SECOND}):
            for way in ({"eval": inputs}, {"evalByCredential": {passkey: inputs}}):
                got, _ = scene.sign_in([passkey], extensions={"prf": way})
                results.append(got["response"]["clientExtensionResults"]["prf"])
        if not any("results" in one for one in results) and int(Scene.version.split(".")[0]) < GIVES_PRF:
            raise Skipped(f"Chromium {Scene.version} gives a page no secrets; {GIVES_PRF} does")
        created, both, both_by_id, other, other_by_id = [one["results"] for one in results]
        if not created == both == both_by_id or other != other_by_id:
            raise Wrong(f"the secrets differ: {results}")
        if other["first"] != both["second"] or both["first"] == both["second"] or "second" in other:
            raise Wrong(f"the secrets are not those of their inputs: {results}")
        if any(len(base64url(secret)) != 32 for secret in both.values()):
            raise Wrong(f"a secret is not 32 bytes long: {both}")


def refused_on_the_phone():
    """The person says no."""
    with Scene() as scene:
        passkey = scene.register()
        for verb, options in (("get", scene.site.request([passkey])), ("create", scene.site.creation("bob"))):
            call = scene.ask(verb, options)
            scan = scene.scan(scene.code(call), consent="deny")
            scan.expect(4, "consent.declined")
            call.expect("NotAllowedError")
        if len(scene.phone.passkeys()) != 1:
            raise Wrong("a passkey was made all the same")
        scene.still_works()


def page_aborts():
    """The page takes its request back while the person is asked."""
    with Scene() as scene:
        call = scene.ask("create", scene.site.creation())
        scan = scene.scan(scene.code(call), consent="after=60000")
        scan.wait_for(lambda event: event.get("event") == "asked")
        call.take_back(scene.tab)
        call.expect("AbortError")
        scan.expect(1, "peer.cancelled", 20.0)
        if scene.phone.passkeys():
            raise Wrong("a passkey was made all the same")
        scene.still_works()


def wrong_phone():
    """A phone that scanned another code is near; the right one comes later."""
    with Scene() as scene:
        old = scene.ask("create", scene.site.creation())
        old_code = scene.code(old)
        old.take_back(scene.tab)
        old.expect("AbortError")
        call = scene.ask("create", scene.site.creation())
        code = scene.code(call)
        stranger = scene.scan(old_code, phone=scene.lab.phone("stranger"))
        stranger.stage("waiting-for-computer")
        scene.chromium_hears_it()
        time.sleep(2.0)  # for as long it is on the air and nothing may happen
        if not call.pending():
            raise Wrong(f"the page got {call.settled()} from a stranger")
        scan = scene.scan(code)
        scene.site.registered(call.response())
        scan.expect(0)
        if any(event.get("stage") == "connected" for event in stranger.events):
            raise Wrong("the stranger was let in")
        stranger.stop()


def relay_down():
    """The relay is gone, and comes back."""
    with Scene() as scene:
        call = scene.ask("create", scene.site.creation())
        code, port = scene.code(call), scene.relay.port
        scene.relay.stop()
        scene.scan(code).expect(7, "relay.unreachable")
        if not call.pending():
            raise Wrong(f"the page got {call.settled()}")
        call.take_back(scene.tab)
        call.expect("AbortError")
        scene.relay = scene.lab.relay(port=port)
        scene.still_works()


def relay_dies():
    """The relay goes while the person is asked."""
    with Scene() as scene:
        call = scene.ask("create", scene.site.creation())
        port = scene.relay.port
        scan = scene.scan(scene.code(call), consent="after=60000")
        scan.wait_for(lambda event: event.get("event") == "asked")
        scene.relay.run.process.kill()
        scan.expect(7, "relay.broken", 20.0)
        call.expect("NotAllowedError")
        scene.relay.stop()
        scene.relay = scene.lab.relay(port=port)
        scene.still_works()


def two_sign_ins():
    """One after the other, in one tab."""
    with Scene() as scene:
        scene.register()
        codes = set(scene.seen)
        scene.sign_in()
        scene.sign_in()
        if len(scene.seen - codes) != 2:
            raise Wrong("the second sign-in showed no code of its own")


def tab_left_waiting():
    """A code stays on the screen of one tab while nobody comes and another tab
    signs in; Chromium keeps waiting, and then somebody comes after all."""
    with Scene() as scene:
        passkey = scene.register()
        call = scene.ask("get", scene.site.request([passkey]))
        code, challenge = scene.code(call), scene.site.challenge
        left_at = time.monotonic()
        other = scene.chromium.tab(scene.site.address)
        scene.sign_in([passkey], tab=other)
        while time.monotonic() < left_at + WAITING:
            if not call.pending():
                raise Wrong(f"the page got {call.settled()} while nobody came")
            time.sleep(0.2)
        other.close()
        scene.tab.to_front()
        scan = scene.scan(code)
        scene.site.challenge = challenge
        scene.site.signed_in(call.response())
        scan.expect(0)


CASES = {
    "create": create,
    "discoverable-get": discoverable_get,
    "forged-results": forged_results,
    "get-with-allow-list": get_with_allow_list,
    "exclude-list-hit": exclude_list_hit,
    "prf": prf,
    "refused-on-the-phone": refused_on_the_phone,
    "page-aborts": page_aborts,
    "wrong-phone": wrong_phone,
    "relay-down": relay_down,
    "relay-dies": relay_dies,
    "two-sign-ins": two_sign_ins,
    "tab-left-waiting": tab_left_waiting,
}
