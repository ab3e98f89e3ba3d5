"""The proxies of `relay/deploy`: each recipe as it is, with other paths, ports
and names, and two relays behind it."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from lab import Broken, Lab
from lab.verdict import Skipped
from parties import PATIENCE, Node, answers, free_port, host

DEPLOY = Path(__file__).resolve().parents[3] / "relay" / "deploy"
PATH = "/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", "")
# In the recipes, two relays.
RELAYS = ("10.0.0.11:8440", "10.0.0.12:8440")
NAME = "cable.example.com"


class Proxy:
    """What the recipes have in common: how each is made ours, and started."""

    name, program, package, protocol = "", "", "", ""
    # Whether a phone that a relay refuses with a 503 is sent to the other.
    asks_another = True

    def __init__(self, lab: Lab, nodes: list[Node], domain_host: str):
        self.lab, self.nodes, self.host = lab, nodes, domain_host
        self.port = free_port()
        self.connect_to = f"{domain_host}:443:127.0.0.1:{self.port}"
        self.certificate = lab.certificate(domain_host)
        self.folder = lab.folder / self.name
        self.folder.mkdir()

    @classmethod
    def installed(cls) -> str:
        """Where the program is; Debian keeps it out of a plain user's path."""
        if found := shutil.which(cls.program, path=PATH):
            return found
        raise Skipped(f"no {cls.program}; on Debian: apt-get install {cls.package}")

    def recipe(self, path: str, changes: dict[str, str]) -> str:
        """The recipe with its relays and these texts replaced; each must be there."""
        text = (DEPLOY / path).read_text()
        ours = {old: f"127.0.0.1:{node.port}" for old, node in zip(RELAYS, self.nodes, strict=True)}
        for old, new in (changes | ours).items():
            if old not in text:
                raise Broken(f"{path} says no {old!r}")
            text = text.replace(old, new)
        return text

    def command(self) -> list[str]:
        """Writes the configuration; the command that runs with it in the foreground."""
        raise NotImplementedError

    def start(self):
        """Starts it and waits until it listens."""
        command = [self.installed(), *self.command()]
        self.log = (self.folder / "log").open("w+")
        env = {**self.lab.env, "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env)
        deadline = time.monotonic() + PATIENCE
        while not answers("127.0.0.1", self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"{self.name} did not start: {self.said()}")
            time.sleep(0.02)

    def said(self) -> str:
        """What it has printed."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self):
        """Ends it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5.0)
            except subprocess.TimeoutExpired:  # it waits for its tunnels, as it should
                self.process.kill()
                self.process.wait(PATIENCE)
        self.log.close()


class HAProxy(Proxy):
    """PROXY protocol, and a table of sources."""

    name, program, package, protocol = "haproxy", "haproxy", "haproxy", "proxy-v1v2"

    def command(self) -> list[str]:
        pem = self.folder / "relay.pem"
        pem.write_bytes(self.certificate.chain.read_bytes() + self.certificate.key.read_bytes())
        changes = {"/etc/haproxy/relay.pem": str(pem), "bind [::]:443 v4v6": f"bind 127.0.0.1:{self.port}"}
        config = self.folder / "haproxy.cfg"
        config.write_text(self.recipe("haproxy/haproxy.cfg", changes))
        return ["-f", str(config), "-db"]


class Nginx(Proxy):
    """X-Forwarded-For, and a map of routing ids."""

    name, program, package, protocol = "nginx", "nginx", "nginx-light", "forwarded-for"

    def command(self) -> list[str]:
        changes = {
            "/etc/nginx/relay/chain.pem": str(self.certificate.chain),
            "/etc/nginx/relay/key.pem": str(self.certificate.key),
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "    listen [::]:443 ssl;\n": "",
            NAME: self.host,
        }
        (self.folder / "relay.conf").write_text(self.recipe("nginx/cablecar-relay.conf", changes))
        # What Debian's nginx.conf has around it, in this folder.
        places = "".join(
            f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\npid {self.folder}/pid;\nerror_log stderr;\nworker_processes 2;\n"
            + "events { worker_connections 1000; }\n"
            + f"http {{\n{places}include {self.folder}/relay.conf;\n}}\n"
        )
        return ["-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]


class Caddy(Proxy):
    """X-Forwarded-For, and matchers of routing ids; its certificates are files here."""

    name, program, package, protocol = "caddy", "caddy", "caddy", "forwarded-for"
    asks_another = False

    def command(self) -> list[str]:
        files = f"tls {self.certificate.chain} {self.certificate.key}"
        changes = {
            "# tls /etc/caddy/chain.pem /etc/caddy/key.pem": files,
            f"\n{NAME} {{": f"\nhttps://{self.host}:{self.port} {{",
            # Nothing of Caddy's own on this machine's ports.
            "\n{\n": "\n{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n",
        }
        config = self.folder / "Caddyfile"
        config.write_text(self.recipe("caddy/Caddyfile", changes))
        return ["run", "--config", str(config), "--adapter", "caddyfile"]


PROXIES = (HAProxy, Nginx, Caddy)


def node_settings(number: int, protocol: str, limits: str = "") -> str:
    """A relay behind a proxy, as the head of each recipe says."""
    return (
        f'listen = ["127.0.0.1:0"]\nplain = true\ndomain-id = 258\nregion = 0\nnode = {number}\n'
        + f'[proxy]\ntrusted = ["127.0.0.1"]\nprotocol = "{protocol}"\n'
        + (f"[limits]\n{limits}\n" if limits else "")
    )


@contextlib.contextmanager
def front(kind: type[Proxy], limits: str = "", radio: bool = False) -> Iterator[SimpleNamespace]:
    """Two relays behind a proxy: `lab`, `nodes`, and the `proxy`, which is to
    our programs what a relay is."""
    kind.installed()
    with Lab(radio=radio) as lab:
        nodes = [Node(lab, f"node-{n}", node_settings(n, kind.protocol, limits)) for n in (0, 1)]
        proxy = kind(lab, nodes, host())
        proxy.domain = 258
        proxy.start()
        try:
            yield SimpleNamespace(lab=lab, nodes=nodes, proxy=proxy)
        finally:
            proxy.stop()


def seconds(recipe: str, pattern: str) -> float:
    """The time that a recipe names after this pattern, in seconds."""
    found = re.search(rf"^\s*{pattern}\s+(\d+)(ms|s|m|h);?$", (DEPLOY / recipe).read_text(), re.M)
    if not found:
        raise Broken(f"{recipe} has no {pattern}")
    return int(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[found[2]]
