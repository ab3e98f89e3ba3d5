"""CTAPHID's packets for whoever cannot speak to a pipe: reports of 64 bytes in
front of a `Device`, as a security key on USB has them (CTAP 2.1, 11.2)."""

import os
import struct
from collections.abc import Callable

from device import CANCEL, ERROR, Device

SIZE = 64
BROADCAST = 0xFFFFFFFF
INIT = 0x06
FIRST = 0x80
INVALID_SEQ, INVALID_CHANNEL = 0x04, 0x0B
WINKS_NOT = 0x04 | 0x08  # CBOR, and no U2F messages


class Packets:
    """The device side of one connection, in the place of the last. `sink`
    takes each packet to the host, and nothing at the end of them."""

    def __init__(self, device: Device, sink: Callable[[bytes], None]):
        self.device, self.sink = device, sink
        self.channel = None
        self._command, self._wanted, self._payload, self._sequence = 0, 0, b"", 0
        device.listen(self._carry)

    def take(self, packet: bytes):
        """A packet from the host."""
        packet = packet.ljust(SIZE, b"\0")
        (channel,) = struct.unpack_from(">I", packet)
        if packet[4] & FIRST:
            command, wanted = packet[4] & ~FIRST, struct.unpack_from(">H", packet, 5)[0]
            if command == INIT:
                return self._allocate(channel, packet[7:15])
            if channel != self.channel:
                return self._give(channel, ERROR, bytes([INVALID_CHANNEL]))
            if command == CANCEL:
                return self.device.send(CANCEL)
            self._command, self._wanted, self._payload, self._sequence = command, wanted, packet[7:], 0
        else:
            if channel != self.channel or not self._command:
                return None
            if packet[4] != self._sequence:
                self._command = 0
                return self._give(channel, ERROR, bytes([INVALID_SEQ]))
            self._payload, self._sequence = self._payload + packet[5:], self._sequence + 1
        if len(self._payload) >= self._wanted:
            command, self._command = self._command, 0
            self.device.send(command, self._payload[: self._wanted])
        return None

    def _allocate(self, channel: int, nonce: bytes):
        if channel == BROADCAST:
            self.channel = int.from_bytes(os.urandom(3), "big") + 1
        version = struct.pack(">IBBBBB", self.channel, 2, 1, 0, 0, WINKS_NOT)
        self._give(channel, INIT, nonce + version)

    def _carry(self, frame: tuple[int, bytes] | None):
        if frame is None:
            self.sink(b"")
        else:
            self._give(self.channel, *frame)

    def _give(self, channel: int, command: int, payload: bytes):
        head, rest = payload[: SIZE - 7], payload[SIZE - 7 :]
        packets = [struct.pack(">IBH", channel, FIRST | command, len(payload)) + head]
        for start in range(0, len(rest), SIZE - 5):
            packets.append(struct.pack(">IB", channel, len(packets) - 1) + rest[start : start + SIZE - 5])
        for packet in packets:
            self.sink(packet.ljust(SIZE, b"\0"))

