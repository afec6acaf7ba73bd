# SPDX-License-Identifier: Apache-2.0
"""Further doors to the lab's Keystone, with any certificate, that count what passes through them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.lab import Lab
from tests.lab.openstack import names, tls
from tests.lab.openstack.fabric import listens

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
        """Return for each connection that has ended how many bytes of the client reached Keystone."""
        return [int(inward) for _outward, inward in _CLOSED.findall(self.log.read_text())]

    def knocks(self) -> int:
        """Return how many connections there were."""
        return self.log.read_text().count("accepted connection from")


@contextmanager
def door(lab: Lab, port: int, certificate: str) -> Iterator[Door]:
    """Open a door for as long as the block runs; `certificate` is a file of tests.lab.openstack.tls."""
    folder = lab.openstack.runner.places.etc / tls.FOLDER
    file = folder / f"door-{port}.conf"
    file.write_text(tls.front_end("keystone", port, folder / certificate, "notice"))
    process = lab.popen_fabric([tls.STUNNEL, str(file)], file.stem)
    try:
        lab.wait_until(f"port {port} is open", lambda: listens(lab, (names.FABRIC, port)), 30)
        yield Door(lab.logs / f"{file.stem}.log", port)
    finally:
        process.send_signal()
