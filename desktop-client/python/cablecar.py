"""A phone's passkeys for python-fido2, through the program `cablecar`.

with Phone() as phone:
    client = Fido2Client(phone, DefaultClientDataCollector("https://example.com"))

A frame of the pipe is `u8 command | u32 big-endian length | payload`, with
CTAPHID's command numbers: docs/ctap-pipe.md.
"""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from fido2 import cbor
from fido2.ctap import CtapDevice, CtapError
from fido2.hid import CAPABILITY, CTAPHID

__all__ = ["Keepalive", "Phone"]

CBOR, CANCEL, KEEPALIVE, ERROR, PING = 0x10, 0x11, 0x3B, 0x3F, 0x01
MAKE_CREDENTIAL, GET_ASSERTION = 0x01, 0x02


class Keepalive(int):
    """Why a request still waits: 1 for the devices, 2 for a person; `stage` is
    the stage's word, or None where it is not known."""

    stage: str | None = None

    @classmethod
    def at(cls, status: int, stage: str | None) -> Keepalive:
        """This status at this stage."""
        keepalive = cls(status)
        keepalive.stage = stage
        return keepalive


class Phone(CtapDevice):
    """A phone that comes when a request needs it."""

    def __init__(
        self,
        *arguments: str,
        program: str = "cablecar",
        on_stage: Callable[[dict[str, Any]], None] | None = None,
        on_code: Callable[[str], None] | None = None,
        lists: str = "whole",
    ):
        """Starts `cablecar ctap --stdio` with these arguments besides."""
        watched = on_stage is not None or on_code is not None
        command = [program, "ctap", "--stdio", *arguments]
        if watched:
            command += ["--events", "json"]
        if on_code:
            command += ["--qr", "text"]
        self._process: subprocess.Popen | None = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE if watched else None
        )
        if watched:
            watcher = threading.Thread(target=self._watch, args=(on_stage, on_code), daemon=True)
            watcher.start()
        self._begin(self._process.stdout, self._process.stdin, lists)

    @classmethod
    def at(cls, path: str, lists: str = "whole") -> Phone:
        """The phone of a `cablecar ctap --listen unix:PATH` that runs."""
        phone = cls.__new__(cls)
        phone._process = None
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(path))
        stream = line.makefile("rwb")
        line.close()  # the stream has it
        phone._begin(stream, stream, lists)
        return phone

    def _begin(self, from_pipe, to_pipe, lists: str):
        if lists not in ("whole", "as-they-are"):
            raise ValueError(f"lists is 'whole' or 'as-they-are', not {lists!r}")
        self._from, self._to = from_pipe, to_pipe
        self._whole_lists = lists == "whole"
        self._silent: tuple[str, list] | None = None
        self._stage: str | None = None
        self._busy = threading.Lock()

    @property
    def capabilities(self) -> int:
        """CTAP2, and no U2F."""
        return CAPABILITY.CBOR | CAPABILITY.NMSG

    def call(
        self,
        cmd: int,
        data: bytes = b"",
        event: threading.Event | None = None,
        on_keepalive: Callable[[int], None] | None = None,
    ) -> bytes:
        """Sends a command, and waits for its answer."""
        with self._busy:
            if cmd == CTAPHID.PING:
                return self._exchange(PING, data, None, None)
            if cmd != CTAPHID.CBOR:
                raise CtapError(CtapError.ERR.INVALID_COMMAND)
            if self._whole_lists and data[:1] in (b"\x01", b"\x02"):
                known, data = self._with_whole_list(data)
                if known is not None:
                    return known
            return self._exchange(CBOR, data, event, on_keepalive)

    def close(self) -> None:
        """Lets the phone go, and takes back a request that waits."""
        for stream in (self._to, self._from):
            try:
                stream.close()
            except OSError:
                pass  # the program has ended
        if self._process:
            self._process.wait(10)

    @classmethod
    def list_devices(cls) -> Iterator[Phone]:
        """One phone, where `cablecar` is installed."""
        if shutil.which("cablecar"):
            yield cls()

    def _exchange(self, command: int, payload: bytes, event, on_keepalive) -> bytes:
        self._send(command, payload)
        told: tuple[int, str | None] | None = None
        cancelled = False
        while True:
            answered, answer = self._receive()
            if answered == command:
                return answer
            if answered == ERROR:
                raise CtapError(answer[0] if answer else CtapError.ERR.OTHER)
            if answered != KEEPALIVE or not answer:
                raise OSError(f"cablecar sent {answered:02x}, which is no answer")
            if event and event.is_set() and not cancelled:
                self._send(CANCEL)
                cancelled = True
            now = (answer[0], self._stage)
            if on_keepalive and now != told:
                told = now
                on_keepalive(Keepalive.at(*now))

    def _send(self, command: int, payload: bytes = b""):
        self._to.write(struct.pack(">BI", command, len(payload)) + payload)
        self._to.flush()

    def _receive(self) -> tuple[int, bytes]:
        header = self._from.read(5)
        if len(header) < 5:
            raise OSError("cablecar has ended; what it said is on standard error")
        command, length = struct.unpack(">BI", header)
        payload = self._from.read(length)
        if len(payload) < length:
            raise OSError("cablecar has ended in the middle of an answer")
        return command, payload

    def _with_whole_list(self, data: bytes) -> tuple[bytes | None, bytes]:
        """The answer to a silent question, or the request with the list that
        the silent question before it was about."""
        try:
            parameters = dict(cbor.decode(data[1:]))
        except (ValueError, TypeError):
            return None, data  # cablecar says what is wrong with it
        is_get = data[0] == GET_ASSERTION
        rp_id = parameters.get(1) if is_get else dict(parameters.get(2) or {}).get("id")
        key = 3 if is_get else 5
        listed = parameters.get(key)
        silent, self._silent = self._silent, None
        if is_get and listed and dict(parameters.get(5) or {}).get("up") is False:
            self._silent = (rp_id, list(listed))
            # No flag is set and nothing is signed: it proves nothing to anybody.
            nothing = {1: dict(listed[0]), 2: bytes(37), 3: b""}
            return b"\x00" + cbor.encode(nothing), data
        if silent and silent[0] == rp_id and listed and len(listed) == 1 and listed[0] == silent[1][0]:
            return None, data[:1] + cbor.encode({**parameters, key: silent[1]})
        return None, data

    def _watch(self, on_stage, on_code):
        for raw in self._process.stderr:
            line = raw.decode(errors="replace")
            if on_code and line.startswith("FIDO:/"):
                on_code(line.strip())
                continue
            try:
                event = json.loads(line)
            except ValueError:
                sys.stderr.write(line)
                sys.stderr.flush()
                continue
            if event.get("event") == "stage":
                self._stage = event["stage"]
            if on_stage:
                on_stage(event)
