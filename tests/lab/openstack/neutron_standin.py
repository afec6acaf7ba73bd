# SPDX-License-Identifier: Apache-2.0
"""The few questions that Nova asks Neutron about servers without ports, answered: there is nothing."""

from __future__ import annotations

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COLLECTIONS = ("ports", "networks", "subnets", "floatingips", "security-groups", "extensions", "routers",
               "segments")  # fmt: skip
VERSIONS: dict[str, object] = {"versions": [{"id": "v2.0", "status": "CURRENT", "links": []}]}


def answer(path: str) -> tuple[int, dict[str, object]]:
    """Return status and body of the answer to GET `path`."""
    bare = path.split("?", maxsplit=1)[0]
    if bare in {"", "/"}:
        return 200, VERSIONS
    found = re.fullmatch(r"/v2\.0/([a-z-]+)(?:\.json)?", bare)
    if found and found[1] in COLLECTIONS:
        return 200, {found[1].replace("-", "_"): []}
    return 404, {"NeutronError": {"type": "NotFound", "message": bare, "detail": ""}}


class Handler(BaseHTTPRequestHandler):
    """Answers each GET with an empty collection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, body = answer(self.path)
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


class Server(ThreadingHTTPServer):
    """One short thread per connection."""

    daemon_threads = True
    request_queue_size = 256


if __name__ == "__main__":
    Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
