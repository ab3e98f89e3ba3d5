"""What is the browser's own stays the browser's own: told by the answer of a
security key that is in the browser."""

import contextlib
import json

from cases import decoded, must, own
from lab import Wrong
from lab.display import Missing, wait_until
from lab.verdict import Skipped
from scene import HOST, SHOWN, WINDOW, Scene
from website import HERE

# Requests that no phone is for.
SECURITY_KEY = {"hints": ["security-key"]}


def switched_off(scene: Scene):
    """Nothing of ours is in a page before the person switches it on, nor
    after they switched it off; between the two it is."""
    site, page = scene.site(on=False)
    page.plug_in()
    untouched = "/native code/.test(CredentialsContainer.prototype.get + CredentialsContainer.prototype.create)"
    must(page.evaluate(untouched), "a page is changed that nobody switched on")
    must(own(scene.ask(page, "create", site.creation())), "it is not the browser's")
    scene.switch_on(page, site)
    must(not page.evaluate(untouched), "it is on, and nothing is there")
    call = scene.ask(page, "get", site.request())
    scene.window(call).click("#cancel")
    call.expect("NotAllowedError")
    # Other sites are not on by that.
    other_site, other = scene.site(on=False)
    must(other.evaluate(untouched), "another site is on, too")
    other.close()
    scene.no_window()
    with contextlib.closing(scene.browser.popup(page)) as popup:
        popup.click("#site")
        off = "!document.querySelector('#site').checked && !document.querySelector('#site').disabled"
        try:
            wait_until(lambda: popup.evaluate(off), SHOWN, "the switch to be off")
        except Missing:
            # There the judge's grant is made on a page of Chromium's own, which
            # older ones let no extension give back.
            if scene.engine == "chromium" and int(scene.browser.version.split(".")[0]) < 156:
                raise Skipped(f"Chromium {scene.browser.version} keeps what is granted in its settings") from None
            raise
    # The page that is open is left alone at once, the next one is untouched.
    must(own(scene.ask(page, "create", site.creation())), "it is not the browser's")
    page.go(f"{site.address}/again")
    wait_until(lambda: scene.is_ready(page) and page.evaluate("location.pathname") == "/again", SHOWN, "the page")
    must(page.evaluate(untouched), "a page is changed after the switch was off")


def not_here(scene: Scene):
    """The person would rather use what the browser has."""
    site, page = scene.site()
    page.plug_in()
    call = scene.ask(page, "create", site.creation())
    scene.code(call)
    scene.window(call).click("#not-here")
    must(own(call), "it is not the browser's")
    scene.no_window()


def others_own(scene: Scene):
    """Requests for this computer and for security keys open nothing."""
    site, page = scene.site()
    page.plug_in()
    selection = site.creation()["authenticatorSelection"]
    call = scene.ask(page, "create", site.creation(hints=["security-key"]))
    must(own(call), "security-key hint: not the browser's")
    key = call.settled()["response"]
    site.registered(key)
    usb = [{"type": "public-key", "id": key["id"], "transports": ["usb", "nfc"]}]
    for more in {"allowCredentials": usb}, {"hints": ["security-key", "hybrid"]}:
        call = scene.ask(page, "get", site.request([key["id"]]) | more)
        must(call.made()["response"]["id"] == key["id"], f"{more}: it is not the browser's")
    # For this computer: the security key cannot answer, and nobody shows a code.
    platform = {"authenticatorSelection": {**selection, "authenticatorAttachment": "platform"}}
    internal = [{"type": "public-key", "id": key["id"], "transports": ["internal"]}]
    for verb, options in (
        ("create", site.creation(**platform)),
        ("create", site.creation(hints=["client-device"])),
        ("get", site.request() | {"allowCredentials": internal}),
    ):
        before = scene.engine == "chromium" and scene.browser.shows(WINDOW)
        call = scene.ask(page, verb, options)
        # It is with the browser once a request after it is: they are taken in order.
        after = scene.ask(page, "create", site.creation(**SECURITY_KEY))
        with contextlib.suppress(Wrong):
            after.settled(2.0)
        must(not before and not scene.browser.shows(WINDOW), f"{verb} {options}: a window was opened")
        page.evaluate(f"takeBack({call.number}), takeBack({after.number})")
        call.settled()
    # What may be on a phone is asked of one, whatever else it may be on.
    for more in {"transports": ["usb", "hybrid"]}, {}:
        mixed = [{"type": "public-key", "id": key["id"], **more}]
        call = scene.ask(page, "get", site.request() | {"allowCredentials": mixed})
        scene.window(call).click("#cancel")
        call.expect("NotAllowedError")
        scene.no_window()


def not_allowed(scene: Scene):
    """The site's own Permissions Policy forbids it."""
    site, page = scene.site("/none/")
    for verb, options in ("get", site.request()), ("create", site.creation()):
        scene.ask(page, verb, options).expect("NotAllowedError")
        must(not scene.browser.shows(WINDOW), "a window was opened all the same")


def framed(scene: Scene, allow: str | None, on: bool = True):
    """A page with a frame of another site; gives the frame's site and the page."""
    inner, tab = scene.site(on=on)
    tab.close()
    outer, page = scene.site()
    page.evaluate(f"frame('{inner.address}/', {json.dumps(allow)})")
    return inner, outer, page


