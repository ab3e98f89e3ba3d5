"""What Chromium sends to an authenticator that does not fit its request: a
command to be chosen by touch, so that the person learns why at the computer.

Our getInfo names FIDO_2_1, so Chromium takes authenticatorSelection (0x0B).
The other two forms, makeCredential for `.dummy` and a U2F frame, are for
authenticators that name less; `tests/tests/commands.rs` plays them.
"""

from lab import Wrong
from scene import Scene


def misfit(scene: Scene, verb: str, options: dict, before: str | None = None):
    """Chromium asks whether this is the phone to use, whoever holds it says
    yes, and the page gets an error. `before`: what was asked for first."""
    call = scene.ask(verb, options)
    sent = scene.chromium.said().count("<- 0xb (kAuthenticatorSelection)")
    scan = scene.scan(scene.code(call))
    call.expect("NotAllowedError")
    scan.expect(0)
    asked = [event["what"] for event in scan.events if event.get("event") == "asked"]
    if asked != [*([before] if before else []), "use this phone"]:
        raise Wrong(f"the person was asked {asked}")
    if scene.chromium.said().count("<- 0xb (kAuthenticatorSelection)") != sent + 1:
        raise Wrong(f"Chromium did not ask for a selection: {scene.chromium_said()}")


def selection():
    """Extensions that the page requires and the phone does not have."""
    with Scene() as scene:
        passkey = scene.register()
        protect = {"credentialProtectionPolicy": "userVerificationRequired"}
        protect["enforceCredentialProtectionPolicy"] = True
        for extensions in ({"largeBlob": {"support": "required"}}, protect):
            misfit(scene, "create", {**scene.site.creation("bob"), "extensions": extensions})
        if len(scene.phone.passkeys()) != 1:
            raise Wrong("a passkey was made")
        scene.sign_in([passkey])


def selection_after_a_refusal():
    """An algorithm that the phone does not have: it says so, then it is asked
    whether it was the one."""
    with Scene() as scene:
        options = scene.site.creation()
        options["pubKeyCredParams"] = [{"type": "public-key", "alg": -257}]
        misfit(scene, "create", options)
        if scene.phone.passkeys():
            raise Wrong("a passkey was made")
        scene.still_works()


def no_passkey():
    """A sign-in with a passkey that is on another phone."""
    with Scene() as scene:
        scene.register()
        call = scene.ask("get", scene.site.request(["AAAAAAAAAAAAAAAAAAAAAA"]))
        scan = scene.scan(scene.code(call))
        call.expect("NotAllowedError")
        scan.expect(5, "passkey.none")
        scene.sign_in()


CASES = {
    "selection": selection,
    "selection-after-a-refusal": selection_after_a_refusal,
    "no-passkey": no_passkey,
}
