"""Clients that are no more than a websocket, from any address of this machine's.

In one thread each and without a library: Python's TLS sockets do not bear a
reader and a writer at once, which those of libraries have.
"""

import base64
import os
import socket
import ssl
import struct
from types import SimpleNamespace

from lab import Lab, Wrong
from parties import PATIENCE

BINARY, CLOSE, PING, PONG = 0x2, 0x8, 0x9, 0xA


class Refused(Exception):
    """An answer that is no upgrade; `status` says which, 0 for none at all."""

    def __init__(self, status: int):
        super().__init__(f"refused with {status}")
        self.status = status


class Websocket:
    """A client's side of one, blocking."""

    def __init__(self, wire: socket.socket, host: str, path: str, headers: dict[str, str]):
        self.wire, self._read = wire, b""
        asked = {
            "Host": host,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": "fido.cable",
        } | headers
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
        try:
            wire.sendall("\r\n".join(lines).encode())
            while b"\r\n\r\n" not in self._read:
                self._more()
        except (EOFError, ConnectionError, ssl.SSLError):
            raise Refused(0) from None
        head, self._read = self._read.split(b"\r\n\r\n", 1)
        first, *said = head.decode("latin-1").split("\r\n")
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in said)}
        if (status := int(first.split(" ")[1])) != 101:
            wire.close()
            raise Refused(status)

    def _more(self):
        more = self.wire.recv(65536)
        if not more:
            raise EOFError
        self._read += more

    def _take(self, count: int) -> bytes:
        while len(self._read) < count:
            self._more()
        taken, self._read = self._read[:count], self._read[count:]
        return taken

    def send(self, message: bytes, kind: int = BINARY):
        """One frame, masked as a client's must be."""
        mask = os.urandom(4)
        size = len(message)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack(">H", size)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(message))
        self.wire.sendall(bytes([0x80 | kind]) + length + mask + masked)

    def receive(self, timeout: float = PATIENCE) -> bytes | None:
        """The next message; None once the other side has closed. Raises
        `TimeoutError` if nothing comes."""
        self.wire.settimeout(timeout)
        try:
            while True:
                kind, size = (byte & limit for byte, limit in zip(self._take(2), (0x0F, 0x7F), strict=True))
                if size == 126:
                    (size,) = struct.unpack(">H", self._take(2))
                message = self._take(size)
                if kind == PING:
                    self.send(message, PONG)
                elif kind == CLOSE:
                    return None
                elif kind == BINARY:
                    return message
        except (EOFError, ConnectionError):
            return None
        finally:
            self.wire.settimeout(PATIENCE)

    def close(self):
        """Without a word."""
        self.wire.close()


class Client:
    """Dials a front by its name from one address."""

    def __init__(self, lab: Lab, front: SimpleNamespace, address: str = "127.0.0.1"):
        self.front, self.address = front, address
        self.context = ssl.create_default_context(cafile=str(lab.ca_file))

    def socket(self) -> socket.socket:
        """A connection without a word on it."""
        return socket.create_connection(("127.0.0.1", self.front.port), PATIENCE, (self.address, 0))

    def dial(self, path: str, **headers: str) -> Websocket:
        """A websocket at this path."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            wire = self.context.wrap_socket(self.socket(), server_hostname=self.front.host)
        except (ConnectionError, ssl.SSLEOFError):
            raise Refused(0) from None
        return Websocket(wire, self.front.host, path, named)

    def open(self, **headers: str) -> tuple[Websocket, str, str]:
        """A new tunnel: its socket, its id, and the routing id."""
        tunnel = os.urandom(16).hex().upper()
        phone = self.dial(f"/cable/new/{tunnel}", **headers)
        return phone, tunnel, phone.headers["x-cable-routing-id"]

    def refused(self, path: str, **headers: str) -> int:
        """The status with which this path is refused."""
        try:
            self.dial(path, **headers).close()
        except Refused as refused:
            return refused.status
        raise Wrong(f"{path} was not refused")


def carries(phone: Websocket, computer: Websocket):
    """What one says, the other hears, both ways."""
    for speaker, listener in ((computer, phone), (phone, computer)):
        said = os.urandom(200)
        speaker.send(said)
        if (heard := listener.receive()) != said:
            raise Wrong(f"{len(said)} bytes were said, {heard!r} was heard")
