"""Our authenticator at the end of its pipe, as a process.

A frame is `u8 command | u32 big-endian length | payload`. Ending the process
and starting it again with the same state folder is a power cycle.
"""

import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import Wrong, program

CBOR, CANCEL, KEEPALIVE, ERROR = 0x10, 0x11, 0x3B, 0x3F
PATIENCE = 30.0


class Device:
    """`cablecar-phone ctap --stdio` on a state folder, plugged in or not."""

    def __init__(self, state: Path, consent: str = "allow"):
        self.state, self.consent = state, consent
        self.process: subprocess.Popen | None = None
        self.frames: queue.Queue = queue.Queue()
        self.sink = self.frames.put
        self.over = False
        self._said = []

    def __enter__(self):
        self.plug_in()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.pull_out()
        elif self.process:
            self.process.kill()
            self.process.wait()

    def plug_in(self):
        """Gives it power."""
        command = [program("cablecar-phone"), "ctap", "--stdio", "--state", str(self.state)]
        command += ["--danger-consent", self.consent]
        self.frames = queue.Queue()
        self.sink, self.over = self.frames.put, False
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for read in (self._read_frames, self._read_text):
            threading.Thread(target=read, args=(self.process,), daemon=True).start()

    def pull_out(self):
        """Takes its power. It must end well, and leave no half frame."""
        process, self.process = self.process, None
        process.stdin.close()
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Wrong("it does not end at the end of its input") from None
        if code != 0:
            raise Wrong(f"it ended with {code}: {self.said()}")

    def listen(self, sink: Callable[[tuple[int, bytes] | None], None]):
        """From now on `sink` takes each frame, and `None` at the end of them."""
        self.sink = sink
        if self.over:
            sink(None)

    def said(self) -> str:
        """The end of what it told people."""
        return b"".join(self._said)[-2000:].decode(errors="replace")

    def send(self, command: int, payload: bytes = b""):
        """Sends a frame."""
        try:
            self.process.stdin.write(struct.pack(">BI", command, len(payload)) + payload)
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise Wrong(f"it does not read: {self.said()}") from None

    def receive(self, patience: float = PATIENCE) -> tuple[int, bytes]:
        """The next frame."""
        try:
            frame = self.frames.get(timeout=patience)
        except queue.Empty:
            raise Wrong("no answer came") from None
        if frame is None:
            self.frames.put(None)
            raise Wrong(f"it ended in the middle of things: {self.said()}")
        return frame

    def ask(self, request: bytes) -> bytes:
        """The answer to a CTAP request: status byte and map."""
        self.send(CBOR, request)
        while True:
            command, payload = self.receive()
            if command == CBOR:
                return payload
            if command != KEEPALIVE:
                raise Wrong(f"frame {command:02x} {payload.hex()} in the place of an answer")

    def _read_frames(self, process):
        while len(header := process.stdout.read(5)) == 5:
            command, length = struct.unpack(">BI", header)
            if len(payload := process.stdout.read(length)) < length:
                break
            self.sink((command, payload))
        if process is self.process:
            self.over = True
            self.sink(None)

    def _read_text(self, process):
        for line in process.stderr:
            self._said = [*self._said[-30:], line]
