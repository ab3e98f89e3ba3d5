"""What any security key owes any host: the key alone, no phone, no relay."""

import random
import struct
import time
from concurrent.futures import ThreadPoolExecutor

from fido2.ctap import CtapError
from fido2.ctap2 import Ctap2
from fido2.hid import CAPABILITY
from key import (
    BROADCAST,
    CANCEL,
    CBOR,
    ERROR,
    INIT,
    KEEPALIVE,
    LOCK,
    MOST,
    MSG,
    PATIENCE,
    PING,
    SIZE,
    WINK,
    Host,
    Key,
    opened,
    show,
)
from lab import Lab, Wrong

# makeCredential for example.com with ES256: it waits for a phone.
REQUEST = bytes.fromhex(
    "01a401582000000000000000000000000000000000000000000000000000000000000000"
    "0002a16269646b6578616d706c652e636f6d03a1626964410104"
    "81a263616c672664747970656a7075626c69632d6b6579"
)
CANCELLED = (CBOR, b"\x2d")


def with_key(case, kind: type[Key] = Key):
    """The case with a key that is plugged in, and ends well."""

    def run():
        with Lab() as lab:
            key = kind(lab)
            said = case(key)
            if key.run.process.poll() is not None:
                raise Wrong(f"it has ended: {key.run.said()}")
            key.stop()
            return said

    return run


def expect(fulfilled: bool, what: str):
    """Or the key is wrong."""
    if not fulfilled:
        raise Wrong(f"expected: {what}")


def begin(host: Host):
    """A request that waits for a phone."""
    host.send(CBOR, REQUEST)
    heard = host.hear()
    expect(heard == (KEEPALIVE, b"\x02"), f"at once that a person is needed, not {show(heard)}")


def info(key: Key) -> str:
    """getInfo as python-fido2 reads it, without anybody."""
    device = opened(key)
    expect(device.version == 2, "CTAPHID 2")
    wanted = CAPABILITY.WINK | CAPABILITY.CBOR | CAPABILITY.NMSG
    expect(device.capabilities == wanted, f"it winks, has CBOR and no U2F: {device.capabilities}")
    said = Ctap2(device).info
    expect("FIDO_2_1" in said.versions and "U2F_V2" not in said.versions, f"FIDO_2_1 in {said.versions}")
    expect(said.options.get("rk") and said.options.get("up") is not False, f"options {said.options}")
    expect(said.max_msg_size == MOST, f"{MOST} bytes, not {said.max_msg_size}")
    for _ in range(20):
        Ctap2(device).get_info()
    expect(key.shown() == 0 and key.told("asked") == 0, "nobody was asked")
    return ", ".join(said.versions)


def ping(key: Key) -> str:
    """Bytes come back, from none to the most that there can be."""
    device = opened(key)
    for length in (0, 1, 57, 58, 116, 117, 1024, MOST):
        message = random.Random(length).randbytes(length)
        expect(device.ping(message) == message, f"{length} bytes back")
    host = Host(key)
    host.packet(struct.pack(">BH", 0x80 | PING, MOST + 1))
    host.expect_error(0x03)
    return f"to {MOST} bytes"


def u2f(key: Key):
    """U2F is not spoken, as the capabilities say."""
    try:
        opened(key).call(MSG, bytes.fromhex("00030000000000"))
    except CtapError as error:
        expect(error.code == CtapError.ERR.INVALID_COMMAND, f"invalid command, not {error}")
    else:
        raise Wrong("it answers U2F")
    host = Host(key)
    for command in (0x40, 0x7F, KEEPALIVE, ERROR):
        host.send(command, b"x")
        host.expect_error(0x01)


def cancel(key: Key):
    """CANCEL ends the wait: the request is answered, the cancel is not."""
    host = Host(key)
    host.send(CANCEL)
    host.expect_silence()
    begin(host)
    first = key.code()
    host.send(CANCEL)
    host.expect(CANCELLED)
    key.wait_for("withdrawn")
    host.expect_silence()
    begin(host)
    expect(key.code() != first, "another code for another request")
    host.send(CANCEL)
    host.expect(CANCELLED)


def keepalive(key: Key):
    """Whoever waits hears of it, again and again."""
    host = Host(key)
    begin(host)
    for _ in range(15):
        heard = host.hear()
        expect(heard == (KEEPALIVE, b"\x02"), f"a person is needed, not {show(heard)}")
    host.send(CANCEL)
    host.expect(CANCELLED)


def two_channels(key: Key):
    """One at a time: the other is told that the key is busy."""
    one, other = Host(key), Host(key)
    expect(one.id != other.id, "two channels")
    begin(one)
    key.code()
    for command in (PING, WINK, LOCK, CBOR):
        other.send(command, b"\x04")
        other.expect_error(0x06)
    third = Host(key)  # INIT is answered all the same
    for stranger in (other, third):
        stranger.send(CANCEL)
    stranger.send(PING, b"x")
    stranger.expect_error(0x06)
    expect(key.told("withdrawn") == 0, "nobody takes back what another wants")
    # The same channel has to wait as well.
    one.send(PING, b"x")
    one.expect_error(0x06)
    one.send(CANCEL)
    one.expect(CANCELLED)
    # python-fido2 tries again until it is let in.
    device = opened(key)
    begin(one)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(device.ping, b"z")
        key.code()
        expect(not waiting.done(), "it has to wait")
        one.send(CANCEL)
        one.expect(CANCELLED)
        expect(waiting.result(PATIENCE) == b"z", "free again")


