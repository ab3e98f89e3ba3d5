"""The question: by a program, and by a notification."""

import json
import time
from pathlib import Path

import scene
from desktop import Desktop, close, leave, press
from lab import Wrong

NOTIFIED = ("--consent", "notification")


def asked_by(text: str, outcome: int, error: str | None, why: str | None = None):
    """A registration at which this shell script is asked; gives what it was told."""
    with scene.world() as world:
        told = world.lab.folder / "told"
        script = scene.script(world, f"read -r line; printf '%s' \"$line\" >'{told}'\n{text}")
        computer, scan = world.registration("--consent-command", str(script))
        scan.expect(outcome, error)
        if why:
            scene.warned(scan, "consent.not-asked", why)
        if outcome == 0:
            world.site.registered(computer.result())
        elif world.phone.passkeys():
            raise Wrong("a passkey was made all the same")
        return json.loads(told.read_text())


def command_says_yes():
    """A yes makes a passkey; the question names the parts."""
    told = asked_by("echo '{\"answer\":\"approve\",\"account\":0}'", 0, None)
    expected = {"what": "register", "rp_id": "example.com", "registrable": "example.com", "default": "decline"}
    if {name: told[name] for name in expected} != expected or told["accounts"][0]["name"] != "alice":
        raise Wrong(f"it was told {told}")


def command_says_no():
    """A no is declined."""
    asked_by("echo '{\"answer\":\"decline\"}'", 4, "consent.declined")


def command_says_nothing():
    """No answer is no no: the owner is told why."""
    asked_by("exit 0", 1, "consent.cannot-ask", "ended without an answer")
    asked_by("echo yes", 1, "consent.cannot-ask", "no answer")


def command_is_missing():
    """A program that is not there cannot ask."""
    with scene.world() as world:
        _, scan = world.registration("--consent-command", "/no/such/program")
        scan.expect(1, "consent.cannot-ask")
        scene.warned(scan, "consent.not-asked", "does not start")


def command_is_told_of_the_end():
    """The computer leaves: the program hears it, and is ended."""
    with scene.world() as world:
        folder: Path = world.lab.folder
        text = f"read -r a; echo $$ >'{folder}/pid'; read -r b; printf '%s' \"$b\" >'{folder}/end'; exec sleep 60"
        computer, scan = world.registration("--consent-command", str(scene.script(world, text)))
        pid = int(scene.text_of(folder / "pid"))
        computer.process.terminate()
        scan.wait(scene.PATIENCE)
        if scene.text_of(folder / "end") != '{"withdrawn":true}':
            raise Wrong("it was not told")
        if Path(f"/proc/{pid}").exists():
            raise Wrong("it is still there")


def command_gets_no_secret():
    """Neither its arguments nor its environment hold what is not its business."""
    with scene.world() as world:
        seen = world.lab.folder / "seen"
        script = scene.script(world, f"env >'{seen}'; echo \"$#\" >>'{seen}'; ls -l /proc/$$/fd >>'{seen}'; exit 1")
        world.phone.env["CABLECAR_VAULT"] = str(world.phone.vault)
        _, scan = world.registration("--consent-command", str(script))
        scan.expect(1, "consent.cannot-ask")
        text = seen.read_text()
        if "CABLECAR" in text or "passphrase" in text or "socket:" in text or "\n0\n" not in text:
            raise Wrong(f"it saw {text}")


def notified(hand, outcome: int, error: str | None, why: str | None = None, **desktop) -> dict | None:
    """A registration at which a notification is shown, which has gone when the phone ends."""
    with scene.world() as world, Desktop(world.lab.bus.address, hand, **desktop) as desk:
        computer, scan = world.registration(*NOTIFIED)
        scan.expect(outcome, error)
        if why:
            scene.warned(scan, "consent.not-asked", why)
        if outcome == 0:
            world.site.registered(computer.result())
        elif world.phone.passkeys():
            raise Wrong("a passkey was made all the same")
        if not desk.shown:
            return None
        scene.until("the notification is taken away", lambda: desk.taken_away == [desk.shown[0]["id"]])
        return desk.shown[0]


