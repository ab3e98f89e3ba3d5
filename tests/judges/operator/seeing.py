"""What an operator sees: Debian's Prometheus asks a live relay, and then
everything that the dashboard and the alerts ask for is asked of Prometheus."""

import contextlib
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from lab import Broken, Lab, Wrong
from lab.verdict import Skipped
from parties import DOMAIN, PATIENCE, Node, free_port, host
from sockets import Client, carries

DEPLOY = Path(__file__).resolve().parents[3] / "relay" / "deploy"
PAIRS = 5
# Grafana's own variables, as it would fill them in.
VARIABLES = {"$__rate_interval": "15s", "$__interval": "5s", "$__range": "1m", "$instance": ".*"}


def installed(name: str) -> str:
    """Where one of Prometheus' programs is."""
    if found := shutil.which(name):
        return found
    raise Skipped(f"no {name}; on Debian: apt-get install prometheus")


def fetch(url: str) -> tuple[int, str]:
    """Status and text of a page."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Prometheus:
    """Prometheus with the alerts of the project, asking one relay each second."""

    def __init__(self, lab: Lab, admin: str):
        self.port = free_port()
        folder = lab.folder / "prometheus"
        folder.mkdir()
        shutil.copy(DEPLOY / "prometheus" / "alerts.yml", folder)
        (folder / "prometheus.yml").write_text(
            "global: { scrape_interval: 1s, evaluation_interval: 1s }\n"
            "rule_files: [alerts.yml]\n"
            "scrape_configs:\n"
            f"  - {{ job_name: cablecar-relay, static_configs: [{{ targets: ['{admin}'] }}] }}\n"
        )
        command = [installed("prometheus"), f"--config.file={folder}/prometheus.yml"]
        command += [f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"]
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            self.until("it is ready", lambda: self.get("/-/ready")[0] == 200)
        except BaseException:
            self.stop()
            raise

    def get(self, path: str, **query: str) -> tuple[int, str]:
        """A page of its own."""
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        try:
            return fetch(f"http://127.0.0.1:{self.port}{path}{asked}")
        except urllib.error.URLError as error:
            return 0, str(error)

    def api(self, path: str, **query: str):
        """What its API answers; `Wrong` is what it refuses."""
        status, text = self.get(f"/api/v1/{path}", **query)
        if status != 200 or json.loads(text)["status"] != "success":
            raise Wrong(f"Prometheus answers {status} to {query or path}: {text}")
        return json.loads(text)["data"]

    def ask(self, expression: str) -> list[tuple[dict, float]]:
        """The series that an expression gives now."""
        found = self.api("query", query=expression)["result"]
        return [(series["metric"], float(series["value"][1])) for series in found]

    def until(self, what: str, holds) -> None:
        """Waits until it holds."""
        deadline = time.monotonic() + 3 * PATIENCE
        while not holds():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise Broken(f"this did not come about: {what}; Prometheus said: {self.log.read()[-2000:]}")
            time.sleep(0.1)

    def stop(self):
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(PATIENCE)
        self.log.close()


@contextlib.contextmanager
def world() -> Iterator[SimpleNamespace]:
    """A relay with TLS, and Prometheus that sees it."""
    installed("prometheus")
    with Lab(radio=False) as lab:
        certificate, admin = lab.certificate(host()), f"127.0.0.1:{free_port()}"
        settings = (
            f'listen = ["127.0.0.1:0"]\ndomain-id = {DOMAIN}\nexempt = ["127.0.0.0/8"]\n'
            f'[tls]\ncert = "{certificate.chain}"\nkey = "{certificate.key}"\n[admin]\nlisten = "{admin}"\n'
        )
        node = Node(lab, "relay", settings)
        prometheus = Prometheus(lab, admin)
        try:
            client = Client(lab, SimpleNamespace(port=node.port, host=host()))
            yield SimpleNamespace(lab=lab, node=node, admin=admin, prometheus=prometheus, client=client)
        finally:
            prometheus.stop()


def busy(seen: SimpleNamespace) -> int:
    """Something of everything; the sign-ins that there were."""
    for _ in range(PAIRS):
        phone, tunnel, routing_id = seen.client.open()
        computer = seen.client.dial(f"/cable/connect/{routing_id}/{tunnel}")
        carries(phone, computer)
        computer.send(b"\x03\xe8", kind=0x8)
        if phone.receive() is not None:
            raise Wrong("the phone was not told that the computer is done")
        for party in (phone, computer):
            party.close()
    if seen.client.refused("/cable/new/nothing") != 404:
        raise Wrong("a path that is none was not refused with 404")
    return PAIRS


def expressions() -> list[tuple[str, str]]:
    """Everything that the dashboards ask, with the panel's title."""
    found = []
    for path in sorted((DEPLOY / "grafana").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"]
                for variable, value in VARIABLES.items():
                    expression = expression.replace(variable, value)
                if left := re.findall(r"\$\w+", expression):
                    raise Broken(f"{panel['title']}: this judge does not know {left}")
                found.append((panel["title"], expression))
    return found


def dashboard():
    """Every panel of the dashboard has something to show."""
    with world() as seen:
        ask = seen.prometheus.ask
        count = "cablecar_relay_tunnels_total{outcome='closed'}"
        # A rate needs a point before and one after.
        seen.prometheus.until("the relay is seen", lambda: ask(count))
        pairs = busy(seen)
        seen.prometheus.until("the sign-ins are seen", lambda: ask(count)[0][1] == pairs)
        seen.prometheus.until("two points are seen", lambda: ask(f"rate({count}[15s]) > 0"))
        asked = expressions()
        empty = [title for title, expression in asked if not ask(expression)]
        if empty:
            raise Wrong(f"these panels are empty: {empty}")
        return f"{len(asked)} expressions"


def figures():
    """What Prometheus has is what happened, and no series is of one person's."""
    with world() as seen:
        ask = seen.prometheus.ask
        pairs = busy(seen)
        one = "cablecar_relay_tunnels_total{outcome='closed'}"
        seen.prometheus.until("the sign-ins are seen", lambda: [value for _, value in ask(one)] == [pairs])
        expected = {
            "cablecar_relay_accepts_total": 2 * pairs + 1,
            "cablecar_relay_opening_seconds_count": 2 * pairs,
            "cablecar_relay_pairing_wait_seconds_count": pairs,
            "cablecar_relay_tunnel_seconds_count": pairs,
            "sum(cablecar_relay_frames_total)": 2 * pairs,
            "sum(cablecar_relay_bytes_total)": 400 * pairs,
            "cablecar_relay_refusals_total{why='not-found'}": 1,
            "sum(cablecar_relay_refusals_total)": 1,
            "sum(cablecar_relay_tunnels_total)": pairs,
        }
        wrong = {what: ask(what) for what, value in expected.items() if [found for _, found in ask(what)] != [value]}
        if wrong:
            raise Wrong(f"not as expected: {wrong}")
        series = ask("{__name__=~'cablecar_relay_.*'}")
        labels = {label for metric, _ in series for label in metric}
        if labels - {"__name__", "instance", "job", "state", "why", "outcome", "from", "le", "version"}:
            raise Wrong(f"there are other labels: {labels}")
        kinds = seen.prometheus.api("metadata")
        for metric, _ in series:
            name = re.sub(r"_(bucket|sum|count)$", "", metric["__name__"])
            if name not in kinds or not kinds[name][0]["help"]:
                raise Wrong(f"Prometheus does not know what {name} is")
        return f"{len(series)} series"


def alerts():
    """Prometheus takes every alert; none of them finds fault with a good
    relay, and a relay that is gone is missed."""
    with world() as seen:
        ask = seen.prometheus.ask
        busy(seen)
        rules = [rule for group in seen.prometheus.api("rules")["groups"] for rule in group["rules"]]
        written = re.findall(r"^ +- alert: (\w+)$", (DEPLOY / "prometheus" / "alerts.yml").read_text(), re.M)
        if sorted(rule["name"] for rule in rules) != sorted(written) or not written:
            raise Wrong(f"Prometheus has {[rule['name'] for rule in rules]}, the file {written}")
        seen.prometheus.until("the relay is seen", lambda: ask("up == 1"))

        def evaluated() -> bool:
            groups = seen.prometheus.api("rules")["groups"]
            return all(rule["health"] == "ok" for group in groups for rule in group["rules"])

        seen.prometheus.until("all rules are evaluated", evaluated)
        # The lab's certificate is good for less than what an operator's is.
        found = {rule["name"] for rule in rules if ask(rule["query"])} - {"RelayCertificateExpires"}
        if found:
            raise Wrong(f"these find fault with a good relay: {found}")
        seen.node.run.stop()
        down = next(rule["query"] for rule in rules if rule["name"] == "RelayDown")
        seen.prometheus.until("the relay is missed", lambda: ask(down))
        return f"{len(written)} alerts"


def rules():
    """The alerts' own tests, and the page itself, by promtool."""
    promtool = installed("promtool")
    folder = DEPLOY / "prometheus"
    for arguments in (("check", "rules", folder / "alerts.yml"), ("test", "rules", folder / "tests" / "alerts.yml")):
        told = subprocess.run([promtool, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
        if told.returncode:
            raise Wrong(f"promtool {arguments[0]} {arguments[1]}: {told.stdout}{told.stderr}")
    with world() as seen:
        busy(seen)
        status, page = fetch(f"http://{seen.admin}/metrics")
        told = subprocess.run(
            [promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=60, check=False
        )
        if status != 200 or told.returncode or told.stderr:
            raise Wrong(f"promtool check metrics: {told.stdout}{told.stderr}")
    return "check rules, test rules, check metrics"


CASES = {
    "prometheus: the dashboard": dashboard,
    "prometheus: figures": figures,
    "prometheus: alerts": alerts,
    "prometheus: promtool": rules,
}
