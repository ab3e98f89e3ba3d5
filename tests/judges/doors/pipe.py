"""python-fido2's client, and raw frames, at `cablecar ctap`."""

import socket
import struct
import subprocess
import threading
import time

import cablecar
from fido2 import cbor
from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client
from fido2.ctap import CtapError
from fido2.ctap2 import Ctap2
from fido2.hid import CTAPHID
from fido2.server import Fido2Server
from fido2.webauthn import PublicKeyCredentialDescriptor, PublicKeyCredentialRpEntity
from lab import Wrong, program
from world import PATIENCE, Desk, desk, expect, world

ORIGIN = "https://example.com"
GET = b"\x02" + cbor.encode({1: "example.com", 2: bytes(32)})
CBOR, CANCEL, KEEPALIVE, ERROR, PING = 0x10, 0x11, 0x3B, 0x3F, 0x01


class Site:
    """A website by python-fido2's server."""

    def __init__(self):
        self.server = Fido2Server(PublicKeyCredentialRpEntity(id="example.com", name="Example"))
        self.known = []

    def register(self, client: Fido2Client, name: str = "ada", exclude: tuple = (), **more):
        """Registers an account, and remembers its passkey."""
        options, state = self.server.register_begin(
            {"id": name.encode(), "name": name, "displayName": name},
            list(exclude),
            user_verification="required",
            resident_key_requirement="required",
        )
        response = client.make_credential(options.public_key, **more)
        data = self.server.register_complete(state, response)
        expect(data.credential_data is not None, "no passkey came")
        self.known.append(data.credential_data)
        return data.credential_data

    def sign_in(self, client: Fido2Client, allow: list | None = None, **more):
        """Signs in with one of these, or with whichever passkey there is."""
        options, state = self.server.authenticate_begin(allow, user_verification="required")
        response = client.get_assertion(options.public_key, **more).get_response(0)
        return self.server.authenticate_complete(state, self.known, response)


def client_of(at: Desk) -> Fido2Client:
    """python-fido2's client with the phone as its device."""
    return Fido2Client(at.device, DefaultClientDataCollector(ORIGIN))


def refused(what: str, do) -> int:
    """What the phone or the pipe refused with."""
    try:
        do()
    except ClientError as error:
        cause = error.cause
        return int(cause.code) if isinstance(cause, CtapError) else -1
    except CtapError as error:
        return int(error.code)
    raise Wrong(f"{what} was not refused")


def someone(byte: int) -> PublicKeyCredentialDescriptor:
    """A passkey that no phone has."""
    return PublicKeyCredentialDescriptor(type="public-key", id=bytes([byte]) * 32)


def session():
    """Registers and signs in, several times, with one code."""
    with desk("allow") as at:
        site, client = Site(), client_of(at)
        expect(client.info.aaguid == bytes(16) and not at.codes, "getInfo waits for a phone")
        made = site.register(client)
        site.sign_in(client)
        site.sign_in(client, [someone(1), someone(2), made])
        site.sign_in(client, [made])
        code = refused("a second passkey", lambda: site.register(client, exclude=(someone(3), made)))
        expect(code == 0x19, f"a passkey that is there was met with {code:02x}")
        code = refused("a foreign passkey", lambda: site.sign_in(client, [someone(1)]))
        expect(code == 0x2E, f"no passkey was met with {code:02x}")
        expect(len(at.codes) == 1, f"{len(at.codes)} codes were shown")
        expect(Ctap2(at.device).info.aaguid == made.aaguid, "getInfo does not say what the phone said")
        at.wait_for("four answers", lambda at: at.stages().count("done") == 4)
        at.device.close()
        at.world.scans[0].expect(0)
        return "six requests, one code"


