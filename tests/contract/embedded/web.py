# SPDX-License-Identifier: Apache-2.0
"""A small threaded HTTP server on a free port of loopback, for any WSGI application."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

LOOPBACK = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    """Logs no requests, and needs no reverse look-up of the client's name."""

    def log_message(self, *_args: object) -> None:
        """Be silent: Nova writes its own log."""

    def address_string(self) -> str:
        """Return the client's address, not its name."""
        return str(self.client_address[0])


# A client that gave up waiting is what some tests are about; wsgiref would print a traceback.
ServerHandler.log_exception = lambda *_args: None


class Web(ThreadingMixIn, WSGIServer):
    """Listens from the beginning; answers as soon as `serve` has given it an application."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Quiet)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind without asking the resolver for this machine's name."""
        self.socket.setsockopt(1, 2, 1)  # SOL_SOCKET, SO_REUSEADDR
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]
        self.setup_environ()

    def serve(self, application: Application) -> None:
        """Answer requests in threads, until the process ends."""
        self.set_app(application)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_args: object) -> None:
        """Be silent about connections that the client closed."""