def notification_yes():
    """The button makes a passkey; the notification says what it is about."""
    shown = notified(press("approve-0"), 0, None)
    if shown["actions"] != ["approve-0", "Make it", "decline", "Decline"] or shown["expires"] != 0:
        raise Wrong(f"it showed {shown}")
    for part in ("An unknown computer", "[example.com]", "alice"):
        if part not in shown["body"]:
            raise Wrong(f"no {part} in {shown}")


def notification_no():
    """The other button, and closing it, are a no."""
    notified(press("decline"), 4, "consent.declined")
    notified(close(2), 4, "consent.declined")


def notification_vanishes():
    """One that expires, and one whose server goes, is no no."""
    notified(close(1), 1, "consent.cannot-ask", "went away")
    with scene.world() as world:
        with Desktop(world.lab.bus.address, leave) as desk:
            _, scan = world.registration(*NOTIFIED)
            desk.notification()
        scan.expect(1, "consent.cannot-ask")
        scene.warned(scan, "consent.not-asked", "went away")


def notification_cannot_be_shown():
    """No buttons, no server, no bus: each says so."""
    if notified(leave, 1, "consent.cannot-ask", "no buttons", can=["body"]):
        raise Wrong("it was shown all the same")
    notified(leave, 1, "consent.cannot-ask", "nobody shows notifications", names=[])
    with scene.world() as world:
        world.phone.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/no/such/bus"
        _, scan = world.registration(*NOTIFIED)
        scan.expect(1, "consent.cannot-ask")
        scene.warned(scan, "consent.not-asked", "no session bus")


def notification_of_another():
    """A signal of another program's, and one about another notification, press no button."""
    notified(press("decline"), 4, "consent.declined", impostor=True)


def notification_with_accounts():
    """Each account has its button; too many have none."""
    with scene.world() as world:
        passkeys = {name: world.register(name) for name in ("alice", "bob")}
        with Desktop(world.lab.bus.address, press("approve-0")) as desk:
            computer, scan = world.sign_in(*NOTIFIED)
            used = world.site.signed_in(computer.result())
            scan.expect(0)
            first = next(label for key, label in zip(*[iter(desk.shown[0]["actions"])] * 2) if key == "approve-0")
            if not any(passkeys[name] == used and first == f"1. {name}" for name in passkeys):
                raise Wrong(f"{used} signed in by the button {first!r}")
        world.register("carol")
        with Desktop(world.lab.bus.address, leave):
            _, scan = world.sign_in(*NOTIFIED)
            scan.expect(1, "consent.cannot-ask")
            scene.warned(scan, "consent.not-asked", "3 accounts")


def notification_is_withdrawn():
    """The computer leaves: the notification goes, and at once."""
    with scene.world() as world, Desktop(world.lab.bus.address, leave) as desk:
        computer, scan = world.registration(*NOTIFIED)
        id = desk.notification()["id"]
        if desk.taken_away:
            raise Wrong("it went too early")
        computer.process.terminate()
        computer.wait()
        began = time.monotonic()
        scene.until("the notification is taken away", lambda: desk.taken_away == [id], 5.0)
        took = time.monotonic() - began
        scan.wait(scene.PATIENCE)
        return f"after {took * 1000:.0f} ms"


CASES = {
    "command-yes": command_says_yes,
    "command-no": command_says_no,
    "command-nothing": command_says_nothing,
    "command-missing": command_is_missing,
    "command-withdrawn": command_is_told_of_the_end,
    "command-secrets": command_gets_no_secret,
    "notification-yes": notification_yes,
    "notification-no": notification_no,
    "notification-vanishes": notification_vanishes,
    "notification-cannot": notification_cannot_be_shown,
    "notification-impostor": notification_of_another,
    "notification-accounts": notification_with_accounts,
    "notification-withdrawn": notification_is_withdrawn,
}
