"""A website on localhost, for browsers: one page at every address, and two
verifiers that are not ours."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.programs import Wrong
from lab.site import Site

HERE = Path(__file__).parent
PAGE = HERE / "page.html"
PATIENT = 600_000
"""Milliseconds that the site waits, on a machine with other things to do."""


class Handler(BaseHTTPRequestHandler):
    """Sends the page, whatever is asked for; `/none/` may have no passkeys."""

    def do_GET(self):
        """Sends it."""
        page = PAGE.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        if self.path.startswith("/none/"):
            self.send_header("Permissions-Policy", "publickey-credentials-get=(), publickey-credentials-create=()")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        """Nobody reads it."""


class Website(Site):
    """A website at a name on this machine, which browsers take for secure without TLS."""

    def __init__(self, port: int, host: str = "localhost"):
        self.address = f"http://{host}:{port}"
        super().__init__(host, self.address)

    def checked(self, kind: str, response: dict):
        """What @simplewebauthn/server says of it, beside py_webauthn."""
        asked = {
            "kind": kind,
            "response": response,
            "challenge": self.encoded_challenge,
            "origin": self.origin,
            "rpId": self.rp_id,
            "key": self.passkeys.get(response["id"], b"").hex(),
        }
        said = subprocess.run(
            ["node", str(HERE / "verify.mjs")], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False
        )
        if said.returncode != 0 or json.loads(said.stdout) != {"verified": True}:
            raise Wrong(f"@simplewebauthn/server refuses the {kind}: {said.stdout} {said.stderr[-600:]}")

    def creation(self, name: str = "alice", exclude: list[str] = (), **more) -> dict:
        """Options to register an account."""
        options = super().creation(name, exclude) | {"timeout": PATIENT} | more
        self.encoded_challenge = options["challenge"]
        return options

    def request(self, allow: list[str] = (), **more) -> dict:
        """Options to sign in."""
        options = super().request(allow) | {"timeout": PATIENT} | more
        self.encoded_challenge = options["challenge"]
        return options


class Server:
    """Serves the page at every name of this machine."""

    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """Serves no more."""
        self.server.shutdown()
        self.server.server_close()
