"""Readers who do not read, while the other side floods."""

import os
import select
import time

from load import Served, Wrong, wait_until

MESSAGE = 16 * 1024
# FIN and binary, masked, 16 KiB, a mask of zeros.
FRAME = bytes([0x82, 0x80 | 126]) + MESSAGE.to_bytes(2, "big") + bytes(4) + bytes(MESSAGE)
# As many as a side may send in bytes.
FRAMES = 63
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: fido.cable\r\n\r\n"
)


def stuck_readers(relay: Served, tunnels: int) -> tuple[float, float]:
    """KiB that the relay grows by for each, and after how many seconds the last one is closed."""
    pairs = [pair(relay) for _ in range(tunnels)]
    before = relay.resident()
    speakers = {speaker.fileno(): [speaker, memoryview(FRAME * FRAMES)] for speaker, _ in pairs}
    for speaker, _ in speakers.values():
        speaker.setblocking(False)
    # Until the relay takes no more from anybody.
    quiet = time.monotonic()
    while time.monotonic() - quiet < 1.0:
        _, ready, _ = select.select([], list(speakers), [], 0.2) if tunnels < 400 else poll(speakers)
        for number in ready:
            speaker, rest = speakers[number]
            sent = speaker.send(rest[: 256 * 1024])
            speakers[number][1] = rest[sent:]
            if not speakers[number][1]:
                raise Wrong("the relay takes everything, though nobody reads it")
            quiet = time.monotonic()
    each = (relay.resident() - before) / tunnels
    began = time.monotonic()

    def all_closed():
        return relay.open_descriptors() < 64

    wait_until(all_closed, "stuck readers are closed", 60.0)
    seconds = time.monotonic() - began
    for one in pairs:
        for sock in one:
            sock.close()
    return each, seconds


def poll(speakers: dict):
    """As select, for more descriptors than it takes."""
    poller = select.poll()
    for number in speakers:
        poller.register(number, select.POLLOUT)
    return [], [number for number, _ in poller.poll(200)], []


def pair(relay: Served):
    """A tunnel: who floods, and who will not read."""
    number = os.urandom(16).hex().upper()
    speaker, listener = relay.connect(), relay.connect(receive=4096)
    head = upgrade(speaker, f"/cable/new/{number}")
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    routing = headers["x-cable-routing-id"]
    upgrade(listener, f"/cable/connect/{routing}/{number}")
    return speaker, listener


def upgrade(sock, path: str) -> str:
    """The head of the answer, which must agree."""
    sock.sendall(REQUEST.format(path=path).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            break
        head += byte
    if not head.startswith(b"HTTP/1.1 101"):
        raise Wrong(f"{path}: {head!r}")
    return head.decode()
