# SPDX-License-Identifier: Apache-2.0
"""nova-compute's connection to RabbitMQ, seen from outside: is there one, and does a broker answer at all?

Nothing but host and port of ``transport_url`` is used: no credentials are sent, kept or shown.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from nova_ha.compute.nova_conf import NovaConf

#: Schemes of oslo.messaging's driver for RabbitMQ; others have no connection that means this much.
_SCHEMES = ("rabbit", "kombu", "amqp")
_PORT = 5672
_YES = ("true", "1", "yes", "on")
_ESTABLISHED = "01"
#: The AMQP 0-9-1 protocol header. A broker answers with a method frame, whose first byte is 1; a proxy
#: without a broker behind it, and the queue of a listening socket whose owner hangs, accept the connection
#: and say nothing.
_HELLO, _FRAME = b"AMQP\x00\x00\x09\x01", b"\x01"


@dataclass(frozen=True)
class Broker:
    """A RabbitMQ.

    Attributes:
        host: name or address, as in nova.conf.
        port: TCP port.
        tls: whether it expects TLS.
    """

    host: str
    port: int
    tls: bool = False

    def is_at(self, address: str, port: int) -> bool:
        """Say whether a connection to that address may be one to this broker.

        Of a host that is given by name only the port counts: the name may have had another address when
        nova-compute looked it up.
        """
        own = _address(self.host)
        return port == self.port and own in (None, _address(address))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def of(conf: NovaConf) -> tuple[Broker, ...]:
    """Return the brokers that nova.conf names; none when it names another kind of transport.

    Raises:
        ConfigurationError: a value refers to something that is not there.
    """
    url = conf.get("transport_url") or "rabbit://"
    scheme, _, rest = url.partition("://")
    if scheme not in _SCHEMES:
        return ()
    section = "oslo_messaging_rabbit"
    tls = (conf.get("ssl", section) or conf.get("rabbit_use_ssl", section) or "").lower()
    places = rest.partition("/")[0].split(",")
    return tuple(_broker(place.rpartition("@")[2], tls=tls in _YES) for place in places)


def _broker(place: str, *, tls: bool) -> Broker:
    try:
        parts = urlsplit(f"//{place}")
        return Broker(parts.hostname or "localhost", parts.port or _PORT, tls)
    except ValueError:
        return Broker(place, _PORT, tls)


def connected(family: Iterable[int], brokers: tuple[Broker, ...]) -> bool | None:
    """Say whether one of the processes is connected to one of the brokers; None when that cannot be seen."""
    pids = tuple(family)
    try:
        inodes = {inode for pid in pids for inode in _sockets(pid)}
        peers = [(address, port) for inode, address, port in _established(pids[0]) if inode in inodes]
    except OSError:
        return None
    return any(broker.is_at(address, port) for address, port in peers for broker in brokers)


def answering(brokers: tuple[Broker, ...], patience: float = 2.0) -> Broker | None:
    """Return the first broker that answers as one; None when none does."""
    return next((broker for broker in brokers if _answers(broker, patience)), None)


def _answers(broker: Broker, patience: float) -> bool:
    try:
        with socket.create_connection((broker.host, broker.port), timeout=patience) as connection:
            return _shakes_hands(connection) if broker.tls else _greets(connection)
    except (OSError, ValueError):
        return False


def _greets(connection: socket.socket) -> bool:
    connection.sendall(_HELLO)
    return connection.recv(1) == _FRAME


def _shakes_hands(connection: socket.socket) -> bool:
    """Say whether it speaks TLS; whose certificate it has does not matter, for nothing secret is sent."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(connection) as encrypted:
        return encrypted.version() is not None


def _sockets(pid: int) -> set[str]:
    """Return the inodes of a process's sockets; none when it has ended."""
    found: set[str] = set()
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return found
    for name in names:
        try:
            target = os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def _established(pid: int) -> list[tuple[str, str, int]]:
    """Return inode, remote address and port of each established TCP connection of a process's network."""
    found: list[tuple[str, str, int]] = []
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except FileNotFoundError:
            continue
        found += [(row[9], *_endpoint(row[2])) for row in rows if row[3] == _ESTABLISHED]
    return found


def _endpoint(text: str) -> tuple[str, int]:
    """Return address and port, from the kernel's hexadecimal words in this machine's byte order."""
    words, _, port = text.partition(":")
    raw = bytes.fromhex(words)
    if sys.byteorder == "little":
        raw = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    return str(ip_address(raw)), int(port, 16)


def _address(text: str) -> str | None:
    """Return an address in its one spelling, of IPv4 in IPv6 that of IPv4; None when it is a name."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)
