"""`cablecar device` at the end of a socket of packets, and hosts at the other.

The program is the one that people run; only `/dev/uhid` is the socket. Like a
hidraw device it tells every host everything, so each host keeps what is said
on its own channel.
"""

import contextlib
import os
import queue
import socket
import struct
import threading

from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from lab import Lab, Relay, Run, Wrong

SIZE, MOST = 64, 7609
BROADCAST = 0xFFFFFFFF
PING, MSG, LOCK, INIT, WINK, CBOR, CANCEL, KEEPALIVE, ERROR = 0x01, 0x03, 0x04, 0x06, 0x08, 0x10, 0x11, 0x3B, 0x3F
PATIENCE = 30.0


class Key:
    """The program, and the wire to it."""

    def __init__(
        self, lab: Lab, relay: Relay | None = None, uhid: bool = False,
        env: dict | None = None, wire: socket.socket | None = None, show: tuple[str, str] = ("--qr", "text"),
    ):  # fmt: skip
        self.wire, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.wire = wire or self.wire
        arguments = ["device", *([] if uhid else ["--socket"]), *show, "--events", "json"]
        if relay:
            arguments += ["--ca-file", str(lab.ca_file), "--connect-to", relay.connect_to]
        with inner:
            self.run: Run = lab.start("cablecar", *arguments, stdin=inner, env=env)
        self._codes = 0
        self._heard: dict[int, queue.Queue] = {}
        self._new = threading.Lock()
        self.listeners: list[socket.socket] = []  # sockets that take what every host hears
        self.over = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        self.wait_for("ready")

    def channel(self, channel: int) -> queue.Queue:
        """The packets on this channel, from now on."""
        with self._new:
            return self._heard.setdefault(channel, queue.Queue())

    def anew(self, channel: int) -> queue.Queue:
        """The same, without those that came before."""
        with self._new:
            self._heard[channel] = queue.Queue()
            return self._heard[channel]

    def _listen(self):
        with contextlib.suppress(OSError):
            while packet := self.wire.recv(1024):
                for listener in list(self.listeners):
                    with contextlib.suppress(OSError):
                        listener.send(packet)
                if len(packet) != SIZE:
                    packet = b""  # whoever waits for it fails
                self.channel(int.from_bytes(packet[:4], "big")).put(packet)
        self.over.set()

    def code(self) -> str:
        """The next code that it shows."""
        wanted = self._codes
        codes = lambda: [line for line in self.run.lines if line.startswith("FIDO:/")]  # noqa: E731
        self.run.line(lambda _: len(codes()) > wanted, PATIENCE)
        self._codes += 1
        return codes()[wanted]

    def has_code(self) -> bool:
        """Whether there is one that nobody has scanned."""
        return self.shown() > self._codes

    def shown(self) -> int:
        """How many codes it has shown."""
        return sum(line.startswith("FIDO:/") for line in self.run.lines)

    def told(self, state: str) -> int:
        """How often it has told this state."""
        return sum(event.get("event") == "device" and event["state"] == state for event in self.run.events)

    def wait_for(self, state: str):
        """Waits until it tells this state."""
        self.run.wait_for(lambda event: event.get("event") == "device" and event["state"] == state, PATIENCE)

    def stop(self):
        """Pulls it out as a service manager does; that must end well."""
        self.run.process.terminate()
        self.run.expect(0)
        if not self.over.wait(PATIENCE):
            raise Wrong("the wire is still there")


class Host:
    """A host that says what it wants, in messages or in packets."""

    def __init__(self, key: Key):
        self.key, self.id = key, BROADCAST
        self._packets = key.channel(BROADCAST)
        self.nonce = os.urandom(8)
        self.send(INIT, self.nonce)
        # Another host may have asked on broadcast before.
        while (answer := self.hear())[1][:8] != self.nonce:
            pass
        (self.id,) = struct.unpack_from(">I", answer[1], 8)
        self.said = answer[1][12:]
        self._packets = key.channel(self.id)

    def packet(self, head: bytes, data: bytes = b""):
        """One packet: what follows the channel."""
        self.key.wire.send((struct.pack(">I", self.id) + head + data).ljust(SIZE, b"\0"))

    def send(self, command: int, message: bytes = b""):
        """A message."""
        self.packet(struct.pack(">BH", 0x80 | command, len(message)), message[:57])
        for number, start in enumerate(range(57, len(message), 59)):
            self.packet(bytes([number]), message[start : start + 59])

    def hear(self, patience: float = PATIENCE) -> tuple[int, bytes]:
        """The next message."""
        packet = self._next(patience)
        if not packet or not packet[4] & 0x80:
            raise Wrong(f"a message begins with {packet.hex()}")
        command, length = struct.unpack_from(">BH", packet, 4)
        message, number = packet[7:], 0
        while len(message) < length:
            packet = self._next(patience)
            if not packet or packet[4] != number:
                raise Wrong(f"packet {number} of a message is {packet.hex()}")
            message, number = message + packet[5:], number + 1
        return command & 0x7F, message[:length]

    def answer(self) -> tuple[int, bytes]:
        """The next message that is no keepalive."""
        while (heard := self.hear())[0] == KEEPALIVE:
            pass
        return heard

    def expect(self, *wanted: tuple[int, bytes]):
        """The next messages are these, keepalives aside."""
        for one in wanted:
            if (heard := self.answer()) != one:
                raise Wrong(f"{show(heard)}, not {show(one)}")

    def expect_silence(self):
        """Nothing was said on this channel: what follows next is a ping's answer."""
        mark = os.urandom(8)
        self.send(PING, mark)
        self.expect((PING, mark))

    def expect_error(self, code: int):
        """The next message is this error."""
        self.expect((ERROR, bytes([code])))

    def _next(self, patience: float) -> bytes:
        try:
            return self._packets.get(timeout=patience)
        except queue.Empty:
            raise Wrong(f"nothing comes; it said: {self.key.run.said()}") from None


def show(heard: tuple[int, bytes]) -> str:
    """For a report."""
    return f"{heard[0]:02x} {heard[1][:32].hex()} ({len(heard[1])} bytes)"


class Connection(CtapHidConnection):
    """python-fido2's way to the wire."""

    def __init__(self, key: Key):
        self._key = key
        self.packets = key.anew(BROADCAST)

    def read_packet(self) -> bytes:
        try:
            return self.packets.get(timeout=PATIENCE)
        except queue.Empty:
            raise OSError(f"nothing comes; it said: {self._key.run.said()}") from None

    def write_packet(self, data: bytes):
        self._key.wire.send(data)

    def close(self):
        pass


def opened(key: Key) -> CtapHidDevice:
    """The key as python-fido2 has it, on a channel of its own."""
    connection = Connection(key)
    device = CtapHidDevice(HidDescriptor("cablecar", 0, 0, SIZE, SIZE, "cablecar device", None), connection)
    connection.packets = key.channel(device._channel_id)
    return device
