# SPDX-License-Identifier: Apache-2.0
"""The lab's Redfish service speaks as a BMC does, to whoever knows the password."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.cluster import redfish
from tests.lab.errors import LabError

pytestmark = [pytest.mark.loopback, pytest.mark.real_subprocess]

ADDRESS = "127.0.0.1"
LOGIN = ("admin", "secret")


class Board:
    """A board that remembers what it was told."""

    def __init__(self) -> None:
        self.mode = "normal"
        self.told: list[str] = []

    def is_on(self) -> bool:
        """Say whether it was not switched off."""
        return self.told[-1:] != ["off"]

    def set_power(self, what: str) -> None:
        """Remember what it was told, or refuse."""
        if self.mode == "refuse":
            raise LabError("it refuses")
        self.told.append(what)


class Bmc:
    """A service that runs, and a client that trusts its certificate."""

    def __init__(self, folder: Path) -> None:
        self.board = Board()
        certificate = redfish.make_certificate(folder, ADDRESS)
        self.server = redfish.Server((ADDRESS, 0), self.board, LOGIN, certificate)
        self.server.start(poll=0.02)
        self.port = self.server.server_address[1]
        self._trust = ssl.create_default_context(cafile=certificate[0])

    def ask(
        self, method: str, path: str, content: Any = None, login: tuple[str, str] | None = LOGIN
    ) -> tuple[int, Any]:
        """Return status and content of an answer."""
        connection = http.client.HTTPSConnection(ADDRESS, self.port, timeout=20, context=self._trust)
        headers = {}
        if login is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
        try:
            connection.request(method, path, None if content is None else json.dumps(content), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text else None


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[Bmc]:
    """Give a service that runs."""
    found = Bmc(tmp_path)
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_the_way_to_the_computer(bmc: Bmc) -> None:
    """From the service root, which needs no password, one finds the computer and how to reset it."""
    _, root = bmc.ask("GET", "/redfish/v1", login=None)
    _, systems = bmc.ask("GET", root["Systems"]["@odata.id"])
    assert [redfish.SYSTEM] == [member["@odata.id"] for member in systems["Members"]]
    status, system = bmc.ask("GET", redfish.SYSTEM)
    assert (200, "On") == (status, system["PowerState"])
    assert redfish.RESET == system["Actions"]["#ComputerSystem.Reset"]["target"]


@pytest.mark.parametrize(("kind", "told"), redfish.RESET_TYPES.items())
def test_reset(bmc: Bmc, kind: str, told: str) -> None:
    """Each kind of reset reaches the board, and the power state is the board's."""
    assert (204, None) == bmc.ask("POST", redfish.RESET, {"ResetType": kind})
    assert [told] == bmc.board.told
    assert {"off": "Off"}.get(told, "On") == bmc.ask("GET", redfish.SYSTEM)[1]["PowerState"]


@pytest.mark.parametrize(
    ("method", "path", "content", "login", "status"),
    [
        ("GET", redfish.SYSTEM, None, None, 401),
        ("POST", redfish.RESET, {"ResetType": "ForceOff"}, ("admin", "wrong"), 401),
        ("GET", "/redfish/v1/Systems/2", None, LOGIN, 404),
        ("POST", redfish.SYSTEM, {"ResetType": "ForceOff"}, LOGIN, 404),
        ("POST", redfish.RESET, {"ResetType": "Nmi"}, LOGIN, 400),
        ("POST", redfish.RESET, ["ForceOff"], LOGIN, 400),
    ],
)
def test_what_is_refused(
    bmc: Bmc, method: str, path: str, content: Any, login: tuple[str, str] | None, status: int
) -> None:
    """What is not allowed, not there or not understood changes nothing, and is answered as an error."""
    code, answer = bmc.ask(method, path, content, login)
    assert (status, []) == (code, bmc.board.told)
    assert answer["error"]["message"]


def test_a_board_that_refuses(bmc: Bmc) -> None:
    """What the board refuses is an error of the service."""
    bmc.board.mode = "refuse"
    status, answer = bmc.ask("POST", redfish.RESET, {"ResetType": "ForceOff"})
    assert (503, "it refuses") == (status, answer["error"]["message"])


def test_a_silent_board(bmc: Bmc) -> None:
    """It accepts the connection and never answers; what was sent meanwhile is not carried out later."""
    bmc.board.mode = "silent"
    with socket.create_connection((ADDRESS, bmc.port), timeout=0.3) as connection:
        connection.sendall(b"\x16\x03\x01")
        with pytest.raises(TimeoutError):
            connection.recv(1)
        bmc.board.mode = "normal"
        connection.settimeout(20)
        assert not is_answered(connection)
    assert [] == bmc.board.told
    assert 200 == bmc.ask("GET", redfish.SYSTEM)[0]


def is_answered(connection: socket.socket) -> bool:
    """Say whether anything comes before the end of a connection."""
    try:
        return bool(connection.recv(1))
    except ConnectionResetError:
        return False


def test_the_certificate_is_checked(bmc: Bmc) -> None:
    """Who does not trust the certificate does not get as far as sending a password."""
    strict = http.client.HTTPSConnection(ADDRESS, bmc.port, timeout=20, context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        strict.request("GET", redfish.SYSTEM)
    strict.close()
