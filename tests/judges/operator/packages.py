"""What is shipped: the unit, the container's program, the package, the release."""

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path
from types import SimpleNamespace

from lab import Broken, Lab, Site, Wrong, program
from lab.verdict import Skipped
from machine import Machine
from parties import DOMAIN, PATIENCE, free_port, host
from proxies import DEPLOY
from sockets import Client, carries

ROOT = DEPLOY.parents[1]
UNITS = ("cablecar-relay.service", "cablecar-relay.socket")
# Of systemd-analyze security, in tenths: 18 with 252. What listens to the
# internet on a low port cannot have much less.
MOST_EXPOSED = 20
TRIPLE = f"{os.uname().machine}-unknown-linux-musl"


def said_by(*command: str | Path, fails: bool = False, patience: float = PATIENCE, **more) -> str:
    """What a command prints on both ways; it must end well, or not, as `fails` says."""
    done = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=patience, **more,
    )  # fmt: skip
    if (done.returncode != 0) != fails:
        raise Wrong(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stdout[-3000:]}")
    return done.stdout


def installed(name: str, package_name: str) -> str:
    """A program of the system's."""
    if found := shutil.which(name):
        return found
    raise Skipped(f"no {name}; on Debian: apt-get install {package_name}")


def unit():
    """systemd understands the units, and finds little that they leave open."""
    analyze = installed("systemd-analyze", "systemd")
    with Lab(radio=False) as lab:
        for name in UNITS:
            text = (DEPLOY / "systemd" / name).read_text()
            (lab.folder / name).write_text(text.replace("/usr/bin/cablecar-relay", program("cablecar-relay")))
        service = lab.folder / UNITS[0]

        def verify() -> str:
            # It reads the machine's own units too, and may have something to say of them.
            said = said_by(analyze, "verify", "--man=no", *(lab.folder / name for name in UNITS), cwd=lab.folder)
            return "\n".join(line for line in said.splitlines() if "cablecar" in line)

        if complaints := verify():
            raise Wrong(complaints)
        drop_in = lab.folder / f"{UNITS[0]}.d"
        drop_in.mkdir()
        shutil.copy(DEPLOY / "systemd" / "credentials.conf", drop_in)
        if complaints := verify():
            raise Wrong(complaints)
        security = [analyze, "security", "--offline=yes", f"--threshold={MOST_EXPOSED}"]
        said = said_by(*security, service)
        # A unit without what shields it is found out by the same command.
        bare = re.sub(r"^(Protect|Restrict|SystemCall|Capability|Private).*\n", "", service.read_text(), flags=re.M)
        service.write_text(bare)
        said_by(*security, service, fails=True)
    return said.strip().splitlines()[-1].removeprefix("→ ")


def allowed(analyze: str, filters: list[str]) -> set[str]:
    """The system calls that lines of SystemCallFilter= let through."""
    sets: dict[str, set[str]] = {}
    for line in said_by(analyze, "syscall-filter", "--no-pager").splitlines():
        if line.startswith("@"):
            members = sets.setdefault(line.strip(), set())
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.add(line.strip())

    def meant(name: str) -> set[str]:
        if not name.startswith("@"):
            return {name}
        return set().union(*map(meant, sets[name]))

    through = meant("@default")
    for line in filters:
        names = set().union(*map(meant, line.removeprefix("~").split()))
        through = through - names if line.startswith("~") else through | names
    return through


def system_calls():
    """A relay that serves, reloads and stops asks the kernel for nothing that
    the unit forbids."""
    analyze, strace = installed("systemd-analyze", "systemd"), installed("strace", "strace")
    text = (DEPLOY / "systemd" / UNITS[0]).read_text()
    through = allowed(analyze, re.findall(r"^SystemCallFilter=(.*)$", text, re.M))
    with Lab(radio=False) as lab:
        certificate, port = lab.certificate(host()), free_port()
        state = lab.folder / "state"
        state.mkdir()
        settings = lab.folder / "relay.toml"
        settings.write_text(
            f'listen = ["127.0.0.1:{port}"]\ndomain-id = {DOMAIN}\nstate-dir = "{state}"\n'
            + f'[tls]\ncert = "{certificate.chain}"\nkey = "{certificate.key}"\n'
            + f'[admin]\nlisten = "unix:{lab.folder}/admin.sock"\n'
        )
        trace = lab.folder / "trace"
        inner = [program("cablecar-relay"), "serve", "--config", str(settings), "--events", "json"]
        with traced([strace, "-f", "-qq", "-o", str(trace), *inner], lab) as relay:
            front = SimpleNamespace(host=host(), port=port)
            until_listening(relay)
            client = Client(lab, front)
            phone, tunnel, routing_id = client.open()
            computer = client.dial(f"/cable/connect/{routing_id}/{tunnel}")
            carries(phone, computer)
            relay_pid = Path(f"/proc/{relay.pid}/task/{relay.pid}/children").read_text().split()[0]
            os.kill(int(relay_pid), 1)  # SIGHUP
            carries(phone, computer)
            computer.close()
            phone.close()
            os.kill(int(relay_pid), 15)
            relay.wait(PATIENCE)
        asked = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", trace.read_text(), re.M))
    if len(asked) < 20:
        raise Broken(f"strace saw only {sorted(asked)}")
    # Of the loader, before the filter's day: none. Everything counts.
    if forbidden := asked - through:
        raise Wrong(f"the unit forbids what the relay asks for: {sorted(forbidden)}")
    return f"{len(asked)} different calls"


