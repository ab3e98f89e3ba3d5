#!/usr/bin/env python3
"""Other people's programs in each role, against ours and against each other.

    target/judges/venv/bin/python tests/judges/peers/run.py [--write FILE] [--only TEXT]

--write leaves the table of what works in FILE, --only takes the pairs whose
names hold TEXT. `tests/run peers` makes the environment first; by hand it is
`python3 -m venv target/judges/venv`, then its `pip install -r
tests/judges/requirements.txt`, then `cargo build --release` for our programs
(or a folder of theirs in $CABLECAR_BIN), and Debian's packages `dbus-daemon
haproxy libssl-dev libudev-dev pkg-config`. The peers are built by this
program, in target/judges: kanidm's webauthn-authenticator-rs and libwebauthn
by this folder's Cargo.lock, kanidm's relay by its own.

Every computer meets every phone at every relay, over a mock BlueZ and over
TLS with real host names, in a network namespace of its own where port 443 is
free. What comes back is verified by py_webauthn, which is nobody's here; both
programs must end well, and the relay must have seen the two meet. Without a
namespace kanidm's programs are sent to wss://localhost:PORT, and libwebauthn,
which cannot be sent anywhere, is skipped.

Prints a line for each pair, relay and step. Exits with 1 if anything failed.
Results go to target/judges/peers.json, for tests/judges/interop.py.
"""

import argparse
import json
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import interop

import namespace
import workspace
from parties import (
    PATIENCE,
    KanidmComputer,
    KanidmPhone,
    LibwebauthnComputer,
    LibwebauthnOffering,
    OurComputer,
    OurPhone,
)
from peer import Broken, Lab, Wrong
from relays import Kanidm, KanidmBehindHaproxy, Ours, haproxy_program
from relying_party import RelyingParty

COMPUTERS = [OurComputer, KanidmComputer, LibwebauthnComputer, LibwebauthnOffering]
PHONES = [OurPhone, KanidmPhone]
NOTES = [
    "libwebauthn is not tried at kanidm's relay alone: it offers TLS 1.3 only, and the relay takes 1.2 only.",
    "A sign-in without a list takes a passkey that the phone was asked to keep: kanidm's computer never asks for it, "
    + "and kanidm's phone cannot.",
]
REGISTRATION, LISTED, FOUND = "registration", "sign-in", "sign-in without a list"


class Skipped(Exception):
    """A step that cannot be tried here, and why."""


class Report:
    """What each step came to."""

    def __init__(self):
        self.results: list[dict] = []

    def step(self, pair: tuple, step: str, do):
        """Does it and says how it went. Gives whether it went well."""
        computer, phone, relay = pair
        result, why = "ok", ""
        try:
            do()
        except Skipped as skipped:
            result, why = "skipped", str(skipped)
        except (Wrong, Broken) as wrong:
            result, why = "FAILED", str(wrong)
        except Exception:
            result, why = "FAILED", traceback.format_exc()
        self.results.append(
            {"computer": computer, "phone": phone, "relay": relay, "step": step, "result": result}
        )
        print(f"{result:8}{computer} + {phone} at {relay}: {step}{': ' + why if why else ''}", flush=True)
        return result == "ok"

    def count(self, result: str) -> int:
        return sum(one["result"] == result for one in self.results)


def ceremony(computer, phone, relay, create: bool, options: dict) -> dict:
    """One QR code from its drawing to the computer's result."""
    met = relay.joined()
    running = []
    try:
        begun = computer.begin(create, options, relay)
        running.append(begun)
        code = computer.code(begun)
        scan = phone.scan(code, relay)
        running.append(scan)
        result = computer.result(begun)
        if (ended := scan.wait(PATIENCE)) != 0:
            raise Wrong(f"{phone.name} ended with {ended}; it said: {scan.said()}")
    finally:
        for run in running:
            run.stop()
    # What the relay says of it may still be on its way to us.
    deadline = time.monotonic() + 5.0
    while relay.joined() == met and time.monotonic() < deadline:
        time.sleep(0.01)
    if relay.joined() != met + 1:
        raise Wrong(f"{relay.name} saw {relay.joined() - met} pairs meet, not one")
    return result


