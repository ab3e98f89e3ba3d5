"""Computer and phone meet over the air."""

import contextlib
import signal
import time

from lab import Lab, Phone, Relay, Site, Wrong
from lab.display import Missing, wait_until

FFF9, FDE2 = 0xFFF9, 0xFDE2
# What a real phone of 2026 appends for its L2CAP channel: {1: 130}.
SUFFIX = bytes.fromhex("a1011882")


def register(lab: Lab, relay: Relay, phone: Phone, site: Site, *extra: str) -> str:
    """A registration, whole: the new passkey's id."""
    computer = lab.desktop("create", site.creation(), *extra, relay=relay)
    scan = phone.scan(computer.code(), relay=relay)
    passkey = site.registered(computer.result())
    scan.expect(0)
    return passkey


def sign_in(lab: Lab, relay: Relay, phone: Phone, site: Site, *extra: str) -> None:
    """A sign-in, whole."""
    computer = lab.desktop("get", site.request(), *extra, relay=relay)
    scan = phone.scan(computer.code(), relay=relay)
    site.signed_in(computer.result())
    scan.expect(0)


@contextlib.contextmanager
def world():
    """A lab with a relay, a phone and a site."""
    with Lab() as lab:
        yield lab, lab.relay(), lab.phone(), Site()


def until(what: str, holds, timeout: float = 20.0):
    """Waits until it holds, which is the programs' business."""
    try:
        return wait_until(holds, timeout, what)
    except Missing as missing:
        raise Wrong(f"this did not come about: {missing}") from None


def registration_and_sign_in():
    """Both, and the advert is what it must be."""
    with world() as (lab, relay, phone, site):
        passkey = register(lab, relay, phone, site)
        sign_in(lab, relay, phone, site)
        if [one["credential_id"] for one in phone.passkeys()] != [passkey]:
            raise Wrong(f"the vault holds {phone.passkeys()}")
        said = [event for event in lab.air.log() if event["what"] == "register"]
        for advert in said:
            (uuid, data), *others = advert["data"].items()
            if others or not uuid.startswith("0000fff9-") or len(data) != 40 or advert["type"] != "broadcast":
                raise Wrong(f"the advert is {advert}")
        if len(said) != 2:
            raise Wrong(f"{len(said)} adverts for two transactions")
        if said[0]["data"] == said[1]["data"]:
            raise Wrong("the same advert twice")
        if lab.air.adverts() or lab.air.discovering():
            raise Wrong("somebody still advertises or listens")


def off_the_air_once_greeted():
    """The advert ends with the greeting, not with the session."""
    with world() as (lab, relay, phone, site):
        computer = lab.desktop("create", site.creation(), relay=relay)
        scan = phone.scan(computer.code(), relay=relay, consent="after=3000")
        scan.stage("connected")
        until("the advert is off the air", lambda: not lab.air.adverts(), 2.0)
        if scan.process.poll() is not None:
            raise Wrong("the phone had ended by then")
        site.registered(computer.result())
        scan.expect(0)


def off_the_air_when_stopped():
    """A phone that is stopped or killed is not on the air any more."""
    for way in (signal.SIGINT, signal.SIGKILL):
        with world() as (lab, relay, phone, site):
            deaf = lab.desktop("get", site.request(), "--danger-air", "127.0.0.1:0", relay=relay)
            scan = phone.scan(deaf.code(), relay=relay)
            until("an advert is on the air", lab.air.adverts)
            scan.process.send_signal(way)
            until(f"the advert is off the air after {way.name}", lambda: not lab.air.adverts(), 5.0)


def other_forms_are_heard():
    """The old UUID, and a suffix behind the 20 bytes; the phone is far away
    and its adverts are carried here in these forms."""
    for uuid, suffix in ((FDE2, b""), (FFF9, SUFFIX), (FFF9, b"\xff")):
        with world() as (lab, relay, _, site), Lab() as far:
            computer = lab.desktop("create", site.creation(), relay=relay)
            phone = far.phone()
            scan = phone.start(*scan_arguments(lab, relay), stdin=computer.code() + "\n")
            advert = until("an advert far away", far.air.adverts)[0]
            until("the computer listens", lab.air.discovering)
            lab.air.hear(advert["data"] + suffix, uuid)
            site.registered(computer.result())
            scan.expect(0)


def scan_arguments(lab: Lab, relay: Relay) -> list[str]:
    """A phone's arguments, for one that is in another lab."""
    arguments = ["scan", "-", "--danger-consent", "allow", "--domain-id", str(relay.domain)]
    return [*arguments, "--ca-file", str(lab.ca_file), "--connect-to", relay.connect_to]


def strangers_are_passed_over():
    """Other phones' adverts, and what is no advert of ours, do no harm."""
    with world() as (lab, relay, phone, site):
        computer = lab.desktop("create", site.creation(), relay=relay)
        code = computer.code()
        until("the computer listens", lab.air.discovering)
        for data in (bytes(20), bytes(range(20)), b"short", bytes(27)):
            lab.air.hear(data)
        lab.air.hear(bytes(range(20)), 0xFCF1)
        computer.wait_for(lambda event: event.get("event") == "not-ours")
        scan = phone.scan(code, relay=relay)
        site.registered(computer.result())
        scan.expect(0)


def a_phone_that_scanned_another_code():
    """It is not let in, and the computer is told why."""
    with world() as (lab, relay, phone, site):
        other = lab.desktop("get", site.request(), "--danger-air", "127.0.0.1:0", relay=relay)
        computer = lab.desktop("get", {**site.request(), "timeout": 5000}, relay=relay)
        computer.code()
        scan = phone.scan(other.code(), relay=relay)
        computer.expect(3, "phone.not-ours")
        scan.process.send_signal(signal.SIGINT)


def the_named_adapter_is_used():
    """`--adapter hci0` at both."""
    with world() as (lab, relay, phone, site):
        computer = lab.desktop("create", site.creation(), "--adapter", "hci0", relay=relay)
        scan = phone.scan(computer.code(), "--adapter", "hci0", relay=relay)
        site.registered(computer.result())
        scan.expect(0)


def a_phone_gives_up():
    """After 60 s on the air with nobody near."""
    with world() as (lab, relay, phone, site):
        other = lab.desktop("get", site.request(), "--danger-air", "127.0.0.1:0", relay=relay)
        scan = phone.scan(other.code(), relay=relay)
        until("an advert is on the air", lab.air.adverts)
        began = time.monotonic()
        scan.expect(3, "proximity.not-confirmed", timeout=90.0)
        after = time.monotonic() - began
        if lab.air.adverts():
            raise Wrong("it still advertises")
        if not 58.0 < after < 70.0:
            raise Wrong(f"it gave up after {after:.1f} s")
        return f"after {after:.0f} s"


CASES = {
    "sign-in": registration_and_sign_in,
    "off-the-air-once-greeted": off_the_air_once_greeted,
    "off-the-air-when-stopped": off_the_air_when_stopped,
    "other-forms": other_forms_are_heard,
    "strangers": strangers_are_passed_over,
    "another-code": a_phone_that_scanned_another_code,
    "named-adapter": the_named_adapter_is_used,
}
LONG = {"gives-up": a_phone_gives_up}
