"""What people read, and OpenSSH hears, when it does not go well."""

import os
import signal
import subprocess
import time
from pathlib import Path

from lab import Wrong
from scene import TOKEN, Scene, library
from window import visible

PATIENCE = 30.0


def says(said: str, *texts: str):
    """All of these were said."""
    missing = [text for text in texts if text not in said]
    if missing:
        raise Wrong(f"nothing says {missing}: {said[-3000:]}")


def making(scene: Scene, *options: str, kind: str = "ecdsa-sk", env: dict | None = None):
    """Somebody makes a key."""
    command = ["ssh-keygen", "-t", kind, "-w", library(), "-f", scene.desk / "key", "-N", "", *options]
    return scene.tty(*command, env=env)


def gone(terminal):
    """No code is to be seen any more."""
    if "FIDO:/" in visible(terminal.raw()):
        raise Wrong(f"the code is still on the screen: {visible(terminal.raw())}")


def refused() -> None:
    """The person says no on the phone: when a key is made, and when it is used."""
    with Scene() as scene:
        one = making(scene)
        scene.scan(one.code(), "deny").expect(4)
        says(one.expect(None), "declined on the phone (phone.declined)")
        if (scene.desk / "key").exists():
            raise Wrong("there is a key all the same")
        key = scene.keygen()
        session = scene.tty(*scene.ssh(scene.server(key.with_suffix(".pub").read_text()), "-i", key))
        scene.scan(session.code(), "deny").expect(4)
        said = session.expect(255)
        says(said, "(phone.declined)", "Permission denied")
        if TOKEN in said or "PIN" in said:
            raise Wrong(f"it said: {said}")


def nobody_comes() -> None:
    """No phone in time."""
    with Scene() as scene:
        one = making(scene, env={"CABLECAR_WAIT": "1"})
        says(one.expect(None), "nobody scanned the code in time (phone.nobody-came)", "device not found")
        gone(one)


def another_phone() -> None:
    """The phone that scans has not got the key."""
    with Scene() as scene:
        key = scene.keygen()
        session = scene.tty(*scene.ssh(scene.server(key.with_suffix(".pub").read_text()), "-i", key))
        code = session.code()
        scene.phone = scene.lab.phone("another")
        scene.scan(code).expect(5)
        says(session.expect(255), "has no passkey for this request (phone.no-passkey)", "device not found")


def other_algorithm() -> None:
    """Ed25519, which few phones have: said before there is a code."""
    with Scene() as scene:
        said = making(scene, kind="ed25519-sk").expect(None)
        says(said, "(phone.algorithm)", "ES256", "not supported")
        if "scan the code" in said:
            raise Wrong("a code was shown for nothing")


def wrong_settings() -> None:
    """A variable that makes no sense, and a relay that is not there."""
    with Scene() as scene:
        says(making(scene, env={"CABLECAR_DANGER_AIR": "here"}).expect(None), "(usage.arguments)", "danger-air")
        says(making(scene, env={"CABLECAR_DANGER_AIR": "192.0.2.1:9"}).expect(None), "error: ")
        # No radio at all: nobody is at the bus.
        says(making(scene, env={"CABLECAR_DANGER_AIR": None}).expect(None), "(radio.", "device not found")


def replaced() -> None:
    """A second resident key of the same user: the phone says that it replaces the first."""
    with Scene() as scene:
        scene.keygen("-O", "resident", name="first")
        again = making(scene, "-O", "resident")
        scene.scan(again.code(), "account:openssh").expect(0)
        again.expect(0)
        says(scene.questions.read_text(), '"replaces"')


def helpers(of: int) -> list[int]:
    """The ssh-sk-helper processes of this one."""
    found = []
    for child in Path(f"/proc/{of}/task/{of}/children").read_text().split():
        if "ssh-sk-helper" in Path(f"/proc/{child}/cmdline").read_text():
            found.append(int(child))
    return found


def ended(pid: int) -> bool:
    """Whether this process is gone, or waits only to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def wait_for_end(pid: int):
    """Until it is gone."""
    deadline = time.monotonic() + PATIENCE
    while not ended(pid):
        if time.monotonic() > deadline:
            raise Wrong("the helper waits on, for nobody")
        time.sleep(0.02)


def interrupted() -> None:
    """Ctrl-C: the code goes, the helper ends, the phone takes its question back."""
    with Scene() as scene:
        one = making(scene)
        one.code()
        helper = helpers(one.process.pid)[0]
        one.type("\x03")
        one.expect(None)
        wait_for_end(helper)
        gone(one)
        two = making(scene)
        scan = scene.scan(two.code(), "after=60000")
        two.wait_for("confirm on the phone")
        helper = helpers(two.process.pid)[0]
        two.type("\x03")
        two.expect(None)
        wait_for_end(helper)
        code = scan.wait(PATIENCE)
        if code == 0 or scene.phone.passkeys():
            raise Wrong(f"the phone went on alone: {code} {scan.said()}")


def left_alone() -> None:
    """ssh is killed: the helper does not show its code for long, with a
    terminal that hangs up, and with one that knows nothing of it."""
    with Scene() as scene:
        one = making(scene)
        one.code()
        helper = helpers(one.process.pid)[0]
        os.kill(one.process.pid, signal.SIGKILL)
        wait_for_end(helper)
        wiped(one)
        window, key = scene.tty("sleep", "300"), scene.keygen(name="other")
        signing = scene.without_tty(
            "ssh-keygen", "-Y", "sign", "-n", "file", "-f", key, env={"CABLECAR_TTY": window.path}, stdin=subprocess.PIPE
        )
        signing.stdin.write("Dear Sir or Madam")
        signing.stdin.close()
        window.code()
        helper = helpers(signing.pid)[0]
        signing.kill()
        wait_for_end(helper)
        wiped(window)


def wiped(terminal):
    """Until no code is to be seen any more."""
    deadline = time.monotonic() + PATIENCE
    while "FIDO:/" in visible(terminal.raw()) and time.monotonic() < deadline:
        time.sleep(0.02)
    gone(terminal)


CASES = {
    "refused": refused,
    "nobody-comes": nobody_comes,
    "another-phone": another_phone,
    "other-algorithm": other_algorithm,
    "wrong-settings": wrong_settings,
    "replaced": replaced,
    "interrupted": interrupted,
    "left-alone": left_alone,
}
