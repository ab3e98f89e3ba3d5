"""A page asks, the phone answers, or does not."""

import base64
import json

from lab import Wrong
from lab.display import wait_until
from scene import SHOWN, WINDOW, Call, Scene

# Inputs of a page's for `prf`, in base64url.
FIRST, SECOND = "Zmlyc3Q", "c2Vjb25k"
LATER = "after=60000"
"""Consent of somebody who looks at the question for longer than a case lasts."""


def sign_in(scene: Scene):
    """A registration and two sign-ins; what the page sees is what it would
    see of the browser's own."""
    site, page = scene.site()
    call = scene.ask(page, "create", site.creation())
    scan = scene.scan(scene.code(call))
    made = call.made()
    passkey = site.registered(made["response"])
    site.checked("create", made["response"])
    scan.expect(0)
    seen, response = made["seen"], made["response"]
    must(seen["isCredential"] and seen["isAttestation"], f"it is no PublicKeyCredential: {seen}")
    must(seen["transports"] == ["hybrid", "internal"], f"transports: {seen['transports']}")
    must(seen["algorithm"] == -7 and seen["publicKey"], f"no public key to be had: {seen}")
    inner = response["response"]
    for name in "clientDataJSON", "authenticatorData", "publicKey":
        must(seen[name] == inner[name], f"{name} is {seen[name]}, and {inner[name]} in JSON")
    for allow in [passkey], []:
        got = scene.sign_in(page, site, allow)
        seen, response = got["seen"], got["response"]
        must(seen["isCredential"] and seen["isAssertion"], f"it is no PublicKeyCredential: {seen}")
        must(seen["tag"] == "[object PublicKeyCredential]" and seen["type"] == "public-key", f"{seen}")
        must(response["id"] == passkey and seen["rawId"] == passkey, "it is another passkey")
        must(seen["attachment"] == "cross-platform", f"attachment: {seen['attachment']}")
        must(decoded(seen["userHandle"]) == b"alice", "it is another account")
        must(seen["stringified"] == response, "JSON.stringify and toJSON differ")
        data = json.loads(decoded(seen["clientDataJSON"]))
        must(data["origin"] == site.origin and data["crossOrigin"] is False, f"{data}")


def extensions(scene: Scene):
    """prf and credProps pass, there and back."""
    site, page = scene.site()
    asked = {"credProps": True, "prf": {"eval": {"first": FIRST}}}
    call = scene.ask(page, "create", site.creation(extensions=asked))
    scan = scene.scan(scene.code(call))
    made = call.made()
    passkey = site.registered(made["response"])
    scan.expect(0)
    results = made["response"]["clientExtensionResults"]
    must(results["credProps"] == {"rk": True} and results["prf"]["enabled"], f"results: {results}")
    secrets = []
    for _ in range(2):
        asked = {"prf": {"evalByCredential": {passkey: {"first": FIRST, "second": SECOND}}}}
        seen = scene.sign_in(page, site, [passkey], extensions=asked)["seen"]["prf"]
        must(len(decoded(seen["first"])) == 32 and seen["first"] != seen["second"], f"secrets: {seen}")
        secrets.append(seen)
    must(secrets[0] == secrets[1], "the secrets change")


def on_load(scene: Scene):
    """A page that asks before it is loaded is not missed."""
    site, page = scene.site()
    options = site.request()
    page.go(f"{site.address}/now?{base64.urlsafe_b64encode(json.dumps(options).encode()).decode()}")
    scene.window()
    page.close()
    scene.no_window()


def refused(scene: Scene):
    """The person says no on the phone."""
    site, page = scene.site()
    call = scene.ask(page, "create", site.creation())
    scan = scene.scan(scene.code(call), consent="deny")
    must(call.expect("NotAllowedError")["isDom"], "it is no DOMException")
    scan.expect(4)
    scene.no_window()