def pair(report: Report, lab, computer_type, phone_type, relay, number: int):
    """Registration and sign-in of one pair at one relay."""
    names = (computer_type.name, phone_type.name, relay.name)
    site = RelyingParty(phone_type.strict, computer_type.says_origin)
    computer = computer_type(lab, workspace.BUILT)
    phone = None

    def register():
        nonlocal phone
        if computer.needs_443 and relay.uri:
            raise Skipped("it dials port 443 of a real name, which takes a namespace")
        phone = phone_type(lab, workspace.BUILT, f"phone-{number}")
        site.registered(ceremony(computer, phone, relay, True, site.creation()))

    def sign_in(listed: bool):
        if not site.passkey:
            raise Skipped("there is no passkey to sign in with")
        site.signed_in(ceremony(computer, phone, relay, False, site.request(listed)), listed)

    report.step(names, REGISTRATION, register)
    report.step(names, LISTED, lambda: sign_in(True))
    if phone_type.strict and computer_type.asks_to_keep:
        report.step(names, FOUND, lambda: sign_in(False))


def all_pairs(report: Report, only: str):
    """Every computer with every phone at every relay that it can speak to."""
    inside = namespace.is_inside()
    relays = [Ours(258, "127.0.0.1"), KanidmBehindHaproxy(266, "127.0.0.2"), Kanidm(270, "127.0.0.3")]
    if inside:
        namespace.furnish({relay.host: relay.address for relay in relays})
    with Lab() as lab:
        number = 0
        for relay in relays:
            without = ""
            if isinstance(relay, KanidmBehindHaproxy) and not haproxy_program():
                without = "no HAProxy; on Debian: apt-get install haproxy"
            else:
                relay.start(lab, inside, workspace.TOOLS)
            for computer in COMPUTERS:
                if computer.needs_tls13 and not relay.tls13:
                    continue  # they have no version of TLS in common
                for phone in PHONES:
                    if only not in f"{computer.name} + {phone.name} at {relay.name}":
                        continue
                    if without:
                        report.step(
                            (computer.name, phone.name, relay.name), REGISTRATION, raising(Skipped(without))
                        )
                        continue
                    number += 1
                    pair(report, lab, computer, phone, relay, number)


def raising(problem: Exception):
    """A step that comes to nothing but this."""

    def step():
        raise problem

    return step


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--write", type=Path, metavar="FILE", help="write the table of what works")
    asked.add_argument("--only", default="", metavar="TEXT", help="only the pairs whose names hold TEXT")
    asked.add_argument("--no-namespace", action="store_true", help="stay where you are, on free ports")
    asked = asked.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    if not namespace.is_inside():
        try:
            workspace.build()
        except Broken as broken:
            print(f"FAILED  build of the peers: {broken}\n0 passed, 1 failed")
            return 1
        command, why = namespace.way_in()
        if command and not asked.no_namespace:
            namespace.enter(command)
        print(f"outside of a namespace: {why or 'as was asked'}", flush=True)

    left = workspace.JUDGES / "peers.json"
    if not asked.only:
        left.unlink(missing_ok=True)
    report = Report()
    try:
        all_pairs(report, asked.only)
    except Broken as broken:
        print(
            f"FAILED  the laboratory: {broken}\n{report.count('ok')} passed, {report.count('FAILED') + 1} failed"
        )
        return 1
    found = {"harness": "peers", "programs": workspace.versions(), "results": report.results, "notes": NOTES}
    if not asked.only:
        left.write_text(json.dumps(found, indent=1) + "\n")
    if asked.write:
        asked.write.write_text(interop.page([found]))
    passed, failed, skipped = (report.count(result) for result in ("ok", "FAILED", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
