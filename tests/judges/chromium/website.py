"""The website that Chromium visits: its page, served on loopback."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab import Site

PAGE = Path(__file__).with_name("page.html")


class Handler(BaseHTTPRequestHandler):
    """One page, whatever is asked for."""

    def do_GET(self):
        """Sends it."""
        page = PAGE.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        """Nobody reads it."""


class Website(Site):
    """A website at localhost, which browsers take for secure without TLS."""

    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://localhost:{self.server.server_port}"
        super().__init__("localhost", self.address)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """Serves no more."""
        self.server.shutdown()
        self.server.server_close()
