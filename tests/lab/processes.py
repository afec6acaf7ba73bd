# SPDX-License-Identifier: Apache-2.0
"""The processes of one node, seen from the fabric, which is the parent of every node's process namespace."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path


def _namespace(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None


def _is_stopped(pid: int) -> bool:
    """Tell whether the process is stopped (or gone, or dead and not yet reaped)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "TtZX"
    except (OSError, IndexError):
        return True


def of_node(init: int) -> list[int]:
    """Return the ids of all processes of the node whose PID 1 is `init`, `init` first, containers too."""
    namespace = _namespace(init)
    if namespace is None:
        return []
    parents = {pid: _parent(pid) for pid in _all()}
    found = {pid for pid in parents if _namespace(pid) == namespace}
    # What is in a container, in a namespace of its own, descends from what started that.
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def _send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def stop_all(init: int, limit: float = 5.0) -> set[int]:
    """Stop every process of a node and return those that were stopped before (they must not be continued).

    Signals, not the freezer cgroup: a stopped process dies of SIGKILL at once, a frozen one only when it is
    thawed, and a hung host must still be powered off. Repeated, because a process may fork meanwhile.
    """
    stopped_before = {pid for pid in of_node(init) if _is_stopped(pid)}
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        running = [pid for pid in of_node(init) if not _is_stopped(pid)]
        if not running:
            break
        for pid in running:
            _send(pid, signal.SIGSTOP)
        time.sleep(0.01)
    return stopped_before


def continue_all(init: int, leave_stopped: set[int]) -> None:
    """Let every process of a node run again, apart from `leave_stopped`."""
    for pid in of_node(init):
        if pid not in leave_stopped:
            _send(pid, signal.SIGCONT)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def kill_matching(init: int, pattern: str, number: int) -> list[str]:
    """Send signal `number` to the node's processes whose command line matches `pattern`; return those lines.

    PID 1 of a node is its kernel and its init in one: it is left alone.
    """
    expression = re.compile(pattern)
    lines = [(pid, _command_line(pid)) for pid in of_node(init) if pid != init]
    return [line for pid, line in lines if expression.search(line) and _send(pid, number)]
