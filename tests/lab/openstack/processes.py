# SPDX-License-Identifier: Apache-2.0
"""End processes with all their descendants; run inside the namespace in which they live."""

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


def end(roots: list[int], seconds: float) -> None:
    """Ask processes to end, wait at most `seconds`, then kill what is left of their families."""
    members = set[int]().union(*map(family, roots))
    _signal(members.intersection(roots), signal.SIGTERM)
    if not _gone(members, seconds):
        _signal(members.union(*map(family, roots)), signal.SIGKILL)
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


def main(seconds: str, *paths: str) -> None:
    """End the processes whose ids these files hold; without its file a process does not run."""
    pid_files = [path for path in map(Path, paths) if path.exists()]
    end([int(path.read_text()) for path in pid_files], float(seconds))
    for path in pid_files:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
