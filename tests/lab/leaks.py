# SPDX-License-Identifier: Apache-2.0
"""Look for the secrets of nova-ha in everything that a lab has written, and in its processes (rule R6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.openstack import names

SECRETS = (str(names.ADMIN["password"]).encode(), names.APPLICATION_SECRET.encode())

#: Where they belong.
_HOMES = ("/etc/nova-ha/clouds.yaml", "/etc/nova-ha/clouds.yaml.sound")
_PROCESSES = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"


def leaks(lab: Lab) -> list[str]:
    """Return the files, and the nodes with processes, in which a secret is to be read."""
    written = [*_files(lab.logs), *(file for node in lab.nodes for file in _files(lab.disk(node)))]
    found = [str(file) for file in written if not str(file).endswith(_HOMES) and _has_it(file)]
    return found + [f"processes on {node}" for node in _on(lab) if _tells(_processes(lab, node).encode())]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _has_it(file: Path) -> bool:
    try:
        return _tells(file.read_bytes())
    except FileNotFoundError:
        return False


def _tells(text: bytes) -> bool:
    return any(secret in text for secret in SECRETS)


def _on(lab: Lab) -> list[str]:
    conditions = lab.conditions()
    return [node for node in lab.nodes if conditions[node] == "on"]


def _processes(lab: Lab, node: str) -> str:
    try:
        return str(lab.run(node, "sh", "-c", _PROCESSES, check=False).stdout)
    except LabError:
        # It may have lost its power since it was on, and be back.
        if lab.conditions()[node] == "off":
            return ""
        return str(lab.run(node, "sh", "-c", _PROCESSES, check=False).stdout)
