"""Strangers who knock at the page."""

import os
import re
import socket
import sys
from pathlib import Path

from lab.verdict import Skipped
from scene import PATIENCE, check, desk


def exchange(port: int, request: bytes) -> bytes:
    """What comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as stream:
        stream.sendall(request)
        answer = b""
        try:
            while more := stream.recv(65536):
                answer += more
        except ConnectionResetError:
            pass
        return answer


def strangers() -> str:
    """A second look, a wrong path, another host name or method, and whoever
    says nothing or too much get nothing; the person still gets the page."""
    with desk(registered=False, eyes=False) as (one, _):
        computer = one.get()
        url = one.url()
        host, path = re.fullmatch(r"http://(127\.0\.0\.1:\d+)(/[0-9a-f]{32})", url).groups()
        port = int(host.rpartition(":")[2])
        listening = listeners(computer.process.pid)
        check(listening == [f"127.0.0.1:{port}"], f"it listens at {listening}")
        slow = socket.create_connection(("127.0.0.1", port), PATIENCE)
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n".encode())
        nothing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        get = f"GET {path} HTTP/1.1\r\n"
        wrong = {
            "another path": f"GET /{'0' * 32} HTTP/1.1\r\nHost: {host}\r\n\r\n",
            "no path": f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
            "half a path": f"GET {path[:-1]} HTTP/1.1\r\nHost: {host}\r\n\r\n",
            "another host": f"{get}Host: evil.example:{port}\r\n\r\n",
            "localhost": f"{get}Host: localhost:{port}\r\n\r\n",
            "no host": f"{get}\r\n",
            "two hosts": f"{get}Host: {host}\r\nHost: evil.example\r\n\r\n",
            "POST": f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\nhi",
            "HEAD": f"HEAD {path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
            "a long head": f"{get}Host: {host}\r\nX: {'x' * 9000}\r\n\r\n",
            "no HTTP": "hello\r\n\r\n",
        }
        for what, request in wrong.items():
            check(exchange(port, request.encode()) == nothing, f"{what} gets something")
        good = f"{get}Host: {host}\r\n\r\n".encode()
        first = exchange(port, good)
        check(first.startswith(b"HTTP/1.1 200 ") and b"FIDO:/" in first, "the person does not get the page")
        second = exchange(port, good)
        check(second.startswith(b"HTTP/1.1 410 ") and b"FIDO:/" not in second, "a second look gets the code")
        slow.settimeout(PATIENCE)
        check(slow.recv(1) == b"", "a slow client gets something")
        slow.close()
        computer.process.terminate()
        computer.expect(1, "interrupted")
    return f"{len(wrong) + 2} of them"


def listeners(pid: int) -> list[str]:
    """Where a process listens, over TCP."""
    sockets = set()
    for one in Path(f"/proc/{pid}/fd").iterdir():
        if found := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(one)):
            sockets.add(found.group(1))
    at = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else []:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                address, port = fields[1].split(":")
                quads = socket.inet_ntoa(int(address, 16).to_bytes(4, sys.byteorder)) if len(address) == 8 else address
                at.append(f"{quads}:{int(port, 16)}")
    return at


def another_user() -> None:
    """The arguments of a browser can be read by all users of a machine. Whoever
    is another one gets nothing for a path that is right."""
    if os.getuid() != 0:
        raise Skipped("only root can be somebody else")
    with desk(registered=False, eyes=False) as (one, _):
        computer = one.get()
        url = one.url()
        host, path = re.fullmatch(r"http://([^/]+)(/.*)", url).groups()
        port = int(host.rpartition(":")[2])
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                os.write(write, exchange(port, request) or b"nothing")
            except OSError as fault:
                os.write(write, f"broken: {fault}".encode())
            os._exit(0)
        os.waitpid(child, 0)
        check(os.read(read, 65536) == b"nothing", "another user gets something")
        check(b"FIDO:/" in exchange(port, request), "and the person does not")
        computer.process.terminate()
        computer.expect(1, "interrupted")
