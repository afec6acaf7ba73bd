# SPDX-License-Identifier: Apache-2.0
"""Find what a run of the tests has left: processes, mounts, network links, control groups, files.

Processes are known by a mark in their environment, and are ended. All else can also come from somebody who
works on the machine at the same time; it is a failure only where nobody does (``CI``).
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MARK = "NOVA_HA_RUN"
#: Where litter would fall, one level deep.
_FOLDERS = (
    "/dev/shm",
    "/etc",
    "/run",
    "/tmp",
    "/usr/sbin",
    "/var/lib",
    "/var/log",
    "/var/tmp",
    "~",
    "~/.cache",
)
_GROUPS = Path("/sys/fs/cgroup")
_PATIENCE = 5.0


@dataclass(frozen=True)
class State:
    """What is on the machine."""

    mounts: frozenset[str]
    links: frozenset[str]
    groups: frozenset[str]
    files: frozenset[str]


def look() -> State:
    """Mark this process, so that its descendants are known later, and note what is there."""
    os.environ.setdefault(_MARK, uuid.uuid4().hex)
    return _state()


def complain(before: State) -> list[str]:
    """Print what was left behind since ``before``, end the processes, and return what counts as a failure."""
    pids, foreign = _settled(), _differences(before, _state())
    processes = [f"process {pid}: {_command(pid)}" for pid in pids]
    for line in processes + foreign:
        print(f"nova-ha: left behind: {line}", flush=True)
    _end(pids)
    return processes + (foreign if os.environ.get("CI") else [])


def _settled() -> list[int]:
    """Return the marked processes that are still there after a moment for the last ones to end."""
    deadline = time.monotonic() + _PATIENCE
    while (found := _processes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _processes() -> list[int]:
    """Return the processes that carry the mark of this run, apart from this one and those that started it."""
    mark = f"{_MARK}={os.environ[_MARK]}".encode()
    marked = {
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if mark in _read(path / "environ").split(bytes(1))
    }
    return sorted(marked - _ancestors())


def _end(pids: list[int]) -> None:
    """End the processes; some may have been ended by the end of another."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _command(pid: int) -> str:
    """Return the command line of a process."""
    return _read(Path(f"/proc/{pid}/cmdline")).replace(bytes(1), b" ").decode(errors="replace").strip()


def _ancestors() -> set[int]:
    """Return the ids of this process and of those that started it."""
    found, pid = set(), os.getpid()
    while pid > 0:
        found.add(pid)
        # After the name, which is in parentheses and can hold anything: state, then the parent's id.
        pid = int(_read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()[1])
    return found


def _read(path: Path) -> bytes:
    """Return the content of a file in /proc; a process that ended meanwhile has none."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _state() -> State:
    """Return what is there now."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return State(
        mounts=frozenset(f"mount {line.split()[4]}" for line in mounts),
        links=frozenset(f"network link {path.name}" for path in Path("/sys/class/net").iterdir()),
        groups=frozenset(f"control group {path}" for path in _groups()),
        files=frozenset(f"file {path}" for path in _files()),
    )


def _groups() -> Iterator[Path]:
    """Yield the control groups of labs, in the unified hierarchy or in one of several."""
    for pattern in ("nova-ha-*", "*/nova-ha-*"):
        yield from _GROUPS.glob(pattern)


def _files() -> Iterator[Path]:
    """Yield what lies in the folders, apart from the cache folder and the way to it."""
    cache = Path(os.environ.get("NOVA_HA_CACHE") or "~/.cache/nova-ha").expanduser()
    for folder in (Path(name).expanduser() for name in _FOLDERS):
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if path not in (cache, *cache.parents))


def _differences(before: State, after: State) -> list[str]:
    return sorted(
        (after.mounts - before.mounts)
        | (after.links - before.links)
        | (after.groups - before.groups)
        | (after.files - before.files)
    )