def stages():
    """on_keepalive hears of the stages, and the stages are in order."""
    with desk("after=1000") as at:
        site, client, told = Site(), client_of(at), []
        site.register(client)
        at.device.call(CTAPHID.CBOR, GET, None, lambda status: told.append((int(status), status.stage)))
        expect((2, "verifying-on-phone") in told, f"keepalives: {told}")
        expect({status for status, _ in told} <= {1, 2}, f"keepalives: {told}")
        first = ["waiting-for-phone", "phone-nearby", "connecting", "connected", "verifying-on-phone", "done"]
        wanted = [*first, "verifying-on-phone", "done"]
        at.wait_for(f"the stages {wanted}", lambda at: at.stages() == wanted)
        expect(all(event["if_stuck"] for event in at.events if event.get("event") == "stage"), "no way out is told")


def cancel():
    """A client that gives up takes the question off the phone, and is served again."""
    with desk("after=600000", "allow") as at:
        site, client, gives_up = Site(), client_of(at), threading.Event()
        caught = []

        def ask():
            caught.append(refused("a cancelled request", lambda: site.register(client, event=gives_up)))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        at.wait_for("the question", lambda at: "verifying-on-phone" in at.stages())
        at.world.scans[0].stage("verifying-on-phone")
        gives_up.set()
        asking.join(PATIENCE)
        expect(caught == [0x2D], f"the client heard {caught}")
        at.world.scans[0].expect(1, "peer.cancelled")
        site.register(client)
        expect(len(at.codes) == 2, "the next request needs a code of its own")


def refuse():
    """The person says no."""
    with desk("deny") as at:
        code = refused("what the person refused", lambda: Site().register(client_of(at)))
        expect(code == 0x27, f"a refusal is {code:02x}")
        at.device.close()
        at.wait_for("the question", lambda at: at.stages()[-1:] == ["verifying-on-phone"])
        at.wait_for("the reason", lambda at: at.errors() == ["phone.declined"])


def hang_up():
    """A phone that hangs up after one answer, as most do: the next request has a code of its own."""
    with desk("allow", "allow") as at:
        site, client = Site(), client_of(at)
        made = site.register(client)
        at.world.scans[0].stop()
        site.sign_in(client, [made])
        expect(len(at.codes) == 2 and at.codes[0] != at.codes[1], f"{len(at.codes)} codes")
        # And one that goes while it is asked is told as such.
        at.consents.append("after=600000")
        at.world.scans[1].stop()
        gone = threading.Thread(target=lambda: leaves(at), daemon=True)
        gone.start()
        code = refused("a phone that left", lambda: site.sign_in(client, [made]))
        gone.join(PATIENCE)
        expect(code == 0x27, f"a phone that left is {code:02x}")
        at.wait_for("the reason", lambda at: at.errors() == ["phone.hung-up"])


def leaves(at: Desk):
    """The third phone ends while its person is asked."""
    at.wait_for("a third code", lambda at: len(at.codes) == 3)
    until(lambda: len(at.world.scans) == 3, "nobody scanned it")
    at.world.scans[2].stage("verifying-on-phone")
    # Long enough to have been read.
    time.sleep(1.5)
    at.world.scans[2].stop()


def timeout():
    """Nobody comes in the client's own time."""
    with desk() as at:
        client = client_of(at)
        options, _ = Site().server.authenticate_begin(user_verification="required")
        options = {**options.public_key, "timeout": 1500}
        code = refused("a request without phone", lambda: client.get_assertion(options))
        expect(code == 0x2D, f"a request that was given up is {code:02x}")
        at.wait_for("the code", lambda at: at.stages() == ["waiting-for-phone"])
        # Selection is never answered by a touch that nobody can make, and no code is shown for it.
        given_up = threading.Event()
        threading.Timer(0.5, given_up.set).start()
        code = refused("a touch", lambda: Ctap2(at.device).selection(event=given_up))
        expect(code == 0x2D and len(at.codes) == 1, f"{code:02x}, {len(at.codes)} codes")


