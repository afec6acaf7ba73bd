# SPDX-License-Identifier: Apache-2.0
"""What the file system tells of systemd's units: which there are, which start at boot. Systemd is not asked.

The monitor imports this module: it needs ``os`` only.
"""

from __future__ import annotations

import os

#: nova-compute's unit in Debian and Ubuntu, and in RDO.
KNOWN = ("nova-compute.service", "openstack-nova-compute.service")

#: There if systemd is process 1 (sd_booted(3)).
BOOTED = "/run/systemd/system"
#: systemd.unit(5), "System Unit Search Path"; /lib for systems that keep it apart from /usr/lib.
FOLDERS = ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"]
_PULLED_IN_BY = (".wants", ".requires", ".upholds")


def has_systemd() -> bool:
    """Say whether systemd runs this machine."""
    return os.path.isdir(BOOTED)


def installed(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the units that have a file; of two names of one file only the first."""
    found: dict[str, str] = {}
    for name in names:
        path = next((path for path in _paths(name) if os.path.exists(path)), None)
        if path is not None:
            found.setdefault(os.path.realpath(path), name)
    return tuple(found.values())


def full_name(unit: str) -> str:
    """Return a unit's name with its suffix, as systemctl understands it."""
    return unit if unit.endswith(".service") else f"{unit}.service"


def why_unsafe(names: tuple[str, ...]) -> str | None:
    """Return which of the units systemd starts at boot, and how to mend it; None when none."""
    for name in names:
        if starts_at_boot(name):
            return (
                f"{name} is enabled; run: systemctl disable {name.removesuffix('.service')}; else systemd "
                "starts it at boot, before the servers of this host are recovered, and destroys them"
            )
    return None


def starts_at_boot(name: str) -> bool:
    """Say whether another unit pulls this one in, as after ``systemctl enable``."""
    return has_systemd() and any(
        os.path.lexists(f"{folder}/{entry}/{name}") for folder in FOLDERS for entry in _pulling(folder)
    )


def _pulling(folder: str) -> tuple[str, ...]:
    try:
        return tuple(entry for entry in os.listdir(folder) if entry.endswith(_PULLED_IN_BY))
    except OSError:
        return ()


def _paths(name: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for folder in FOLDERS)
