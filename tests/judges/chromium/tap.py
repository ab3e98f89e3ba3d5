"""A tap on the line between Chromium and the relay.

It passes every byte on and can read none of them: TLS hides what is said, not
how much. The computer's first message of the handshake has 81 bytes, and
nothing else that a computer says makes a record of that length.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable

GREETING = 81
"""Bytes of the first message of the handshake."""
FRAME = 2 + 4
"""Bytes of the head of a masked websocket frame as short as that."""
APPLICATION_DATA = 23
"""A TLS record that carries what the programs say."""
LENGTHS = {GREETING + FRAME + 1 + 16, GREETING + FRAME + 8 + 16}
"""Of such a record: TLS 1.3 adds a type and a tag, 1.2 a nonce and a tag."""


class Tap:
    """Listens on a port of its own, and passes on to another."""

    def __init__(self, port: int):
        self.to = ("127.0.0.1", port)
        self.greetings: list[float] = []  # on the clock of time.monotonic
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Takes no new connections. Those that are there end with their owners."""
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def _accept(self):
        with contextlib.suppress(OSError):  # it was closed
            while True:
                near, _ = self.server.accept()
                threading.Thread(target=self._pass_on, args=(near,), daemon=True).start()

    def _pass_on(self, near: socket.socket):
        try:
            far = socket.create_connection(self.to)
        except OSError:
            near.close()
            return
        for end in near, far:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        records = Records(self.greetings)
        threading.Thread(target=carry, args=(far, near, lambda _: None), daemon=True).start()
        carry(near, far, records.pass_by)


class Records:
    """Counts off the records of a TLS connection, and notes the greeting."""

    def __init__(self, greetings: list[float]):
        self.greetings = greetings
        self.head, self.left = b"", 0

    def pass_by(self, data: bytes):
        """Bytes of the computer's, in order."""
        now = time.monotonic()
        while data:
            skipped = min(self.left, len(data))
            data, self.left = data[skipped:], self.left - skipped
            missing = 5 - len(self.head)
            if self.left or not data:
                return
            self.head, data = self.head + data[:missing], data[missing:]
            if len(self.head) == 5:
                self.left = int.from_bytes(self.head[3:])
                if self.head[0] == APPLICATION_DATA and self.left in LENGTHS:
                    self.greetings.append(now)
                self.head = b""


def carry(source: socket.socket, target: socket.socket, see: Callable[[bytes], None]):
    """Passes on what comes, until one of them has had enough."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            see(data)
            target.sendall(data)
    for end in source, target:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