def leave():
    """A client that ends takes its question along, and leaves no code behind."""
    with world() as around:
        picture = around.lab.folder / "code.png"
        for qr in ("text", f"png:{picture}"):
            command = [program("cablecar"), "ctap", "--stdio", "--qr", qr, *around.way]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            with subprocess.Popen(command, env=around.lab.env, **pipes) as process:
                process.stdin.write(struct.pack(">BI", CBOR, len(GET)) + GET)
                process.stdin.flush()
                if qr == "text":
                    code = next(line for line in process.stderr if line.startswith(b"FIDO:/"))
                    scan = around.scan(code.decode().strip(), "after=600000")
                else:
                    until(picture.exists, "no picture of the code came")
                    scan = around.scan(picture, "after=600000")
                scan.stage("verifying-on-phone")
                process.stdin.close()
                expect(process.wait(PATIENCE) == 0, "it does not end well")
            scan.expect(1, "peer.cancelled")
            expect(not picture.exists(), "the code stayed")


def until(holds, otherwise: str):
    """Waits for it."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        expect(time.monotonic() < deadline, otherwise)
        time.sleep(0.01)


def busy():
    """One request and one client at a time; bytes pass as they are."""
    with world() as around:
        path = around.lab.folder / "pipe"
        command = [program("cablecar"), "ctap", "--listen", f"unix:{path}", "--qr", "text", *around.way]
        with subprocess.Popen(command, env=around.lab.env, stderr=subprocess.PIPE, text=True) as process:
            try:
                expect("listening" in process.stderr.readline(), "it does not listen")
                first = connected(path)
                send(first, CBOR, GET)
                expect(frame(first)[0] == KEEPALIVE, "no keepalive came at once")
                expect(frame(connected(path)) == (ERROR, b"\x06"), "a second client is not told to wait")
                send(first, CBOR, GET)
                send(first, PING, b"still there?")
                expect(after_keepalives(first) == (ERROR, b"\x06"), "a second request is not told to wait")
                expect(after_keepalives(first) == (PING, b"still there?"), "a ping waits")
                code = next(line for line in process.stderr if line.startswith("FIDO:/"))
                scan = around.scan(code.strip())
                expect(after_keepalives(first) == (CBOR, b"\x2e"), "the phone's answer did not come as it was")
                first.close()
                scan.expect(5, "passkey.none")
                # The module for Python at the same socket.
                with served(path) as device:
                    expect(device.call(CTAPHID.CBOR, b"\x04")[:1] == b"\x00", "the next client is not served")
                    expect(device.call(CTAPHID.PING, b"me") == b"me", "no echo")
            finally:
                process.terminate()
            expect(process.wait(PATIENCE) == 0 and not path.exists(), "it does not end well")


def served(path) -> cablecar.Phone:
    """A client at a socket, once the one before it has been let go."""
    for _ in range(600):
        device = cablecar.Phone.at(path)
        try:
            device.call(CTAPHID.PING, b"?")
            return device
        except (CtapError, OSError):
            device.close()
            time.sleep(0.1)
    raise Wrong("nobody is let in any more")


def connected(path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(PATIENCE)
    line.connect(str(path))
    return line


def send(line: socket.socket, command: int, payload: bytes):
    line.sendall(struct.pack(">BI", command, len(payload)) + payload)


def frame(line: socket.socket) -> tuple[int, bytes]:
    command, length = struct.unpack(">BI", exactly(line, 5))
    return command, exactly(line, length)


def exactly(line: socket.socket, length: int) -> bytes:
    taken = b""
    while len(taken) < length:
        if not (more := line.recv(length - len(taken))):
            raise Wrong("it hung up")
        taken += more
    return taken


def after_keepalives(line: socket.socket) -> tuple[int, bytes]:
    while (got := frame(line))[0] == KEEPALIVE:
        pass
    return got


CASES = {
    "session": session,
    "stages": stages,
    "cancel": cancel,
    "refuse": refuse,
    "hang-up": hang_up,
    "timeout": timeout,
    "leave": leave,
    "busy": busy,
}
