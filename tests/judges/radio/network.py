"""What people are told when there is no way to the relay, and ways around."""

import base64
import os
import signal
import socket
import threading

from lab import Lab, Site, Wrong
from meeting import register, scan_arguments, sign_in, until, world


class Proxy:
    """An HTTP proxy that knows CONNECT, and counts."""

    def __init__(self, password: str | None = None):
        self.wanted = password and "Basic " + base64.b64encode(f"me:{password}".encode()).decode()
        self.asked: list[str] = []
        self.refused = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket):
        head = b""
        while b"\r\n\r\n" not in head and (more := client.recv(4096)):
            head += more
        first, *headers = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        given = dict(h.lower().split(": ", 1)[:1] + [h.split(": ", 1)[1]] for h in headers if ": " in h)
        if method != "CONNECT" or (self.wanted and given.get("proxy-authorization") != self.wanted):
            self.refused += 1
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        self.asked.append(target)
        host, port = target.rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for a, b in ((client, server), (server, client)):
            threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """No more connections."""
        self.listener.close()


def through_a_proxy():
    """A whole sign-in, and a password that is wanted."""
    for password, user in ((None, ""), ("secret", "me:secret@")):
        with world() as (lab, relay, phone, site):
            proxy = Proxy(password)
            lab.env["HTTPS_PROXY"] = f"http://{user}127.0.0.1:{proxy.port}"
            phone.env["HTTPS_PROXY"] = lab.env["HTTPS_PROXY"]
            register(lab, relay, phone, site)
            sign_in(lab, relay, phone, site)
            proxy.close()
            if proxy.asked != [f"127.0.0.1:{relay.port}"] * 4:
                raise Wrong(f"the proxy was asked for {proxy.asked}")


def a_proxy_that_refuses():
    """Both say that it was the proxy."""
    with world() as (lab, relay, phone, site):
        proxy = Proxy("secret")
        env = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        computer = lab.desktop("create", site.creation(), relay=relay, env=env)
        code = computer.code()
        phone.env |= env
        phone.scan(code, relay=relay).expect(7, "relay.proxy")
        del phone.env["HTTPS_PROXY"]
        scan = phone.scan(code, relay=relay)
        computer.expect(7, "relay.proxy")
        if proxy.refused != 2:
            raise Wrong(f"the proxy refused {proxy.refused} times")
        scan.stop()


def no_proxy_is_honoured():
    """Hosts that are excepted are reached directly."""
    with world() as (lab, relay, phone, site):
        env = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": f"127.0.0.1,{relay.host}"}
        lab.env |= env
        phone.env |= env
        register(lab, relay, phone, site)


def the_systems_certificates():
    """What the system trusts is trusted, without --ca-file."""
    with world() as (lab, relay, phone, site):
        env = {"SSL_CERT_FILE": str(lab.ca_file)}
        computer = lab.desktop("create", site.creation(), "--connect-to", relay.connect_to, env=env)
        phone.env |= env
        scan = phone.scan(computer.code(), "--connect-to", relay.connect_to, "--domain-id", str(relay.domain))
        site.registered(computer.result())
        scan.expect(0)


def tls_refused():
    """A certificate of an authority that this one does not know."""
    with world() as (lab, relay, phone, site), Lab(radio=False) as other:
        reach = ["--connect-to", relay.connect_to, "--ca-file", str(other.ca_file)]
        computer = lab.desktop("create", site.creation(), *reach)
        code = computer.code()
        phone.scan(code, *reach, "--domain-id", str(relay.domain)).expect(7, "relay.tls")
        phone.scan(code, relay=relay)
        computer.expect(7, "relay.tls")


def name_unknown():
    """The relay's name does not resolve."""
    with world() as (lab, relay, phone, site):
        nowhere = ["--danger-relay", "wss://relay.invalid"]
        computer = lab.desktop("create", site.creation(), *nowhere)
        code = computer.code()
        phone.scan(code, *nowhere).expect(7, "relay.name", 30.0)
        phone.scan(code, relay=relay)
        computer.expect(7, "relay.name", 30.0)


def unreachable():
    """Nobody listens there."""
    with world() as (lab, relay, phone, site):
        computer = lab.desktop("create", site.creation(), relay=relay)
        relay.stop()
        phone.scan(computer.code(), relay=relay).expect(7, "relay.unreachable")
        computer.stop()


def the_phone_has_left():
    """Its advert is still heard, and the relay says 404."""
    with world() as (lab, relay, _, site), Lab() as far:
        computer = lab.desktop("create", site.creation(), relay=relay)
        scan = far.phone().start(*scan_arguments(lab, relay), stdin=computer.code() + "\n")
        advert = until("an advert far away", far.air.adverts)[0]
        scan.process.send_signal(signal.SIGKILL)
        scan.wait()
        until("the computer listens", lab.air.discovering)
        lab.air.hear(advert["data"])
        computer.expect(7, "relay.not-found")


def the_phone_is_silent():
    """It opened a tunnel, and says nothing in it."""
    with world() as (lab, relay, _, site), Lab() as far:
        computer = lab.desktop("create", site.creation(), relay=relay)
        scan = far.phone().start(*scan_arguments(lab, relay), stdin=computer.code() + "\n")
        advert = until("an advert far away", far.air.adverts)[0]
        os.kill(scan.process.pid, signal.SIGSTOP)
        until("the computer listens", lab.air.discovering)
        lab.air.hear(advert["data"])
        computer.expect(3, "phone.silent", 60.0)
        os.kill(scan.process.pid, signal.SIGCONT)


def nobody_came():
    """Nothing was heard at all."""
    with Lab() as lab:
        computer = lab.desktop("get", {**Site().request(), "timeout": 2000})
        computer.expect(3, "phone.nobody-came")


CASES = {
    "proxy": through_a_proxy,
    "proxy-refuses": a_proxy_that_refuses,
    "no-proxy": no_proxy_is_honoured,
    "system-certificates": the_systems_certificates,
    "tls-refused": tls_refused,
    "name-unknown": name_unknown,
    "unreachable": unreachable,
    "phone-has-left": the_phone_has_left,
    "phone-is-silent": the_phone_is_silent,
    "nobody-came": nobody_came,
}