def lock(key: Key):
    """A lock keeps the others out until it is given up, or its time is over."""
    mine, other = opened(key), Host(key)
    mine.lock(10)
    other.send(PING, b"x")
    other.expect_error(0x06)
    expect(mine.ping(b"mine") == b"mine", "who holds it is served")
    mine.lock(0)
    other.expect_silence()
    mine.lock(1)
    other.send(PING, b"x")
    other.expect_error(0x06)
    deadline = time.monotonic() + 20
    while True:
        other.send(PING, b"over")
        if (heard := other.answer()) == (PING, b"over"):
            break
        expect(heard == (ERROR, b"\x06"), f"busy, not {show(heard)}")
        expect(time.monotonic() < deadline, "a lock of one second ends")
        time.sleep(0.05)
    for message, code in ((b"\x0b", 0x02), (b"", 0x03), (b"\1\1", 0x03)):
        other.send(LOCK, message)
        other.expect_error(code)


def wink(key: Key):
    """A wink is told to the person."""
    opened(key).wink()
    key.wait_for("wink")


def resync(key: Key):
    """INIT in the middle of a message, and of a request, begins anew."""
    host, other = Host(key), Host(key)
    host.packet(struct.pack(">BH", 0x80 | PING, 200), b"x" * 57)
    host.send(INIT, b"nonce678")
    command, answer = host.answer()
    expect(command == INIT and answer[:8] == b"nonce678", f"an answer to INIT, not {answer.hex()}")
    expect(answer[8:12] == struct.pack(">I", host.id), "the same channel")
    host.packet(b"\0", b"x" * 59)  # what is left of it is passed over
    host.expect_silence()
    begin(host)
    key.code()
    host.send(INIT, b"8nonce67")
    heard = host.answer()
    expect(heard[0] == INIT, f"INIT and not the request is answered, not {show(heard)}")
    key.wait_for("withdrawn")
    host.expect_silence()
    other.expect_silence()


def order(key: Key):
    """Packets out of order, on channels that nobody has, or too long."""
    host = Host(key)
    host.packet(struct.pack(">BH", 0x80 | PING, 200), b"x" * 57)
    host.packet(b"\1", b"x")
    host.expect_error(0x04)
    host.packet(struct.pack(">BH", 0x80 | PING, 200), b"x" * 57)
    host.send(WINK)
    host.expect_error(0x04)
    host.packet(b"\0", b"x")
    host.expect_silence()
    host.send(CBOR)
    host.expect_error(0x03)
    mine = host.id
    for channel in (0, mine + 1000, BROADCAST):
        stranger = Host(key)
        stranger.id, stranger._packets = channel, key.channel(channel)
        stranger.send(PING, b"x")
        while (heard := stranger.hear())[0] == INIT:
            pass  # broadcast: the answers to others
        expect(heard == (ERROR, b"\x0b"), f"no such channel, not {show(heard)}")
    host.expect_silence()


def timeouts(key: Key):
    """A message that stops coming is given up, and the key is free."""
    host, other = Host(key), Host(key)
    host.packet(struct.pack(">BH", 0x80 | PING, 200), b"x" * 57)
    other.send(PING, b"x")
    other.expect_error(0x06)
    host.expect_error(0x05)
    other.expect_silence()
    host.packet(b"\0", b"x" * 59)
    host.expect_silence()


def garbage(key: Key) -> str:
    """Whatever comes, INIT is answered afterwards, and the next ping."""
    known = [Host(key).id for _ in range(3)]
    chance = random.Random(2026)
    count = 4000
    for _ in range(count):
        channel = chance.choice([*known, BROADCAST, chance.getrandbits(32)])
        kind = chance.choice([0x86, 0x81, 0x90, 0x91, 0x84, 0x88, 0x83, 0, 1, 2, chance.getrandbits(8)])
        rest = chance.randbytes(chance.choice([0, 3, SIZE - 5, SIZE - 5, SIZE - 5, 200]))
        if len(rest) > 3 and chance.random() < 0.7:
            rest = struct.pack(">H", chance.choice([0, 1, 8, 57, 120])) + rest[2:]
        key.wire.send(struct.pack(">IB", channel, kind) + rest)
    host = Host(key)
    # A request of nonsense may have been served; a lock may hold for ten seconds.
    deadline = time.monotonic() + 30
    while True:
        host.send(PING, b"still here")
        heard = host.answer()
        if heard == (PING, b"still here"):
            return f"{count} packets"
        expect(heard == (ERROR, b"\x06") and time.monotonic() < deadline, f"a ping's answer, not {show(heard)}")
        time.sleep(0.1)


def stopped(key: Key):
    """Who stops it takes back what waits."""
    host = Host(key)
    begin(host)
    key.code()


def cut():
    """Who cuts the wire ends it."""
    with Lab() as lab:
        key = Key(lab)
        begin(Host(key))
        key.code()
        key.wire.shutdown(2)
        key.run.expect(0)


CASES = {
    "info": with_key(info),
    "ping": with_key(ping),
    "u2f": with_key(u2f),
    "cancel": with_key(cancel),
    "keepalive": with_key(keepalive),
    "two-channels": with_key(two_channels),
    "lock": with_key(lock),
    "wink": with_key(wink),
    "resync": with_key(resync),
    "order": with_key(order),
    "timeouts": with_key(timeouts),
    "garbage": with_key(garbage),
    "stopped": with_key(stopped),
    "cut": cut,
}