def frame_allowed(scene: Scene):
    """A frame of another origin that may ask: the site is told who is around it."""
    # A registration there needs a passkey of the frame's own site first.
    site, page = scene.site()
    passkey = scene.register(page, site)
    outer, around = scene.site()
    around.evaluate(f"frame('{site.address}/', 'publickey-credentials-get; publickey-credentials-create')")
    call = scene.ask_in_frame(around, "get", site.request([passkey]))
    scan = scene.scan(scene.code(call))
    made = call.made()
    scan.expect(0)
    site.signed_in(made["response"])
    site.checked("get", made["response"])
    data = json.loads(decoded(made["seen"]["clientDataJSON"]))
    must(data["origin"] == site.origin and data["crossOrigin"] is True, f"the site is told {data}")
    must(data["topOrigin"] == outer.origin, f"the site is told {data}")
    # Without the person's switch for the page around it, it is the browser's.
    inner, outer, page = framed_off(scene, site)
    call = scene.ask_in_frame(page, "get", inner.request([passkey]))
    page.evaluate("new Promise((done) => setTimeout(done, 500))")
    must(not scene.browser.shows(WINDOW), "a window for a page that is not on")
    page.close()


def framed_off(scene: Scene, inner):
    """The same frame in a page that is not on."""
    outer, page = scene.site(on=False)
    page.evaluate(f"frame('{inner.address}/', 'publickey-credentials-get')")
    return inner, outer, page


def frame_not_allowed(scene: Scene):
    """A frame of another origin that may not ask, or not for this."""
    inner, _, page = framed(scene, None)
    for verb, options in ("get", inner.request()), ("create", inner.creation()):
        scene.ask_in_frame(page, verb, options).expect("NotAllowedError")
        must(not scene.browser.shows(WINDOW), "a window was opened all the same")
    inner, _, page = framed(scene, "publickey-credentials-get")
    scene.ask_in_frame(page, "create", inner.creation()).expect("NotAllowedError")
    must(not scene.browser.shows(WINDOW), "a window was opened all the same")


def frame_of_its_own(scene: Scene):
    """A frame of the page's own origin is as the page."""
    site, page = scene.site()
    passkey = scene.register(page, site)
    page.evaluate(f"frame('{site.address}/inner', null)")
    call = scene.ask_in_frame(page, "get", site.request([passkey]))
    scan = scene.scan(scene.code(call))
    made = call.made()
    scan.expect(0)
    site.signed_in(made["response"])
    must(json.loads(decoded(made["seen"]["clientDataJSON"]))["crossOrigin"] is False, "it is no frame of others")


def program_missing(scene: Scene):
    """The program is not installed: the window says so and what to do, and the
    browser's own is one click away; once it is there, so is trying again."""
    site, page = scene.site()
    page.plug_in()
    manifest = scene.browser.hosts / f"{HOST}.json"
    text = manifest.read_text()
    manifest.unlink()
    try:
        for way in "#not-here", "#again":
            call = scene.ask(page, "create", site.creation())
            window = scene.window(call)
            said = "document.querySelector('#remedy:not([hidden])')?.textContent"
            must("cablecar install browser" in wait_until(lambda: window.evaluate(said), SHOWN, "a remedy"), "it is no help")
            must(call.pending(), f"the page got {call.promise.done() and call.settled()}")
            if way == "#again":
                manifest.write_text(text)
            window.click(way)
            if way == "#not-here":
                must(own(call), "it is not the browser's")
                scene.no_window()
        scan = scene.scan(scene.code(call))
        site.registered(call.made()["response"])
        scan.expect(0)
    finally:
        manifest.write_text(text)


def elsewhere_nothing(scene: Scene):
    """While a code is shown for one page, nothing changes for another that is
    not on: its security key works, and what it is told of this computer stays."""
    site, page = scene.site()
    _, other = scene.site(on=False)
    uvpaa = "PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable()"
    before = other.evaluate(uvpaa), page.evaluate(uvpaa)
    page.to_front()
    call = scene.ask(page, "get", site.request())
    scene.code(call)
    must((other.evaluate(uvpaa), page.evaluate(uvpaa)) == before, "what pages are told of this computer changes")
    other_site, tab = scene.site(on=False)
    tab.plug_in()
    must(own(scene.ask(tab, "create", other_site.creation())), "it is not the browser's")
    scene.window(call).click("#cancel")
    call.expect("NotAllowedError")
    # And after a request that went all the way.
    page.to_front()
    scene.register(page, site)
    must((other.evaluate(uvpaa), page.evaluate(uvpaa)) == before, "what pages are told of this computer changes")


def another_attached(engine: str):
    """Another extension answers for passkeys: its is the request, and the
    popup says so."""
    with Scene(engine, extensions=(HERE / "another",)) as scene:
        site, page = scene.site()
        call = scene.ask(page, "get", site.request())
        must(call.settled()["error"] == "ConstraintError", f"the page got {call.settled()}")
        must(not scene.browser.shows(WINDOW), "a window was opened all the same")
        with contextlib.closing(scene.browser.popup(page)) as popup:
            said = "document.querySelector('#refused:not([hidden])')?.textContent"
            must("extension" in wait_until(lambda: popup.evaluate(said), SHOWN, "word of it in the popup"), "")


CASES = {
    "switched-off": switched_off,
    "not-here": not_here,
    "others-own": others_own,
    "not-allowed": not_allowed,
    "frame-allowed": frame_allowed,
    "frame-not-allowed": frame_not_allowed,
    "frame-of-its-own": frame_of_its_own,
    "program-missing": program_missing,
    "elsewhere-nothing": elsewhere_nothing,
    "another-attached": another_attached,
}
ALONE = {"another-attached"}
"""Cases that begin a browser of their own."""
ONLY = {"not-allowed": ["chromium"], "another-attached": ["chromium"]}
"""Firefox has neither the header nor that interface."""
