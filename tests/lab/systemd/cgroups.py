# SPDX-License-Identifier: Apache-2.0
"""Control groups of the nodes: systemd wants one of its own, and the kernel keeps it when all is dead."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from tests.lab.errors import LabError

ROOT = Path("/sys/fs/cgroup")
PREFIX = "nova-ha-"
_PATIENCE = 5.0
# Enters every folder before "--", then becomes the command behind it. 0 stands for the process that writes.
_ENTER = 'while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@"'


def hierarchies() -> list[Path]:
    """Return the hierarchies in which systemd keeps its units.

    That is the unified one; in the older layouts the one that bears systemd's name and its unified companion.
    """
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [folder for folder in (ROOT / "systemd", ROOT / "unified") if (folder / "cgroup.procs").exists()]


def check() -> None:
    """Raise LabError, naming the fix, unless nodes can have control groups here."""
    if not hierarchies():
        raise LabError(
            f"systemd needs control groups, and none are mounted below {ROOT}: "
            f"mount -t cgroup2 cgroup2 {ROOT}, or use a lab without --systemd"
        )


def of_lab(directory: Path) -> list[Path]:
    """Return the groups of the lab in a folder; each node has one below."""
    name = PREFIX + hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    return [hierarchy / name for hierarchy in hierarchies()]


def command_inside(directory: Path, node: str, command: list[str]) -> list[str]:
    """Make a node's groups, and return the command line that runs `command` in them."""
    check()
    groups = [group / node for group in of_lab(directory)]
    for group in groups:
        group.mkdir(parents=True, exist_ok=True)
    return ["sh", "-c", _ENTER, "sh", *map(str, groups), "--", *command]


def remove(directory: Path) -> None:
    """Remove the groups of the lab in a folder, of which no process is left.

    Raises:
        LabError: a group does not go.
    """
    for group in of_lab(directory):
        deadline = time.monotonic() + _PATIENCE
        while group.exists():
            try:
                for folder in _deepest_first(group):
                    folder.rmdir()
            except OSError as error:
                # The kernel counts the dead of the last moment.
                if time.monotonic() > deadline:
                    raise LabError(f"control group {group} does not go: {error}") from error
                time.sleep(0.05)


def _deepest_first(folder: Path) -> Iterator[Path]:
    for below in folder.iterdir():
        if below.is_dir():
            yield from _deepest_first(below)
    yield folder
