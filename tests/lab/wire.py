# SPDX-License-Identifier: Apache-2.0
"""How the lab's programs talk to the fabric: one JSON object per line, one line back.

A request is {"op": NAME, ...arguments}; the answer {"result": ...} or {"error": TEXT}.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.lab.errors import LabError

SOCKET_NAME = "fabric.sock"
Handler = Callable[[dict[str, Any]], Any]


def short_path(folder: Path) -> str:
    """Return a short path to the socket in `folder`: its own may exceed the 108 bytes of a unix socket."""
    return f"/proc/self/fd/{os.open(folder, os.O_PATH | os.O_DIRECTORY)}/{SOCKET_NAME}"


def ask(folder: Path, request: dict[str, Any], timeout: float = 60) -> Any:
    """Send `request` to the fabric of the run in `folder`; raise LabError if it refuses or is not there."""
    path = short_path(folder)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
            return _exchange(connection, request)
    except (ConnectionError, FileNotFoundError) as error:
        raise LabError(
            f"the lab in {folder} is not running: start it with 'python -m tests.lab up'"
        ) from error
    finally:
        os.close(int(path.split("/")[4]))


def _exchange(connection: socket.socket, request: dict[str, Any]) -> Any:
    connection.sendall(json.dumps(request).encode() + b"\n")
    line = connection.makefile().readline()
    if not line:
        raise ConnectionResetError("the fabric closed the connection")
    answer = json.loads(line)
    if "error" in answer:
        raise LabError(answer["error"])
    return answer["result"]


def _line_handler(handler: Handler) -> type[socketserver.StreamRequestHandler]:
    class LineHandler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline()
            if line:
                self.wfile.write(json.dumps(_answer(handler, line)).encode() + b"\n")

    return LineHandler


def _answer(handler: Handler, line: bytes) -> dict[str, Any]:
    try:
        return {"result": handler(json.loads(line))}
    except (LabError, OSError, TypeError, ValueError) as error:
        return {"error": str(error) or type(error).__name__}


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    # A unix socket refuses with EAGAIN whoever does not fit into the queue; at a start twenty come at once.
    request_queue_size = 128


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def serve_tcp(address: str, port: int, handler: Handler) -> None:
    """Answer requests on a TCP port, in the background."""
    server = _TcpServer((address, port), _line_handler(handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()


def serve_unix(folder: Path, handler: Handler) -> None:
    """Answer requests on the unix socket in `folder`, for ever."""
    (folder / SOCKET_NAME).unlink(missing_ok=True)
    with _UnixServer(short_path(folder), _line_handler(handler)) as server:
        server.serve_forever()