def traced(command: list[str], lab: Lab) -> subprocess.Popen:
    """A process whose standard output is a pipe."""
    return subprocess.Popen(
        command, env=lab.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def until_listening(relay: subprocess.Popen):
    """Waits for its first event."""
    for line in relay.stdout:
        if '"listening"' in line:
            return
    raise Wrong("the relay said nothing of listening")


def static_program() -> Path:
    """The program as it is put into containers, if somebody has built it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = target / TRIPLE / "release" / "cablecar-relay"
    if not built.exists():
        raise Skipped(f"no static program; cargo build --release -p cablecar-relay --target {TRIPLE}")
    return built


def container():
    """What the Containerfile puts together, without a container: the program
    alone in an empty folder, as nobody, with that file's settings."""
    built = static_program()
    if os.geteuid() != 0:
        raise Skipped("an empty root takes root")
    text = (DEPLOY / "container" / "Containerfile").read_text().replace("\\\n", " ")
    last = text[text.rindex("\nFROM scratch") :]
    env = dict(re.findall(r"(CABLECAR_RELAY_[A-Z_]+)=(\S+)", last))
    user = re.search(r"^USER (\S+)$", last, re.M)[1]
    health = json.loads(re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", last, re.M)[1])
    command = json.loads(re.search(r"^ENTRYPOINT (.*)$", last, re.M)[1])
    command += json.loads(re.search(r"^CMD (.*)$", last, re.M)[1])
    with Lab() as lab:
        root = lab.folder / "container"
        for folder in ("var/lib/cablecar-relay", "run/cablecar-relay", "tls"):
            (root / folder).mkdir(parents=True)
            os.chown(root / folder, *map(int, user.split(":")))
        shutil.copy(built, root / "cablecar-relay")
        name = host()
        certificate, port = lab.certificate(name), free_port()
        for file, path in (("chain.pem", certificate.chain), ("key.pem", certificate.key)):
            (root / "tls" / file).write_bytes(path.read_bytes())
            os.chown(root / "tls" / file, *map(int, user.split(":")))
        if env["CABLECAR_RELAY_LISTEN"] != "[::]:443":
            raise Broken(f"the Containerfile listens at {env['CABLECAR_RELAY_LISTEN']}")
        # A port below 1024 is for containers; and two others that may be taken.
        env |= {"CABLECAR_RELAY_LISTEN": f"127.0.0.1:{port}", "CABLECAR_RELAY_ADMIN_LISTEN": f"127.0.0.1:{free_port()}"}
        env |= {"CABLECAR_RELAY_TLS_CERT": "/tls/chain.pem", "CABLECAR_RELAY_TLS_KEY": "/tls/key.pem"}
        env |= {"CABLECAR_RELAY_DOMAIN_ID": str(DOMAIN)}
        inside = [installed("chroot", "coreutils"), f"--userspec={user}", str(root)]
        relay = subprocess.Popen(
            [*inside, *command, "--events", "json"], env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=(lab.folder / "container.log").open("w"), text=True,
        )  # fmt: skip
        try:
            until_listening(relay)
            front = SimpleNamespace(domain=DOMAIN, host=name, port=port)
            front.connect_to = f"{name}:443:127.0.0.1:{port}"
            said_by(*inside, *health, env=env)
            site, phone = Site(), lab.phone()
            for verb, options, verdict in (
                ("create", site.creation, site.registered),
                ("get", site.request, site.signed_in),
            ):
                computer = lab.desktop(verb, options(), relay=front)
                scan = phone.scan(computer.code(), relay=front)
                verdict(computer.result())
                scan.expect(0)
        finally:
            relay.terminate()
            relay.stdout.close()
            relay.wait(PATIENCE)
        said_by(*inside, *health, env=env, fails=True)
    return f"{built.stat().st_size / 2**20:.1f} MiB"


def composed():
    """What compose.yaml mounts is there, and Prometheus understands its part."""
    folder = DEPLOY / "container"
    mounts = re.findall(r"^ +- (\.[^:]*):/[^:]+:ro$", (folder / "compose.yaml").read_text(), re.M)
    missing = [mount for mount in mounts if mount != "./tls" and not (folder / mount).exists()]
    if len(mounts) < 5 or missing:
        raise Wrong(f"compose.yaml mounts {mounts}; not there: {missing}")
    promtool = installed("promtool", "prometheus")
    with tempfile.TemporaryDirectory(prefix="cablecar-compose-") as inside:
        # As the container has them.
        shutil.copy(folder / "prometheus.yml", inside)
        shutil.copytree(DEPLOY / "prometheus", Path(inside, "rules"))
        said = said_by(promtool, "check", "config", Path(inside, "prometheus.yml"))
    if not (rules := re.search(r"SUCCESS: (\d+) rules found", said)):
        raise Wrong(f"Prometheus finds no rules: {said}")
    return f"{rules[1]} rules"


@functools.cache
def package() -> tuple[str, bytes]:
    """The Debian package around the program as it is built: its name and itself."""
    installed("dpkg-deb", "dpkg")
    if not shutil.which("cargo-deb"):
        raise Skipped("no cargo-deb; tests/run operator installs it")
    with tempfile.TemporaryDirectory(prefix="cablecar-package-") as folder:
        target = Path(folder, "target")
        (target / "release").mkdir(parents=True)
        shutil.copy(program("cablecar-relay"), target / "release" / "cablecar-relay")
        terms = said_by(DEPLOY / "inventory.py", "licences", TRIPLE, patience=120.0)
        (target / "release" / "third-party-licences.txt").write_text(terms)
        env = {**os.environ, "CARGO_TARGET_DIR": str(target)}
        command = ["cargo", "deb", "--quiet", "--locked", "--no-build", "-p", "cablecar-relay"]
        said_by(*command, "--output", f"{folder}/", cwd=ROOT, env=env, patience=300.0)
        (deb,) = Path(folder).glob("*.deb")
        return deb.name, deb.read_bytes()


def debian():
    """The package holds what it must, lintian finds no error, and it comes and
    goes as packages should, with the owner's settings kept."""
    with Lab(radio=False) as lab:
        deb = lab.folder / package()[0]
        deb.write_bytes(package()[1])
        fields = said_by("dpkg-deb", "--info", deb)
        content = said_by("dpkg-deb", "--contents", deb)
        for path, mode in (
            ("./usr/bin/cablecar-relay", "-rwxr-xr-x 0/0"),
            ("./usr/lib/systemd/system/cablecar-relay.service", "-rw-r--r-- 0/0"),
            ("./usr/lib/systemd/system/cablecar-relay.socket", "-rw-r--r-- 0/0"),
            ("./etc/cablecar-relay/config.toml", "-rw-r--r-- 0/0"),
            ("./usr/share/doc/cablecar-relay/copyright", "-rw-r--r-- 0/0"),
            ("./usr/share/doc/cablecar-relay/third-party-licences.txt", "-rw-r--r-- 0/0"),
        ):
            line = next((line for line in content.splitlines() if line.endswith(f" {path}")), "")
            if not line.startswith(mode):
                raise Wrong(f"{path} in the package: {line!r}")
        for part in ("conffiles", "postinst", "prerm", "postrm", " Depends: adduser"):
            if part not in fields:
                raise Wrong(f"the package has no {part.strip()}: {fields}")
        lintian = "no lintian"
        if shutil.which("lintian"):
            command = ["lintian", "--fail-on", "error", "--no-cfg", "--allow-root"]
            if b"ld-linux" in Path(program("cablecar-relay")).read_bytes():
                # A release has the static program, which needs no libc.
                command += ["--suppress-tags", "missing-dependency-on-libc"]
            said = subprocess.run([*command, str(deb)], capture_output=True, text=True, check=False, timeout=300)
            if said.returncode != 0:
                raise Wrong(f"lintian: {said.stdout[-3000:]}{said.stderr[-1000:]}")
            lintian = f"lintian: {len(said.stdout.splitlines())} remarks, no error"
        with Machine(lab) as machine:
            comes_and_goes(lab, machine, deb)
    return lintian


def comes_and_goes(lab: Lab, machine: Machine, deb: Path):
    """Installed, checked, installed again over changed settings, removed, purged."""
    machine.put(f"/root/{deb.name}", deb.read_bytes())
    machine.run(f"dpkg --install {deb.name}")
    certificate = lab.certificate(host())
    for file, path in (("chain.pem", certificate.chain), ("key.pem", certificate.key)):
        machine.put(f"/etc/cablecar-relay/tls/{file}", path.read_bytes(), 0o640)
    machine.run("chgrp cablecar-relay /etc/cablecar-relay/tls/*")
    check = "cablecar-relay config check --config /etc/cablecar-relay/config.toml"
    as_user = "setpriv --reuid=cablecar-relay --regid=cablecar-relay --init-groups"
    machine.run(f"{as_user} {check}")
    # Anybody else does not get at the key.
    machine.run("setpriv --reuid=nobody --regid=nogroup --clear-groups cat /etc/cablecar-relay/tls/key.pem", fails=True)
    machine.run("sed -i 's/^# domain-id = .*/domain-id = 6076/' /etc/cablecar-relay/config.toml")
    machine.run(f"dpkg --install {deb.name}")
    if "ietkrmlbd3" not in (said := machine.run(check)):
        raise Wrong(f"after another installation the settings are {said!r}")
    machine.run("echo nonsense = 1 >> /etc/cablecar-relay/config.toml")
    machine.run(check, fails=True)
    machine.run("dpkg --remove cablecar-relay")
    machine.run("test -e /etc/cablecar-relay/config.toml && test ! -e /usr/bin/cablecar-relay")
    machine.run("dpkg --purge cablecar-relay")
    machine.run("test ! -e /etc/cablecar-relay/config.toml && test -e /etc/cablecar-relay/tls/key.pem")


def materials():
    """The bill of materials names everything whose code is in the program, as
    Cargo.lock has it, and is the same each time."""
    inventory = DEPLOY / "inventory.py"
    triple = re.search(r"^host: (.*)$", said_by("rustc", "-vV"), re.M)[1]
    listed, again = (said_by(inventory, "sbom", triple, patience=120.0) for _ in range(2))
    if listed != again:
        raise Wrong("two lists of the same sources differ")
    bill = json.loads(listed)
    crates = {f"{one['name']}-{one['version']}" for one in bill["components"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    sums = {f"{one['name']}-{one['version']}": one.get("checksum") for one in lock}
    for one in bill["components"]:
        ours = one["name"].startswith("cablecar")
        given = [sum["content"] for sum in one.get("hashes", [])]
        if given != ([] if ours else [sums[f"{one['name']}-{one['version']}"]]) or not one.get("licenses"):
            raise Wrong(f"the entry of {one['name']} is {one}")
    # Messages of panics name the files that they are from; Rust's own are its own.
    binary = Path(program("cablecar-relay")).read_bytes()
    inside = {name.decode() for name in re.findall(rb"(?<!/rust/deps)/([a-z0-9_-]+-\d+\.\d+\.\d+[a-z0-9.+-]*)/src/", binary)}
    inside = {name for name in inside if name in sums}
    if len(inside) < 10 or inside - crates:
        raise Wrong(f"the program has {len(inside)} named crates; not listed: {sorted(inside - crates)}")
    texts = said_by(inventory, "licences", triple, patience=120.0)
    others = [f"{one['name']} {one['version']}:" for one in bill["components"] if not one["name"].startswith("cablecar")]
    if missing := [name for name in others if name not in texts]:
        raise Wrong(f"no terms of {missing}")
    return f"{len(crates)} crates, of which {len(inside)} can be seen in the program"


def release():
    """The release folder, made twice, in two places: the same bytes."""
    if not shutil.which("cargo-deb"):
        raise Skipped("no cargo-deb; tests/run operator installs it")
    if not shutil.which("musl-gcc"):
        raise Skipped("no musl-gcc; on Debian: apt-get install musl-tools")
    with tempfile.TemporaryDirectory(prefix="cablecar-release-") as folder:
        made = []
        for place in ("here", "elsewhere"):
            source = Path(folder, place, "source")
            said_by("git", "clone", "--quiet", "--no-hardlinks", ROOT, source, patience=300.0)
            env = {**os.environ, "CARGO_TARGET_DIR": str(source.parent / f"target-{place}")}
            env["SOURCE_DATE_EPOCH"] = "1700000000"
            out = source.parent / "release"
            said_by(source / "relay" / "deploy" / "release", out, env=env, patience=3000.0)
            said_by("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=out)
            made.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()})
        one, other = made
        if one != other or len(one) != 5:
            differ = [name for name in one if one[name] != other.get(name)]
            raise Wrong(f"of {sorted(one)}, these differ: {differ}")
        (deb,), (binary,) = out.glob("*.deb"), out.glob(f"*-{TRIPLE}")
        unpacked = Path(folder, "unpacked")
        said_by("dpkg-deb", "--extract", deb, unpacked)
        if (unpacked / "usr/bin/cablecar-relay").read_bytes() != binary.read_bytes():
            raise Wrong("the package has another program than the one beside it")
        if folder.encode() in binary.read_bytes() or str(Path.home()).encode() in binary.read_bytes():
            raise Wrong("the program names folders of this machine")
        return f"{binary.name}: {binary.stat().st_size / 2**20:.1f} MiB, the same twice"


CASES = {
    "unit": unit,
    "unit-system-calls": system_calls,
    "container": container,
    "compose": composed,
    "package": debian,
    "materials": materials,
}
LONG = {"release": release}
