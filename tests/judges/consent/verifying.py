"""The owner: by a finger, and by what the system asks."""

import fcntl
import os
import pty
import select
import shutil
import subprocess
import termios
import time
from pathlib import Path

import scene
from desktop import Desktop
from lab import Wrong
from lab.programs import program
from lab.verdict import Skipped

FINGER = ("--verify", "fprintd")


def touched(outcome: int, error: str | None, log: list[str], why: str | None = None, **reader):
    """A registration for which a finger is wanted, and how the reader was used."""
    with scene.world() as world, Desktop(world.lab.bus.address, **reader) as desk:
        computer, scan = world.registration(*FINGER, consent="allow")
        scan.expect(outcome, error)
        if why:
            scene.warned(scan, "verify.not-verified", why)
        if outcome == 0:
            world.site.registered(computer.result())
        elif world.phone.passkeys():
            raise Wrong("a passkey was made all the same")
        scene.until(f"the reader was used as {log}", lambda: desk.reader_log == log, 2.0)


START, STOP = "VerifyStart any", "VerifyStop"


def finger_is_known():
    """The first time, and after slips and a wrong finger."""
    touched(0, None, ["Claim", START, STOP, "Release"], tries=[["verify-match"]])
    again = [["verify-retry-scan", "verify-no-match"], ["verify-swipe-too-short", "verify-match"]]
    touched(0, None, ["Claim", START, STOP, START, STOP, "Release"], tries=again)


def finger_is_not_known():
    """Three wrong ones are a no, and nobody is asked."""
    log = ["Claim", *[START, STOP] * 3, "Release"]
    touched(4, "consent.declined", log, "not recognised", tries=[["verify-no-match"]] * 3, impostor=True)


def reader_is_missing():
    """No service, no reader, no finger, a reader in use or broken: each says so."""
    cannot = (1, "consent.cannot-ask")
    touched(*cannot, [], "no fprintd", names=[])
    touched(*cannot, [], "knows no fingerprint reader", is_there=False)
    touched(*cannot, [], "none of your fingers", fingers=[])
    touched(*cannot, ["Claim", "Release"], "in use", claimed_by_another=True)
    stopped = ["Claim", START, STOP, "Release"]
    touched(*cannot, stopped, "failed", tries=[["verify-disconnected"]])


def finger_is_not_waited_for():
    """The computer leaves: the reader is given back."""
    with scene.world() as world, Desktop(world.lab.bus.address) as desk:
        computer, scan = world.registration(*FINGER, consent="allow")
        scene.until("the reader waits for a finger", lambda: START in desk.reader_log)
        computer.process.terminate()
        log = ["Claim", START, STOP, "Release"]
        scene.until(f"the reader was used as {log}", lambda: desk.reader_log == log, 5.0)
        scan.wait(scene.PATIENCE)


def wrapper() -> Path:
    """A real PAM with rules of our own, by Samba's wrapper of it."""
    if not shutil.which("pamtester"):
        raise Skipped("no pamtester; on Debian: apt-get install pamtester")
    for folder in Path("/usr/lib").glob("*-linux-gnu*"):
        if (folder / "libpam_wrapper.so").exists() and (folder / "pam_wrapper" / "pam_matrix.so").exists():
            return folder
    raise Skipped("no PAM to try; on Debian: apt-get install libpam-wrapper")


def by_pam(world: scene.World, typed: str | None) -> tuple[int, str]:
    """A phone at a terminal, with this typed at PAM's prompt; its exit code and its screen."""
    libraries, rules = wrapper(), world.lab.folder / "pam.d"
    rules.mkdir()
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    (world.lab.folder / "passwords").write_text(f"{user}:letmein:cablecar-phone\n")
    module = f"{libraries}/pam_wrapper/pam_matrix.so passdb={world.lab.folder}/passwords"
    (rules / "cablecar-phone").write_text(f"auth required {module}\naccount required {module}\n")
    env = {**world.phone.env, "PAM_WRAPPER": "1", "PAM_WRAPPER_SERVICE_DIR": str(rules)}
    env["LD_PRELOAD"] = str(libraries / "libpam_wrapper.so")

    computer = world.lab.desktop("create", world.site.creation(), relay=world.relay)
    arguments = ["--vault", world.phone.vault, "--passphrase-file", world.phone.passphrase_file, "scan", "-"]
    arguments += ["--verify", "pam", "--danger-consent", "allow", "--domain-id", world.relay.domain]
    arguments += ["--ca-file", world.lab.ca_file, "--connect-to", world.relay.connect_to]
    ours, its = pty.openpty()
    phone = subprocess.Popen(
        [program("cablecar-phone"), *map(str, arguments)],
        env=env,
        stdin=subprocess.PIPE,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0),
    )
    try:
        phone.stdin.write(computer.code().encode() + b"\n")
        phone.stdin.close()
        screen, deadline, is_asked = "", time.monotonic() + 60, False
        while phone.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                screen += os.read(ours, 4096).decode(errors="replace")
            if "assword" in screen and not is_asked:
                is_asked = True
                if echoes(ours):
                    raise Wrong("what is typed is shown")
                if typed is None:
                    computer.process.terminate()
                else:
                    os.write(ours, typed.encode() + b"\n")
        code = phone.wait(5)
        while select.select([ours], [], [], 0.1)[0]:
            screen += os.read(ours, 4096).decode(errors="replace")
        if not is_asked or not echoes(ours):
            raise Wrong(f"asked: {is_asked}; the terminal is left without echo, or: {screen}")
        if code == 0:
            world.site.registered(computer.result())
        return code, screen
    finally:
        if phone.poll() is None:
            phone.kill()
        os.close(ours)
        os.close(its)


def echoes(terminal: int) -> bool:
    """Whether a terminal shows what is typed. A prompt is a moment ahead of its silence."""
    time.sleep(0.2)
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def pam_lets_in():
    """The system's password, typed at the terminal."""
    with scene.world() as world:
        code, screen = by_pam(world, "letmein")
        if code != 0 or not world.phone.passkeys():
            raise Wrong(f"{code}: {screen}")


def pam_lets_nobody_else_in():
    """Another password is a no."""
    with scene.world() as world:
        code, screen = by_pam(world, "open sesame")
        if code != 4 or "not recognised" not in screen or world.phone.passkeys():
            raise Wrong(f"{code}: {screen}")


def pam_is_withdrawn():
    """The computer leaves in the middle of a password: nobody asks on, and the terminal is as before."""
    with scene.world() as world:
        code, screen = by_pam(world, None)
        if code == 0 or world.phone.passkeys():
            raise Wrong(f"{code}: {screen}")


def pam_cannot_ask():
    """Without a terminal there is nothing to ask at."""
    with scene.world() as world:
        _, scan = world.registration("--verify", "pam", consent="allow")
        scan.expect(1, "consent.cannot-ask")
        scene.warned(scan, "verify.not-verified", "no terminal")


CASES = {
    "finger-known": finger_is_known,
    "finger-unknown": finger_is_not_known,
    "finger-no-reader": reader_is_missing,
    "finger-withdrawn": finger_is_not_waited_for,
    "pam-yes": pam_lets_in,
    "pam-no": pam_lets_nobody_else_in,
    "pam-withdrawn": pam_is_withdrawn,
    "pam-cannot": pam_cannot_ask,
}
