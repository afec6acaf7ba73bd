# SPDX-License-Identifier: Apache-2.0
"""Further doors to the lab's Keystone and Nova, with any certificate, that count what passes through them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.lab import Lab
from tests.lab.openstack import names, tls
from tests.lab.openstack.fabric import listens
from tests.lab.openstack.nodes import CA_FILE

_CLOSED = re.compile(r"(\d+) byte\(s\) sent to TLS, (\d+) byte\(s\) sent to socket")


@dataclass(frozen=True)
class Door:
    """An open door.

    Attributes:
        log: of stunnel, which writes a line when a connection ends.
        port: where it listens, in the fabric.
    """

    log: Path
    port: int

    def passed(self) -> list[int]:
        """Return for each connection that has ended how many bytes of the client reached the service."""
        return [int(inward) for _outward, inward in _CLOSED.findall(self.log.read_text())]

    def knocks(self) -> int:
        """Return how many connections there were."""
        return self.log.read_text().count("accepted connection from")


@contextmanager
def door(lab: Lab, port: int, certificate: str, service: str = "keystone") -> Iterator[Door]:
    """Open a door for as long as the block runs.

    Args:
        lab: the lab.
        port: where it listens.
        certificate: a file of tests.lab.openstack.tls.
        service: what is behind it: ``keystone`` or ``nova-api``.
    """
    folder = lab.openstack.runner.places.etc / tls.FOLDER
    file = folder / f"door-{port}.conf"
    file.write_text(tls.front_end(service, port, folder / certificate, "notice"))
    process = lab.popen_fabric([tls.STUNNEL, str(file)], file.stem)
    try:
        lab.wait_until(f"port {port} is open", lambda: listens(lab, (names.FABRIC, port)), 30)
        yield Door(lab.logs / f"{file.stem}.log", port)
    finally:
        process.send_signal()


EXPIRED_PORT, SOUND_PORT = 13001, 13002
EXPIRED_NOVA_PORT, SOUND_NOVA_PORT = 13003, 13004
#: With it the cloud's own authority is unknown.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Impostor:
    """A Keystone or a Nova that must get nothing.

    Attributes:
        port: of its door.
        host: the name that it is called by.
        cacert: the authorities that are trusted.
        said: what an admin reads.
    """

    port: int
    host: str
    cacert: str
    said: str

    @property
    def url(self) -> str:
        """Return its root."""
        return f"https://{self.host}:{self.port}"

    @property
    def auth_url(self) -> str:
        """Return its URL as that of a Keystone."""
        return f"{self.url}/v3"


IMPOSTORS = {
    "wrong authority": Impostor(
        SOUND_PORT,
        names.CLOUD_NAME,
        AUTHORITIES,
        "its certificate is from an authority that is not trusted here",
    ),
    "expired": Impostor(EXPIRED_PORT, names.CLOUD_NAME, CA_FILE, "its certificate has expired"),
    "other name": Impostor(SOUND_PORT, "fabric", CA_FILE, "its certificate is for another name"),
}
#: A token must not get to them; their authority is Keystone's, for both are checked against the same ones.
IMPOSTORS_OF_NOVA = {
    "expired": Impostor(EXPIRED_NOVA_PORT, names.CLOUD_NAME, CA_FILE, "its certificate has expired"),
    "other name": Impostor(SOUND_NOVA_PORT, "fabric", CA_FILE, "its certificate is for another name"),
}


@contextmanager
def nothing_sent(lab: Lab, way: Door) -> Iterator[None]:
    """Make sure that the block knocks at the door, and that not one byte goes through."""
    knocks, passed = way.knocks(), sum(way.passed())
    yield
    lab.wait_until("each connection has ended", lambda: len(way.passed()) == way.knocks(), 30)
    assert way.knocks() > knocks
    assert sum(way.passed()) == passed
