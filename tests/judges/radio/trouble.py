"""What people are told when there is no radio: the same at both programs."""

import json
import time

from lab import Lab, Run, Site, Wrong
from meeting import register, until, world

# A computer that has no radio is not asked for a page's decision.
WITHIN = 15.0


def prepared(radio: bool = True, **adapter: bool) -> Lab:
    """A lab whose radio is in trouble."""
    lab = Lab(radio)
    if adapter:
        lab.air.adapter(**adapter)
    return lab


def both(lab: Lab, error: str, *extra: str, env: dict | None = None):
    """Both programs end with this error in time, and before anything else:
    no code is shown, no tunnel opened, no passphrase asked for."""
    site, phone = Site(), lab.phone()
    phone.env |= env or {}
    relay = lab.relay()
    began = time.monotonic()
    computer = lab.desktop("get", site.request(), *extra, relay=relay, env=env)
    computer.expect(6, error, WITHIN)
    if any(line.startswith("FIDO:/") for line in computer.lines):
        raise Wrong("a code was shown all the same")
    with_air = lab.desktop("get", site.request(), "--danger-air", "127.0.0.1:0", relay=relay, env=env)
    scan = phone.scan(with_air.code(), *extra, relay=relay)
    scan.expect(6, error, WITHIN)
    for run in (computer, scan):
        tells_what_to_do(run)
    return f"both within {time.monotonic() - began:.1f} s"


def tells_what_to_do(run: Run):
    """The last event has a sentence and a remedy."""
    last = run.events[-1]
    if not last.get("message") or not last.get("remedy"):
        raise Wrong(f"{run.name} says no more than {last}")


def no_adapter():
    """There is a BlueZ and nothing plugged in."""
    with prepared(present=False) as lab:
        return both(lab, "radio.no-adapter")


def wrong_adapter():
    """The one that was named is not there; those that are are named."""
    with prepared() as lab:
        both(lab, "radio.no-adapter", "--adapter", "hci7")
        for run in lab.running:
            if run.error() == "radio.no-adapter" and "hci0" not in json.dumps(run.events[-1]):
                raise Wrong(f"it does not name the adapter that is there: {run.said()}")


def switched_off():
    """The adapter has no power."""
    with prepared(powered=False) as lab:
        return both(lab, "radio.off")


def denied():
    """The system refuses."""
    with prepared(denied=True) as lab:
        return both(lab, "radio.denied")


def no_bluez():
    """A bus without BlueZ on it."""
    with prepared() as lab:
        lab.air.stop()
        return both(lab, "radio.no-service")


def no_bus():
    """Not even a bus."""
    with prepared(radio=False) as lab:
        return both(lab, "radio.no-service")


def sandboxed():
    """No bus, inside a snap."""
    with prepared(radio=False) as lab:
        return both(lab, "radio.sandboxed", env={"SNAP": "/snap/cablecar/1", "SNAP_NAME": "cablecar"})


def lost_while_listening():
    """Switched off, pulled out, and BlueZ gone, while a code is shown."""
    ways = {
        "radio.off": lambda lab: lab.air.adapter(powered=False),
        "radio.no-adapter": lambda lab: lab.air.adapter(present=False),
        "radio.no-service": lambda lab: lab.air.stop(),
    }
    for error, happens in ways.items():
        with Lab() as lab:
            relay = lab.relay()
            computer = lab.desktop("get", Site().request(), relay=relay)
            computer.code()
            until("the computer listens", lab.air.discovering)
            happens(lab)
            computer.expect(6, error, WITHIN)


def lost_while_speaking():
    """The same while the phone waits for a computer."""
    ways = {
        "radio.off": lambda lab: lab.air.adapter(powered=False),
        "radio.no-adapter": lambda lab: lab.air.adapter(present=False),
        "radio.no-service": lambda lab: lab.air.stop(),
    }
    for error, happens in ways.items():
        with Lab() as lab:
            relay, phone = lab.relay(), lab.phone()
            deaf = lab.desktop("get", Site().request(), "--danger-air", "127.0.0.1:0", relay=relay)
            scan = phone.scan(deaf.code(), relay=relay)
            until("an advert is on the air", lab.air.adverts)
            happens(lab)
            scan.expect(6, error, WITHIN)


