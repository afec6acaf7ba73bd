# SPDX-License-Identifier: Apache-2.0
"""Read from nova.conf what Nova calls this host, the way oslo.config does, without importing it.

oslo.config reads, later values winning: without ``--config-file`` the first ``nova.conf`` and the first
``nova-compute.conf`` that it finds; then every ``*.conf`` in the first ``nova.conf.d`` and the first
``nova-compute.conf.d``, by name; then the files of ``--config-file``. It looks in ``~/.nova``, ``~``,
``/etc/nova`` and ``/etc``, in this order.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

from nova_ha.errors import ConfigurationError

_PROJECT, _PROGRAM = "nova", "nova-compute"
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_ENTRY = re.compile(r"([^=:\s][^=:]*?)\s*[=:]\s*(.*)")


def host_name(explicit: tuple[str, ...], home: str, etc: str = "/etc") -> str:
    """Return Nova's name of this host.

    Args:
        explicit: the files of ``--config-file``; none for Nova's own search.
        home: home folder of the user that runs nova-compute.
        etc: where ``nova/nova.conf`` is.

    Raises:
        ConfigurationError: a file cannot be read, or the value refers to something that is not there.
    """
    values: dict[str, str] = {}
    for path in config_files(explicit, home, etc):
        values.update(_defaults(path))
    host = values.get("host")
    return _expanded(host, values) if host else socket.gethostname()


def config_files(explicit: tuple[str, ...], home: str, etc: str = "/etc") -> tuple[Path, ...]:
    """Return the files that Nova reads, in its order."""
    folders = (Path(home, f".{_PROJECT}"), Path(home), Path(etc, _PROJECT), Path(etc))
    searched = () if explicit else _first(folders, ".conf")
    snippets = (file for folder in _first(folders, ".conf.d") for file in sorted(folder.glob("*.conf")))
    return (*searched, *snippets, *(Path(path) for path in explicit))


def _first(folders: tuple[Path, ...], suffix: str) -> tuple[Path, ...]:
    """Return, for project and program, the first that exists."""
    candidates = ([folder / (name + suffix) for folder in folders] for name in (_PROJECT, _PROGRAM))
    found = (next((path for path in paths if path.exists()), None) for paths in candidates)
    return tuple(path for path in found if path is not None)


def _defaults(path: Path) -> dict[str, str]:
    """Return the section DEFAULT of a file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}; set the parameter config") from error
    return dict(_entries(text))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of the entries of section DEFAULT; continued lines belong to no host name."""
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip().strip("[]").strip()
        elif section == "DEFAULT" and line[:1] not in ("#", ";", " ", "\t", ""):
            entry = _ENTRY.match(line)
            if entry:
                yield entry[1], _unquoted(entry[2].strip())


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _expanded(value: str, values: dict[str, str]) -> str:
    """Return a value with its references to other values, such as ``$my_ip``, replaced."""

    def named(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in values:
            raise ConfigurationError(
                f"host={value} in nova.conf refers to {name}, which is not set there; set the parameter host"
            )
        return values[name]

    return _REFERENCE.sub(named, value)
