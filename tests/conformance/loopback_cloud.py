# SPDX-License-Identifier: Apache-2.0
"""A Keystone and a Nova on the loopback, for programs that run as processes of their own."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASSWORD = "secret"


class LoopbackCloud:
    """Answers like a cloud with some compute hosts; notes what it was asked.

    Args:
        hosts: its compute hosts.
        certificate: file with a certificate for ``localhost`` and its key, to speak TLS with.
    """

    def __init__(self, hosts: tuple[str, ...], certificate: str | None = None) -> None:
        self.hosts = {host: {"forced_down": False, "status": "enabled", "reason": None} for host in hosts}
        self.asked: list[str] = []
        self.changes: list[tuple[str, dict]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._scheme, self._name = ("https", "localhost") if certificate else ("http", "127.0.0.1")
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Return the address of both services."""
        return f"{self._scheme}://{self._name}:{self._server.server_port}"

    def answer(self, method: str, path: str, body: dict) -> tuple[int, dict]:
        """Return status and body of an answer."""
        self.asked.append(f"{method} {path}")
        if path == "/v3/auth/tokens":
            return self._token(body)
        if path.startswith("/v2.1/os-services"):
            return self._services(method, path, body)
        return 404, {"itemNotFound": {"message": f"no {path}", "code": 404}}

    def _token(self, body):
        if body["auth"]["identity"]["password"]["user"]["password"] != PASSWORD:
            message = "The request you have made requires authentication."
            return 401, {"error": {"message": message, "code": 401, "title": "Unauthorized"}}
        endpoint = {"id": "1", "interface": "internal", "region": "RegionOne", "region_id": "RegionOne"}
        endpoint["url"] = f"{self.url}/v2.1"
        catalog = [{"id": "c", "type": "compute", "name": "nova", "endpoints": [endpoint]}]
        times = {"issued_at": "2026-01-01T00:00:00.000000Z", "expires_at": "2999-01-01T00:00:00.000000Z"}
        domain = {"id": "default", "name": "Default"}
        who = {"user": {"id": "u", "name": "a", "domain": domain}, "project": {"id": "p", "name": "p"}}
        who["project"]["domain"] = domain
        return 201, {"token": {"methods": ["password"], "roles": [], "catalog": catalog, **who, **times}}

    def _services(self, method, path, body):
        if method == "PUT":
            host = path.rpartition("/")[2]
            self.changes.append((host, body))
            self.hosts[host].update(body)
            return 200, {"service": self._service(host)}
        return 200, {"services": [self._service(host) for host in self.hosts]}

    def _service(self, host):
        known = self.hosts[host]
        state = "down" if known["forced_down"] else "up"
        shown = {"disabled_reason": known["reason"], "updated_at": None, "zone": "nova"}
        switches = {"status": known["status"], "state": state, "forced_down": known["forced_down"]}
        return {"id": host, "host": host, "binary": "nova-compute", **switches, **shown}

    def _handler(self):
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                status, found = cloud.answer(self.command, self.path.partition("?")[0], body)
                data = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Subject-Token", "token")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = _answer  # noqa: N815 - http.server dictates the names

            def log_message(self, *_):
                """Say nothing."""

        return Handler