def back_again():
    """What failed for want of power works with it."""
    with world() as (lab, relay, phone, site):
        lab.air.adapter(powered=False)
        lab.desktop("create", site.creation(), relay=relay).expect(6, "radio.off")
        lab.air.adapter(powered=True)
        register(lab, relay, phone, site)


def doctor(lab: Lab, name: str, *extra: str, env: dict | None = None, relay=None) -> tuple[int, dict]:
    """What a program's doctor finds: exit code and report."""
    arguments = ["doctor", "--format", "json", *extra]
    if relay:
        arguments += ["--ca-file", str(lab.ca_file), "--connect-to", relay.connect_to, "--domain-id", str(relay.domain)]
    if name == "cablecar-phone":
        phone = lab.phone(f"phone-{len(lab.running)}")
        phone.env |= env or {}
        run = phone.start(*arguments)
    else:
        run = lab.start(name, *arguments, env=env)
    code = run.wait()
    return code, json.loads(run.output)


def found(report: dict) -> set[str]:
    """The ids of the findings."""
    return {check["id"] for check in report["checks"] if check["result"] == "finding"}


def doctors_find_nothing():
    """Where all is well."""
    with Lab() as lab:
        relay = lab.relay()
        for name in ("cablecar", "cablecar-phone"):
            code, report = doctor(lab, name, relay=relay)
            results = {check["check"]: check["result"] for check in report["checks"]}
            wanted = dict.fromkeys(["radio", "permission", "name", "tcp", "tls", "tunnel", "clock"], "ok")
            if code != 0 or report["well"] is not True or not wanted.items() <= results.items():
                raise Wrong(f"{name}: exit {code}, {report}")
            if lab.air.adverts() or lab.air.discovering():
                raise Wrong(f"{name} left something on the air")


def doctors_find_what_is_wrong():
    """The same ids as the programs' own errors."""
    for state, finding in (({"powered": False}, "radio.off"), ({"present": False}, "radio.no-adapter"),
                           ({"denied": True}, "radio.denied")):  # fmt: skip
        with prepared(**state) as lab:
            relay = lab.relay()
            for name in ("cablecar", "cablecar-phone"):
                code, report = doctor(lab, name, relay=relay)
                if code != 1 or report["well"] or found(report) != {finding}:
                    raise Wrong(f"{name}: exit {code}, {report}")
    snap = {"SNAP": "/snap/cablecar/1"}
    for env, finding in ((None, "radio.no-service"), (snap, "radio.sandboxed")):
        with Lab(radio=False) as lab:
            relay = lab.relay()
            for name in ("cablecar", "cablecar-phone"):
                code, report = doctor(lab, name, env=env, relay=relay)
                if code != 1 or report["well"] or found(report) != {finding}:
                    raise Wrong(f"{name}: exit {code}, {report}")
    with Lab() as lab:
        relay = lab.relay()
        relay.stop()
        for name in ("cablecar", "cablecar-phone"):
            code, report = doctor(lab, name, relay=relay)
            if code != 1 or found(report) != {"relay.unreachable"}:
                raise Wrong(f"{name}: exit {code}, {report}")
            code, report = doctor(lab, name, "--danger-relay", "wss://relay.invalid")
            if code != 1 or found(report) != {"relay.name"}:
                raise Wrong(f"{name}: exit {code}, {report}")


CASES = {
    "no-adapter": no_adapter,
    "wrong-adapter": wrong_adapter,
    "switched-off": switched_off,
    "denied": denied,
    "no-bluez": no_bluez,
    "no-bus": no_bus,
    "sandboxed": sandboxed,
    "lost-while-listening": lost_while_listening,
    "lost-while-speaking": lost_while_speaking,
    "back-again": back_again,
    "doctors-find-nothing": doctors_find_nothing,
    "doctors-find-what-is-wrong": doctors_find_what_is_wrong,
}
