# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback between a client and Nova that loses, delays or spoils one kind of request.

A client that uses it logs in through it: the catalog that comes with the token then names the proxy as Nova.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

#: What may become of a disturbed request.
WAYS = {
    "refused": "nobody listens: nothing is sent",
    "unanswered": "Nova does it, and the answer never comes",
    "dropped": "Nova does it, and the connection is closed without an answer",
    "http-500-after": "Nova does it, and the answer is an error of the server",
    "http-503": "the proxy answers that Nova is not there",
    "html-502": "the proxy answers with a page for people",
}
_KEYSTONE = "/identity"


class Proxy(ThreadingHTTPServer):
    """Between a client and one Nova.

    Attributes:
        counts: how many requests of the disturbed kind came.
    """

    daemon_threads = True

    def __init__(self, keystone: str, nova: str, way: str, method: str, words: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keystone = keystone
        self.nova = nova
        self.way = way
        self.disturbed = (method, words)
        self.count = 0
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def auth_url(self) -> str:
        """Return what the client is to take for Keystone."""
        return f"{self.url}{_KEYSTONE}/v3"

    def close(self) -> None:
        """End it, and with it every answer that never came."""
        self.over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_arguments: object) -> None:
        """Be silent about clients that have given up."""


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith(_KEYSTONE):
            self._answer(self._forward(self.server.keystone, self.path[len(_KEYSTONE) :], body))
            return
        method, words = self.server.disturbed
        if method != self.command or words not in self.path + body.decode():
            self._answer(self._forward(self.server.nova, self.path, body))
            return
        self.server.count += 1
        self._disturb(self.server.way, body)

    do_GET = do_POST = do_PUT = _relay  # noqa: N815 - the base class looks for these names

    def _disturb(self, way: str, body: bytes) -> None:
        if way in ("unanswered", "dropped", "http-500-after"):
            self._forward(self.server.nova, self.path, body)
        if way == "unanswered":
            self.server.over.wait()
        elif way != "dropped":
            status = int("".join(letter for letter in way if letter.isdigit()))
            self._say(status, b"<html>Sorry</html>" if way.startswith("html") else b"{}")

    def _forward(self, base: str, path: str, body: bytes) -> requests.Response:
        kept = {
            name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
        }
        return requests.request(self.command, base + path, data=body, headers=kept, timeout=60)

    def _answer(self, answer: requests.Response) -> None:
        # Nobody listens at port 1; everything else goes through here.
        compute = "http://127.0.0.1:1" if self.server.way == "refused" else self.server.url
        content = answer.content.replace(self.server.nova.encode(), compute.encode())
        self._say(answer.status_code, content, dict(answer.headers))

    def _say(self, status: int, content: bytes, headers: Any = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            if name.lower().startswith(("x-", "openstack", "content-type")):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Be silent."""
