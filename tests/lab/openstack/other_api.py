# SPDX-License-Identifier: Apache-2.0
"""The cloud as if its Nova were older, or its clock wrong: passes everything on, and alters just that.

Started in the fabric as `python3 other_api.py ADDRESS PORT KEYSTONE-PORT NOVA-PORT MICROVERSION SECONDS`. Who
takes it for Keystone finds it in the catalog in place of Nova. MICROVERSION is what it calls Nova's newest,
SECONDS is how far ahead it is with the time.
"""

from __future__ import annotations

import re
import sys
import time
from email.utils import formatdate
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Headers that concern one connection, or are written anew.
_OWN = frozenset(("connection", "content-length", "date", "transfer-encoding", "accept-encoding", "host"))


class OtherApi(ThreadingHTTPServer):
    """Listens at one port for Keystone's and Nova's clients alike.

    Args:
        address: where it listens, and where the true services are.
        ports: its own, Keystone's and Nova's.
        microversion: what it calls Nova's newest.
        ahead: seconds that it is ahead with the time.
    """

    daemon_threads = True

    def __init__(self, address: str, ports: tuple[int, int, int], microversion: str, ahead: float) -> None:
        self.address = address
        self.own_port, self.keystone_port, self.nova_port = ports
        self.microversion = microversion
        self.ahead = ahead
        super().__init__((address, self.own_port), Handler)

    def altered(self, body: bytes) -> bytes:
        """Return a body that leads here instead of to Nova, and calls another microversion the newest."""
        text = body.decode().replace(f"{self.address}:{self.nova_port}", f"{self.address}:{self.own_port}")
        return re.sub(r'"version": "2\.\d+"', f'"version": "{self.microversion}"', text).encode()


class Handler(BaseHTTPRequestHandler):
    """Passes a request on, and its answer back."""

    server: OtherApi

    def do_GET(self) -> None:
        port = self.server.keystone_port if self.path.startswith("/v3") else self.server.nova_port
        own = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        connection = HTTPConnection(self.server.address, port, timeout=60)
        connection.request(self.command, self.path, body, {**own, "Host": self.headers["Host"]})
        answer = connection.getresponse()
        payload = self.server.altered(answer.read())
        connection.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OWN:
                self.send_header(name, value)
        self.send_header("Date", formatdate(time.time() + self.server.ahead, usegmt=True))
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server wants these names


if __name__ == "__main__":
    own, keystone, nova = map(int, sys.argv[2:5])
    OtherApi(sys.argv[1], (own, keystone, nova), sys.argv[5], float(sys.argv[6])).serve_forever()
