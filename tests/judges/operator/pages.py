"""`docs/operating-a-relay.md`: its commands, typed on a bare machine."""

import re
import time
from pathlib import Path

from lab import Lab, Wrong
from machine import Machine
from packages import package
from parties import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "operating-a-relay.md"
MARK = "<!-- Played word for word by tests/judges/operator/pages.py. -->\n"
# Where nobody registers a name, and no authority is asked.
CERTBOT = """#!/bin/sh
set -e
name=
while [ $# -gt 0 ]; do
    [ "$1" = --domain ] && name=$2
    shift
done
mkdir -p "/etc/letsencrypt/live/$name"
cp "/root/lab/$name.chain.pem" "/etc/letsencrypt/live/$name/fullchain.pem"
cp "/root/lab/$name.key.pem" "/etc/letsencrypt/live/$name/privkey.pem"
"""


def commands() -> list[tuple[str, str]]:
    """What the page has a newcomer type, and what it shows below each."""
    blocks = re.findall(re.escape(MARK) + r"```console\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    typed = [line for block in blocks for line in re.split(r"^# ", block, flags=re.M)[1:]]
    return [(command, shown) for command, _, shown in (text.partition("\n") for text in typed)]


def newcomer():
    """From a bare machine to a relay with TLS that carries a sign-in."""
    script = commands()
    if not 5 < len(script) < 10:
        raise Wrong(f"the page has {len(script)} commands, not less than ten")
    found = [shown for command, shown in script if " domain find" in command]
    name = re.search(r"cable\.\S+", found[0])[0]
    if not any(f"wss://{name}" in command for command, _ in script):
        raise Wrong(f"the page chooses {name} and goes on with another")
    with Lab(radio=False) as lab:
        name_of_file, deb = package()
        with Machine(lab) as machine:
            machine.run("apt-get purge --yes cablecar-relay >/dev/null 2>&1 || true")
            machine.put(f"/root/{name_of_file}", deb)
            machine.put("/usr/local/bin/certbot", CERTBOT, 0o755)
            certificate = lab.certificate(name)
            machine.put(f"/root/lab/{name}.chain.pem", certificate.chain.read_bytes())
            machine.put(f"/root/lab/{name}.key.pem", certificate.key.read_bytes())
            machine.put("/usr/local/share/ca-certificates/lab.crt", lab.ca_file.read_bytes())
            machine.run("update-ca-certificates")
            machine.put("/etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n127.0.0.1 {name}\n")
            for command, shown in script:
                said = machine.run(command)
                if shown and said != shown:
                    raise Wrong(f"`{command}` shows {said!r}, and the page {shown!r}")
                if " config check " in command and f"clients look for it at: {name}" not in said:
                    raise Wrong(f"the page has a relay for {name}, and the settings say {said!r}")
            status = machine.run("cablecar-relay admin status --admin-listen unix:/run/cablecar-relay/admin.sock")
            machine.run("systemctl reload cablecar-relay")
            upgraded(machine, name_of_file)
            machine.run(script[-1][0])
            machine.run("systemctl stop cablecar-relay")
            machine.run(script[-1][0], fails=True)
    return f"{len(script)} commands; {status.splitlines()[0] if status else ''}"


def upgraded(machine: Machine, deb: str):
    """The package comes again: another process takes over, and the settings stay."""
    before = machine.run("cat /run/service.pid")
    # By this a package knows that systemd is there.
    machine.run(f"mkdir -p /run/systemd/system && dpkg --install {deb}")
    deadline = time.monotonic() + PATIENCE
    while machine.run("cat /run/service.pid") == before:
        if time.monotonic() > deadline:
            raise Wrong("the package came again, and the old process goes on")
        time.sleep(0.1)
    machine.run("grep -q '^domain-id' /etc/cablecar-relay/config.toml && systemctl is-active cablecar-relay")


CASES = {"newcomer": newcomer}
