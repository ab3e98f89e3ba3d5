"""The goals of a relay: what it holds, bears, and outlives.

Each case has a short form, which judges counts and verdicts, and a long one,
which is the goal itself and judges its figures too. Both write the figures to
target/judges/relay-figures.json.
"""

import os
import subprocess
import time

import figures
from half_open import released
from load import Bench, Lab, Served, Skipped, Wrong, wait_until
from stuck import stuck_readers

EXEMPT = ("--exempt", "127.0.0.0/8")
ROOMY = ("--waiting", "3600", "--life", "3600")


class Goals:
    """The cases, in their short or their long form."""

    def __init__(self, is_long: bool):
        self.is_long = is_long

    def pick(self, short, long):
        """By the form."""
        return long if self.is_long else short

    def figure(self, name: str, value: float, unit: str = "", target: float | None = None) -> str:
        """Writes a figure down, and gives it as text."""
        figures.add(name, value, unit, target, self.is_long)
        return f"{name}: {figures.number(value, unit)}"

    def idle(self):
        """Tunnels that wait are held, cost nothing, and can all be joined."""
        tunnels = self.pick(2_000, 18_500)
        # Idle means between two pings.
        flags = [*ROOMY, "--ping", "3600", "--max-connections", "19500", *EXEMPT]
        with Lab(radio=False) as lab, Served(lab, *flags) as relay:
            load = Bench(relay, "--mode", "idle", "--tunnels", tunnels, "--sources", tunnels // 50,
                         "--seconds", self.pick(6, 20), "--pair", self.pick(10, 1))  # fmt: skip
            load.wait_for("holding", 600.0)
            time.sleep(1.0)
            share = relay.share(self.pick(4.0, 15.0))
            report = load.clean()
        if report["held"] != tunnels or report["lost"]:
            raise Wrong(f"{report['held']} of {tunnels} held, {report['lost']} lost")
        if share >= 0.01:
            raise Wrong(f"{share:.3f} of a core for nothing")
        self.figure("share of a core while they idle", share, "", 0.01)
        self.figure("of those, joined at random", report["succeeded"])
        return self.figure("idle tunnels held, TLS", report["held"], "", self.pick(None, 18_500))

    def sign_ins(self):
        """As many as it can, and none fails."""
        said = []
        for tls, goal in ((True, 800), (False, 2_000)):
            with Lab(radio=False) as lab, Served(lab, *EXEMPT, tls=tls) as relay:
                amount = self.pick(("--count", 1_500), ("--seconds", 30))
                report = Bench(relay, "--concurrency", 64, "--sources", 16, *amount).clean()
                said.append(self.figure(f"sign-ins a second, {'TLS' if tls else 'plain'}", report["rate"], "", goal))
                if self.is_long and report["rate"] < goal:
                    raise Wrong(f"{report['rate']:.0f} a second, not {goal}")
        return "; ".join(said)

    def open_loop(self):
        """A steady stream of strangers."""
        with Lab(radio=False) as lab, Served(lab, *EXEMPT) as relay:
            rate, seconds = self.pick((50, 5), (500, 30))
            report = Bench(relay, "--rate", rate, "--seconds", seconds, "--sources", 16).clean()
        return self.figure("sign-ins by a schedule, TLS, p99", report["latency_ms"]["p99"], "ms", 250)

    def latency(self):
        """One message's way while much else goes on."""
        idle, rate, seconds = self.pick((500, 20, 5), (15_000, 300, 30))
        flags = [*ROOMY, *EXEMPT, "--ping", "3600", "--max-connections", "19500"]
        with Lab(radio=False) as lab, Served(lab, *flags) as relay:
            held = Bench(relay, "--mode", "idle", "--tunnels", idle, "--sources", 64, "--seconds", 2 * seconds + 20)
            try:
                held.wait_for("holding", 600.0)
                others = Bench(relay, "--rate", rate, "--seconds", seconds, "--sources", 16)
                echo = Bench(relay, "--mode", "echo", "--tunnels", 8, "--rate", 100, "--seconds", seconds).clean()
                others.clean()
            finally:
                held.stop()
        name = "512 B one way, much beside it, p99"
        return self.figure(name, echo["latency_ms"]["p99"], "ms", 5)

    def slow_openings(self):
        """Connections that drip are evicted; sign-ins go on beside them."""
        each = self.pick(100, 2_500)
        with Lab(radio=False) as lab, Served(lab, "--exempt", "127.0.0.1/32") as relay:
            drips = [
                Bench(relay, "--mode", "drip", "--stage", stage, "--tunnels", each, "--sources", max(each // 12, 8),
                      "--patience", 40)
                for stage in ("tcp", "hello", "head", "frame")
            ]  # fmt: skip
            beside = Bench(relay, "--rate", self.pick(10, 50), "--seconds", 14).report()
            evicted = [drip.clean() for drip in drips]
            wait_until(lambda: relay.open_descriptors() < 40, "descriptors are given back", 30.0)
        if beside["failed"]:
            raise Wrong(f"sign-ins beside the dripping failed: {beside['failures']}")
        self.figure("sign-ins beside slow openings, failed", beside["failed"], "", 0)
        longest = max(drip["latency_ms"]["max"] for drip in evicted) / 1000
        said = self.figure("slow openings, evicted after", longest, "s", 11)
        if self.is_long and longest > 11:
            raise Wrong(said)
        return said

    def stuck(self):
        """Readers who do not read cost little, and not for long."""
        with Lab(radio=False) as lab, Served(lab, *EXEMPT, tls=False) as relay:
            beside = Bench(relay, "--mode", "echo", "--tunnels", 4, "--rate", 40, "--seconds", 5)
            each, seconds = stuck_readers(relay, self.pick(50, 1_000))
            beside.clean()
        self.figure("stuck readers, closed after", seconds, "s", 11)
        said = self.figure("memory per stuck reader", each, "KiB", 96)
        # The first few carry the growth of what all share.
        if each > self.pick(160, 96):
            raise Wrong(said)
        return said

    def descriptors(self):
        """Without descriptors it neither spins nor floods its log."""
        with Lab(radio=False) as lab:
            # More connections are allowed than there are descriptors.
            flags = ["--max-connections", "10000", *EXEMPT, "--opening", "60"]
            with Served(lab, *flags, tls=False, descriptors=256) as relay:
                talk = Bench(relay, "--mode", "echo", "--tunnels", 4, "--rate", 40, "--seconds", 8)
                time.sleep(1.0)
                idlers = [relay.connect() for _ in range(400)]
                time.sleep(1.0)
                lines = len(relay.log.read_text().splitlines())
                share = relay.share(4.0)
                lines = (len(relay.log.read_text().splitlines()) - lines) / 4.0
                talk.clean()
                for idler in idlers:
                    idler.close()
                Bench(relay, "--count", 20, "--concurrency", 4).clean()
        # The clock of processes ticks a hundred times a second.
        most = self.pick(0.05, 0.01)
        if share > most or lines > 2:
            raise Wrong(f"{share:.3f} of a core, {lines:.1f} log lines a second")
        self.figure("descriptors exhausted, log lines a second", lines, "", 1)
        return self.figure("descriptors exhausted, share of a core", share, "", most)

    def handshakes(self):
        """A flood of hellos from many addresses leaves room for others."""
        rate, seconds = self.pick((300, 5), (3_000, 60))
        with Lab(radio=False) as lab, Served(lab, "--exempt", "127.0.0.1/32") as relay:
            talk = Bench(relay, "--mode", "echo", "--tunnels", 4, "--rate", 40, "--seconds", seconds)
            flood = Bench(relay, "--mode", "flood", "--rate", rate, "--seconds", seconds, "--sources", 200)
            others = Bench(relay, "--rate", 10, "--seconds", seconds).report()
            flood.report()
            talk = talk.clean()
        well = others["succeeded"] / (others["succeeded"] + others["failed"])
        if well < 0.95:
            raise Wrong(f"{well:.2f} of the sign-ins went well: {others['failures']}")
        self.figure("handshake flood, existing tunnels, p99", talk["latency_ms"]["p99"], "ms", 50)
        return self.figure("handshake flood, sign-ins that went well", well, "", 0.95)

    def memory(self):
        """Sign-ins leave nothing behind."""
        warm, many = self.pick((4_000, 16_000), (20_000, 1_000_000))
        with Lab(radio=False) as lab, Served(lab, *EXEMPT, tls=False) as relay:
            Bench(relay, "--count", warm, "--sources", 32).clean()
            before = relay.resident()
            Bench(relay, "--count", many, "--sources", 32).clean()
            grown = (relay.resident() - before) / 1024
        said = self.figure("memory after sign-ins", grown, "MiB", 4)
        if grown > 4:
            raise Wrong(said)
        return f"{said} after {many}"

    def race(self):
        """Whoever joins the moment the 101 is there is let in."""
        with Lab(radio=False) as lab, Served(lab, *EXEMPT, tls=False) as relay:
            count = self.pick(5_000, 100_000)
            report = relay.bench("--eager", "--count", count, "--sources", 32)
        if report["failed"] or report["succeeded"] != count:
            raise Wrong(f"{report['failures']}")
        return self.figure("pairing race, refused", report["failed"], "", 0) + f" of {count}"

    def kills(self):
        """Killed under load and started again, it serves at once."""
        times = []
        with Lab(radio=False) as lab, Served(lab, *EXEMPT, tls=False) as relay:
            kills = self.pick(10, 200)
            load = Bench(relay, "--rate", 200, "--seconds", 3600, "--patience", 5, "--sources", 16)
            try:
                for _ in range(kills):
                    time.sleep(0.2)
                    relay.kill()
                    began = time.monotonic()
                    relay.start()
                    times.append(time.monotonic() - began)
                    Bench(relay, "--count", 5, "--concurrency", 1).clean()
            finally:
                load.stop()
        self.figure("kills, sign-ins that failed afterwards", 0, "", 0)
        return self.figure("kills, serving again after", max(times), "s", 0.5) + f" at most, {kills} kills"

    def half_open(self):
        """Peers that fall silent without a word are released."""
        pairs, flags = self.pick((10, ("--ping", "3")), (1_000, ()))
        try:
            seconds = released(pairs, *flags)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Skipped(f"no network of our own to cut: {error}") from None
        if not self.is_long:
            return f"{pairs} pairs released after {seconds:.0f} s"
        said = self.figure("half-open tunnels, released after", seconds, "s", 45)
        if seconds > 45:
            raise Wrong(said)
        return said

    def malformed(self):
        """Mutated requests and frames, each with its verdict."""
        count = self.pick(20_000, 1_000_000)
        command = ["cargo", "test", "--locked", "--workspace", "--test", "malformed"]
        env = {**os.environ, "CABLECAR_MUTATIONS": str(count)}
        done = subprocess.run(
            command + self.pick([], ["--release"]), check=False, env=env, cwd=figures.ROOT,
            capture_output=True, text=True, timeout=self.pick(900, 7200),
        )  # fmt: skip
        if done.returncode != 0:
            raise Wrong(f"{done.stdout[-3000:]}{done.stderr[-1000:]}")
        return self.figure("malformed input, wrong verdicts", 0, "", 0) + f" of {count}"


def cases(is_long: bool) -> dict:
    """All of them by name."""
    goals = Goals(is_long)
    return {
        "idle": goals.idle,
        "sign-ins": goals.sign_ins,
        "open-loop": goals.open_loop,
        "latency": goals.latency,
        "slow-openings": goals.slow_openings,
        "stuck-readers": goals.stuck,
        "half-open": goals.half_open,
        "descriptors": goals.descriptors,
        "handshake-flood": goals.handshakes,
        "malformed": goals.malformed,
        "memory": goals.memory,
        "race": goals.race,
        "kills": goals.kills,
    }


CASES, LONG = cases(False), cases(True)
