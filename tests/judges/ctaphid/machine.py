"""What a machine has to have for it: the kernel's device, its permission, a
service. Where /dev/uhid is there, programs that find security keys by
themselves are tried with it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import tools
from fido2.ctap2 import Ctap2
from fido2.hid import CtapHidDevice
from hosts import expect
from key import PATIENCE
from lab import Lab, Wrong, program
from lab.display import wait_until
from lab.verdict import Skipped
from signing import World, pem, with_world

DEPLOY = Path(__file__).resolve().parents[3] / "desktop-client" / "deploy"
UHID = Path("/dev/uhid")
NAME = "Cablecar virtual security key"


def missing():
    """Without /dev/uhid it says so, and what to do; nothing hangs."""
    if UHID.exists():
        raise Skipped("there is a /dev/uhid here")
    with Lab(radio=False) as lab:
        run = lab.start("cablecar", "device")
        run.expect(1, "uhid.missing")
        expect("modprobe uhid" in run.said(), f"what to do, in {run.said()}")
        lab.start("cablecar", "device", "--events", "json").expect(1, "uhid.missing")
        # What is no socket of packets is told as well.
        lab.start("cablecar", "device", "--socket").expect(2, "usage.arguments")


def rules() -> str:
    """The udev rules are such, and by udev's own judgement where it has one."""
    file = DEPLOY / "70-cablecar-device.rules"
    lines = [line for line in file.read_text().splitlines() if re.match(r"#?[A-Z]+==", line)]
    expect(len(lines) == 3, f"three rules, one of them for those who want it: {lines}")
    for line in lines:
        part = r'[A-Z]+(==|\+=|=)"[^"]+"'
        expect(re.fullmatch(rf"#?{part}(, {part})*", line) is not None, f"a rule: {line}")
    said = subprocess.run(["udevadm", "verify", str(file)], capture_output=True, text=True, check=False) \
        if shutil.which("udevadm") else None  # fmt: skip
    if said is None or "Unknown command" in said.stderr:
        return "read; udevadm verify is not here"
    expect(said.returncode == 0, said.stdout + said.stderr)
    return "verified by udevadm"


def unit():
    """The user unit, by systemd's judgement."""
    if not shutil.which("systemd-analyze"):
        raise Skipped("no systemd-analyze here")
    with Lab(radio=False) as lab:
        text = (DEPLOY / "cablecar-device.service").read_text()
        wanted = "ExecStart=%h/.local/bin/cablecar device --show page"
        expect(wanted in text, f"{wanted} in the unit")
        copy = lab.folder / "cablecar-device.service"
        copy.write_text(text.replace("%h/.local/bin/cablecar", program("cablecar")))
        env = {**lab.env, "SYSTEMD_LOG_LEVEL": "warning"}
        command = ["systemd-analyze", "verify", "--user", "--man=no", str(copy)]
        said = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        told = [line for line in (said.stdout + said.stderr).splitlines() if "cablecar-device" in line]
        expect(said.returncode == 0 and not told, f"{said.stdout}{said.stderr}")
        # The command is one that the program takes.
        help = lab.start("cablecar", "device", "--help")
        help.expect(0)
        expect("--show" in help.output and "--socket" not in help.output, help.output)


def with_uhid(case):
    """The case with a key that the kernel has."""

    def run():
        if not os.access(UHID, os.R_OK | os.W_OK):
            raise Skipped(f"no {UHID} here, or not for this user")
        return with_world(case, uhid=True)()

    return run


def found() -> CtapHidDevice:
    """The key as python-fido2 finds it."""
    devices = lambda: [one for one in CtapHidDevice.list_devices() if one.product_name == NAME]  # noqa: E731
    wait_until(devices, PATIENCE, "the key among the devices")
    return devices()[0]


def token(world: World) -> str:
    """python-fido2 and libfido2 find it among the devices, and sign in."""
    if not shutil.which("fido2-token"):
        raise Skipped("no fido2-token; on Debian: apt-get install fido2-tools")
    device = found()
    expect(device.ping(bytes(2000)) == bytes(2000), "a ping")
    node = device.descriptor.path
    bench = tools.Bench.__new__(tools.Bench)
    bench.device, bench.folder, bench.env = world.key.run, world.lab.folder, dict(os.environ)
    expect(str(node) in bench.run("fido2-token", "-L"), "libfido2 finds it")
    made, _ = world.with_phone(
        lambda: Ctap2(device).make_credential(
            bytes(32), {"id": "example.com", "name": "x"}, {"id": b"ada", "name": "ada"},
            [{"type": "public-key", "alg": -7}], options={"rk": True},
        )  # fmt: skip
    )
    device.close()
    data = made.auth_data.credential_data
    before, tools.NODE = tools.NODE, str(node)
    try:
        id = tools.base64_of(data.credential_id)
        world.with_phone(lambda: tools.sign_in(bench, "es256", id, pem(data.public_key), "-p"))
    finally:
        tools.NODE = before
    return f"at {node}"


def pam(world: World):
    """pam_u2f lets the person in whose phone says yes."""
    for one, package in (("pamu2fcfg", "pamu2fcfg"), ("pamtester", "pamtester")):
        if not shutil.which(one):
            raise Skipped(f"no {one}; on Debian: apt-get install {package}")
    folders = [folder for folder in Path("/usr/lib").glob("*-linux-gnu*") if (folder / "libpam_wrapper.so").exists()]
    if not folders or not list(Path("/").glob("*lib*/*-linux-gnu*/security/pam_u2f.so")):
        raise Skipped("no pam_u2f to try; on Debian: apt-get install libpam-u2f libpam-wrapper")
    found().close()
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    names = ["-o", "pam://cablecar", "-i", "pam://cablecar"]
    asked = lambda command, env=None: subprocess.run(  # noqa: E731
        command, capture_output=True, text=True, timeout=PATIENCE * 2, env=env, check=False
    )
    made, _ = world.with_phone(lambda: asked(["pamu2fcfg", "-u", user, *names]))
    expect(made.returncode == 0, f"pamu2fcfg: {made.stderr}")
    known, folder = world.lab.folder / "u2f_keys", world.lab.folder / "pam.d"
    known.write_text(made.stdout + "\n")
    folder.mkdir()
    # nodetect: who has which passkey is not known before a phone has come.
    options = f"authfile={known} origin=pam://cablecar appid=pam://cablecar nodetect"
    (folder / "cablecar").write_text(f"auth required pam_u2f.so {options}\naccount required pam_permit.so\n")
    env = {**os.environ, "PAM_WRAPPER": "1", "PAM_WRAPPER_SERVICE_DIR": str(folder)}
    env["LD_PRELOAD"] = str(folders[0] / "libpam_wrapper.so")
    let_in, _ = world.with_phone(lambda: asked(["pamtester", "cablecar", user, "authenticate"], env))
    if let_in.returncode != 0:
        raise Wrong(f"not let in: {let_in.stdout}{let_in.stderr}")


CASES = {
    "uhid-missing": missing,
    "udev-rules": rules,
    "user-unit": unit,
    "uhid-token": with_uhid(token),
    "uhid-pam": with_uhid(pam),
}
