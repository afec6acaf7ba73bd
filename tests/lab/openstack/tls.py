# SPDX-License-Identifier: Apache-2.0
"""TLS in front of Keystone and Nova: one stunnel for each, which lives and dies with what it stands for.

So a service that is stopped refuses connections here as it does on its own port.
"""

from __future__ import annotations

from pathlib import Path

from . import names

STUNNEL = "/usr/bin/stunnel"
#: The folder of the certificates and of stunnel's files, below `etc`.
FOLDER = "tls"
AUTHORITY, SOUND, EXPIRED = "ca.pem", "cloud.pem", "expired.pem"

PORTS = {"keystone": names.KEYSTONE_TLS_PORT, "nova-api": names.NOVA_TLS_PORT}
_BEHIND = {"keystone": names.KEYSTONE_PORT, "nova-api": names.NOVA_PORT}

# The kernel ends stunnel when the service ends, however that happens.
_WITH_FRONT_END = ("/bin/sh", "-c", f'setpriv --pdeathsig KILL {STUNNEL} "$0" & exec "$@"')
_CONFIGURATION = """\
foreground = yes
syslog = no
pid =
debug = {level}
[{name}]
accept = {address}:{port}
connect = {address}:{behind}
cert = {certificate}
libwrap = no
"""


def front_end(service: str, port: int, certificate: Path, level: str = "warning") -> str:
    """Return stunnel's configuration for a door to a service.

    Args:
        service: one of PORTS.
        port: where it listens.
        certificate: file with certificate and key.
        level: what it logs; with ``notice`` each connection, and how many bytes went through.
    """
    return _CONFIGURATION.format(
        name=service, address=names.FABRIC, port=port, behind=_BEHIND[service], certificate=certificate,
        level=level,
    )  # fmt: skip


def write_front_ends(etc: Path) -> None:
    """Write the configuration of each front end; the certificates are there already."""
    for service, port in PORTS.items():
        _file(etc, service).write_text(front_end(service, port, etc / FOLDER / SOUND))


def behind_front_end(etc: Path, service: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that runs a service's own one, with the front end beside it."""
    return (*_WITH_FRONT_END, str(_file(etc, service)), *argv)


def _file(etc: Path, service: str) -> Path:
    return etc / FOLDER / f"{service}.conf"
