"""Sign-ins in a row, and how long their two legs take.

Nothing fails for being slow: this machine may have other things to do.
"""

import os
import statistics

from lab import Run, Wrong
from scene import Scene, monotonic

WHO = {"computer": "Chromium", "phone": "cablecar-phone", "relay": "cablecar-relay"}
STEPS = {
    "create": "registration",
    "get-with-allow-list": "sign-in",
    "discoverable-get": "sign-in without a list",
}


class SignIns:
    """So many sign-ins, one after the other, in one Chromium."""

    def __init__(self, count: int):
        self.count = count
        self.figures: dict[str, list[float]] = {}

    def run(self):
        """All of them; none may fail. The vault opens at once, so consent is
        given as soon as the person is asked, and both ends can be seen."""
        with Scene(tapped=True) as scene:
            passkey = scene.register()
            for number in range(self.count):
                got, scan = self._sign_in(scene, passkey, number)
                self._note("consent-to-promise", monotonic(got["at"]) - asked_at(scan))
        return self._say("advert-to-handshake", "consent-to-promise")

    def run_with_a_strong_vault(self):
        """The same with a vault as people have it. When consent is given can
        not be seen; when it was acted on can, so that is where this begins."""
        with Scene(weak=False) as scene:
            passkey = scene.register()
            for number in range(5):
                got, scan = self._sign_in(scene, passkey, number)
                served = scan.wait_for(lambda event: event.get("event") == "served")
                self._note("consent-to-promise-strong-vault", monotonic(got["at"]) - served["t"])
        return self._say("consent-to-promise-strong-vault")

    def _sign_in(self, scene: Scene, passkey: str, number: int) -> tuple[dict, Run]:
        before = len(scene.lab.air.log())
        greetings = len(scene.tap.greetings) if scene.tap else 0
        try:
            # By turns with the passkey named and without.
            got, scan = scene.sign_in([passkey] if number % 2 else [])
        except Wrong as wrong:
            raise Wrong(f"sign-in {number + 1} of {self.count}: {wrong}") from wrong
        if scene.tap:
            adverts = [event["t"] for event in scene.lab.air.log()[before:] if event["what"] == "register"]
            heard = scene.tap.greetings[greetings:]
            if len(adverts) != 1 or len(heard) != 1:
                raise Wrong(f"sign-in {number + 1}: {len(adverts)} adverts and {len(heard)} handshakes")
            self._note("advert-to-handshake", heard[0] - adverts[0])
        return got, scan

    def _note(self, name: str, seconds: float):
        self.figures.setdefault(name, []).append(round(seconds * 1000, 2))

    def _say(self, *names: str) -> str:
        for name in names:
            median = statistics.median(self.figures[name])
            print(f"figure {name} median {median:.1f} ms (n={len(self.figures[name])})", flush=True)
        return f"{len(self.figures[names[0]])} of them"

    def report(self, results: dict[str, str]) -> dict:
        """For tests/judges/interop.py, and for whoever wants the figures."""
        what = "Debian's, unmodified, as the computer"
        return {
            "harness": "chromium",
            # Whatever version Debian has on the day.
            "programs": [{"name": "Chromium", "what": what, "version": Scene.version, "moves": True}],
            "results": [
                {**WHO, "step": step, "result": results.get(case, "skipped")} for case, step in STEPS.items()
            ],
            "cases": results,
            "figures": {
                name: {"median_ms": statistics.median(all_ms), "n": len(all_ms), "all_ms": all_ms}
                for name, all_ms in self.figures.items()
            },
            "load": [round(one, 2) for one in os.getloadavg()],
        }


def asked_at(scan: Run) -> float:
    """When the phone asked its person, on the clock of `time.monotonic`.

    The phone's own count of milliseconds is truer than when its lines came to
    be read here; the line that was read soonest tells when the count began.
    """
    stages = [event for event in scan.events if "elapsed_ms" in event]
    began = min(event["t"] - event["elapsed_ms"] / 1000 for event in stages)
    return began + scan.stage("verifying-on-phone")["elapsed_ms"] / 1000