def excluded(scene: Scene):
    """The phone has a passkey for this account already."""
    site, page = scene.site()
    passkey = scene.register(page, site)
    call = scene.ask(page, "create", site.creation(exclude=[passkey]))
    scan = scene.scan(scene.code(call))
    call.expect("InvalidStateError")
    scan.wait()


def foreign_rp_id(scene: Scene):
    """A page asks for a passkey of another site."""
    site, page = scene.site()
    call = scene.ask(page, "get", site.request(rpId="example.com"))
    call.expect("SecurityError")
    scene.no_window()


def aborted(scene: Scene):
    """The page takes its request back while the person is asked: the phone
    takes its question off, and the page gets the reason that it gave."""
    site, page = scene.site()
    call = scene.ask(page, "create", site.creation())
    scan = scene.scan(scene.code(call), consent=LATER)
    scene.asked(scan)
    page.evaluate(f"takeBack({call.number})")
    call.expect("AbortError")
    taken_off(scene, scan)
    call = scene.ask(page, "get", site.request())
    scene.code(call)
    page.evaluate(f"takeBack({call.number}, new TypeError('enough'))")
    must(call.expect("TypeError")["message"] == "enough", "it is another reason")
    scene.no_window()


def left(scene: Scene):
    """The page is left while the person is asked."""
    site, page = scene.site()
    # Not awaited: Firefox's WebDriver would ask again in the page after it.
    page.evaluate(f"void create(0, {json.dumps(site.creation())})")
    scan = scene.scan(scene.code(), consent=LATER)
    scene.asked(scan)
    page.go(f"{site.address}/elsewhere")
    taken_off(scene, scan)


def tab_closed(scene: Scene):
    """The tab is closed while the person is asked."""
    site, page = scene.site()
    call = scene.ask(page, "create", site.creation())
    scan = scene.scan(scene.code(call), consent=LATER)
    scene.asked(scan)
    page.close()
    taken_off(scene, scan)


def cancelled(scene: Scene):
    """The person takes it back at the computer: by the button while the phone
    asks, by the key, and by closing the window."""
    site, page = scene.site()
    call = scene.ask(page, "create", site.creation())
    scan = scene.scan(scene.code(call), consent=LATER)
    scene.asked(scan)
    scene.window(call).click("#cancel")
    call.expect("NotAllowedError")
    taken_off(scene, scan)
    for way in lambda window: window.key("Escape"), lambda window: window.close():
        call = scene.ask(page, "get", site.request())
        scene.code(call)
        way(scene.window(call))
        call.expect("NotAllowedError")
        scene.no_window()


def nobody_came(scene: Scene):
    """The page's own time is over before a phone came."""
    site, page = scene.site()
    call = scene.ask(page, "get", site.request(timeout=3000))
    scene.code(call)
    call.expect("NotAllowedError")
    scene.no_window()


def one_at_a_time(scene: Scene):
    """While one request waits, that of another tab is the browser's."""
    site, page = scene.site()
    first = scene.ask(page, "get", site.request())
    window = scene.window(first)
    scene.code(first)
    other_site, other = scene.site()
    other.plug_in()
    must(own(scene.ask(other, "create", other_site.creation())), "it is not the browser's")
    must(first.pending(), f"the first got {first.promise.done() and first.settled()}")
    window.click("#cancel")
    first.expect("NotAllowedError")


def straight_on(scene: Scene):
    """A page that asks again the moment it has its answer, or has taken its
    request back: that one is ours too, and its window stays in front."""
    site, page = scene.site()
    page.plug_in()
    opener = scene.own_page("ui/popup.html#page", "document.readyState === 'complete'")
    page.to_front()
    ask = {number: f"create({number}, {json.dumps(site.creation(f'user{number}'))})" for number in range(3)}
    call = Call(scene, 2, page.start(f"{ask[0]}.then(() => {ask[1]}).then(() => {ask[2]})"))
    seen = [scene.code(call)]
    scene.scan(seen[0]).expect(0)
    for number in 1, 2:
        code = wait_until(lambda: scene.code(call) not in seen and scene.code(call), SHOWN, "the next code")
        seen.append(code)
        # By then the window before it has gone, with which the page's came to the front.
        page.evaluate("new Promise((done) => setTimeout(done, 500))")
        front = opener.evaluate("(globalThis.browser ?? chrome).windows.getLastFocused().then(({ type }) => type)")
        must(front == "popup", f"in front is a window of the kind {front}")
        if number == 1:
            page.evaluate("takeBack(1)")
    opener.close()
    scan = scene.scan(code)
    site.registered(call.made()["response"])
    scan.expect(0)


