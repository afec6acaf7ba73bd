# SPDX-License-Identifier: Apache-2.0
"""End a process with all its descendants; run inside the namespace in which they live."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path


def parents() -> dict[int, int]:
    """Return the parent of every process that is not a zombie."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(entry.parent.name)] = int(parent)
    return found


def family(root: int) -> set[int]:
    """Return a living process and everything that descends from it."""
    known = parents()
    members = {root} & known.keys()
    while more := {pid for pid, parent in known.items() if parent in members} - members:
        members |= more
    return members


def end(root: int, seconds: float) -> None:
    """Ask the process to end, wait at most `seconds`, then kill what is left of its family."""
    members = family(root)
    _signal({root} & members, signal.SIGTERM)
    if not _gone(members, seconds):
        _signal(members | family(root), signal.SIGKILL)
        _gone(members, 5.0)


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _gone(members: set[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while members & parents().keys():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


if __name__ == "__main__":
    for pid_file in sys.argv[2:]:
        end(int(Path(pid_file).read_text()), float(sys.argv[1]))
