# SPDX-License-Identifier: Apache-2.0
"""The Redfish side of a BMC: https with a certificate that it has signed itself, as BMCs are delivered.

As much of the protocol (DSP0266) as a fence agent asks for: the service root, the one computer and its reset.
"""

from __future__ import annotations

import base64
import http.server
import json
import socket
import ssl
import subprocess
import threading
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from tests.lab.errors import LabError

PORT = 443
#: As pcs-examples/variables.sh calls it.
SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
RESET_TYPES = {"On": "on", "ForceOff": "off", "ForceRestart": "reset"}
_ROOT, _SYSTEMS = "/redfish/v1", "/redfish/v1/Systems"
_LOOK_EVERY = 0.5


class Board(Protocol):
    """What the service is part of.

    Attributes:
        mode: see `tests.lab.cluster.bmc`.
    """

    mode: str

    def is_on(self) -> bool:
        """Return what it says about the power."""

    def set_power(self, what: str) -> None:
        """Do "on", "off" or "reset"; raise LabError if it refuses."""


def make_certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """Make a self-signed certificate for an address; return the files of certificate and key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-days", "30", "-subj", "/CN=bmc", "-addext", f"subjectAltName=IP:{address}"]
    command += ["-out", str(certificate), "-keyout", str(key)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"no certificate for the BMC at {address}: {done.stderr.strip()}")
    return certificate, key


class Server(http.server.ThreadingHTTPServer):
    """The Redfish service of one board.

    Args:
        address: where it listens.
        board: what it is part of.
        login: user and password.
        certificate: files of certificate and key.
    """

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], board: Board, login: tuple[str, str], certificate: tuple[Path, Path]
    ) -> None:
        self.board = board
        self.login = "Basic " + base64.b64encode(":".join(login).encode()).decode()
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(*certificate)
        super().__init__(address, _Request)

    def start(self, poll: float = 60.0) -> None:
        """Serve in a thread of its own; a shutdown, which a lab never needs, is seen every `poll` seconds."""
        threading.Thread(target=self.serve_forever, args=(poll,), daemon=True).start()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection, in its own thread; a silent board accepts it and says nothing."""
        if self.board.mode == "silent":
            self._say_nothing(request)
            return
        with self._tls.wrap_socket(request, server_side=True) as channel:
            super().finish_request(channel, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away or do not trust the certificate: that is their right."""

    def _say_nothing(self, connection: socket.socket) -> None:
        """Hold a connection until the client has had enough, or the board is no longer silent."""
        connection.settimeout(_LOOK_EVERY)
        while self.board.mode == "silent":
            try:
                if not connection.recv(4096):
                    return
            except TimeoutError:
                continue


class _Request(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        """Answer with a resource."""
        path = self.path.rstrip("/")
        if path != _ROOT and not self._is_authorized():
            return
        found = self._resources().get(path)
        if found is None:
            self._refuse(HTTPStatus.NOT_FOUND, f"no resource {path}")
        else:
            self._answer(HTTPStatus.OK, {"@odata.id": path, **found})

    def do_POST(self) -> None:
        """Switch the power."""
        # Read even if it is refused: a connection that is closed with something unread in it is reset.
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if not self._is_authorized():
            return
        if self.path != RESET:
            self._refuse(HTTPStatus.NOT_FOUND, f"no action {self.path}")
            return
        try:
            self.server.board.set_power(RESET_TYPES[json.loads(content)["ResetType"]])
        except (ValueError, KeyError, TypeError):
            self._refuse(HTTPStatus.BAD_REQUEST, f"ResetType is not one of {', '.join(RESET_TYPES)}")
        except LabError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        else:
            self._answer(HTTPStatus.NO_CONTENT, None)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name that the library uses)
        """Log nothing: what switches the power is in the fabric's log."""

    def _resources(self) -> dict[str, dict[str, Any]]:
        action = {"target": RESET, "ResetType@Redfish.AllowableValues": list(RESET_TYPES)}
        power = "On" if self.server.board.is_on() else "Off"
        return {
            _ROOT: {"RedfishVersion": "1.6.0", "Systems": {"@odata.id": _SYSTEMS}},
            _SYSTEMS: {"Members": [{"@odata.id": SYSTEM}], "Members@odata.count": 1},
            SYSTEM: {"Id": "1", "PowerState": power, "Actions": {"#ComputerSystem.Reset": action}},
        }

    def _is_authorized(self) -> bool:
        if self.headers.get("Authorization") == self.server.login:
            return True
        self._refuse(HTTPStatus.UNAUTHORIZED, "user or password is wrong")
        return False

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._answer(status, {"error": {"code": "Base.1.8.GeneralError", "message": message}})

    def _answer(self, status: HTTPStatus, content: dict[str, Any] | None) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if content is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