def conditional(scene: Scene):
    """A sign-in that waits opens nothing before the person presses the
    toolbar button; then it is as any other."""
    site, page = scene.site()
    passkey = scene.register(page, site)
    call = scene.ask(page, "get", site.request(timeout=600000), mediation="conditional")
    popup = scene.browser.popup(page)
    shown = "!document.querySelector('#with-waiting').hidden"
    wait_until(lambda: popup.evaluate(shown), SHOWN, "the offer in the popup")
    must(call.pending() and not scene.browser.shows(WINDOW), "something happened before the click")
    popup.click("#start")
    # Taken back at the computer, it waits again.
    scene.window(call).click("#cancel")
    scene.no_window()
    must(call.pending(), f"the page got {call.promise.done() and call.settled()}")
    popup = scene.browser.popup(page)
    wait_until(lambda: popup.evaluate(shown), SHOWN, "the offer in the popup")
    popup.click("#start")
    scan = scene.scan(scene.code(call))
    made = call.made()
    must(site.signed_in(made["response"]) == passkey, "it is another passkey")
    scan.expect(0)
    # One that is aborted before the click is over, for the popup too.
    call = scene.ask(page, "get", site.request(), mediation="conditional")
    page.evaluate(f"takeBack({call.number})")
    call.expect("AbortError")
    popup = scene.browser.popup(page)
    must(not popup.evaluate(shown), "the popup offers what is over")
    popup.close()


def may_offer(scene: Scene):
    """In the person's own profile, after a sign-in, the page is told that it
    may offer a passkey for this computer; never on a borrowed one."""
    site, page = scene.site()
    passkey = scene.register(page, site)
    scene.sign_in(page, site, [passkey])
    told = "heard.includes('cablecar:may-offer-passkey')"
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    must(not page.evaluate(told), "a page on a borrowed computer is told to make a passkey for it")
    own_computer(scene, page)
    try:
        scene.register(page, site, "bob")
        must(not page.evaluate(told), "told after a registration")
        scene.sign_in(page, site, [passkey])
        wait_until(lambda: page.evaluate(told), SHOWN, "the event")
    finally:
        own_computer(scene, page)


def own_computer(scene: Scene, page):
    """The switch for it, turned."""
    popup = scene.browser.popup(page)
    popup.click("#own")
    popup.close()


def taken_off(scene: Scene, scan):
    """The phone's question has gone, and nothing was made."""
    scan.expect(1, "peer.cancelled", 30.0)
    scene.no_window()


def own(call) -> bool:
    """Whether the browser itself answered, with the security key in it."""
    return call.made()["seen"]["transports"] == ["usb"]


def must(true: bool, otherwise: str):
    """A demand."""
    if not true:
        raise Wrong(otherwise)


def decoded(text: str) -> bytes:
    """Bytes of base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


CASES = {
    "sign-in": sign_in,
    "extensions": extensions,
    "on-load": on_load,
    "refused": refused,
    "excluded": excluded,
    "foreign-rp-id": foreign_rp_id,
    "aborted": aborted,
    "left": left,
    "tab-closed": tab_closed,
    "cancelled": cancelled,
    "nobody-came": nobody_came,
    "one-at-a-time": one_at_a_time,
    "straight-on": straight_on,
    "conditional": conditional,
    "may-offer": may_offer,
}
