# SPDX-License-Identifier: Apache-2.0
"""Processes that outlive the agent that started them: which one is it, does it live, make it end.

A process is named by its id *and* its start time (field 22 of /proc/<pid>/stat), because ids are used again.
The monitors of the agents import this module every few seconds: it needs ``os`` and ``time`` only.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TERM, _KILL = 15, 9
_POLL = 0.1
#: A process that ends while it is looked at, and one that even root may not look into, such as a kernel
#: thread.
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; None when it is dead or a zombie."""
    fields = _stat(pid)
    return None if fields[0] in ("Z", "X") else fields[19]


def _stat(pid: int) -> list[str]:
    """Return what stands in /proc/<pid>/stat after the name, state first; a dead one's if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name of the program stands in parentheses and may contain anything.
            return file.read().rpartition(")")[2].split()
    except _GONE:
        return ["X", "0"]


def command_line(pid: int) -> tuple[str, ...]:
    """Return a process's arguments; none when it does not live."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return tuple(file.read().rstrip("\0").split("\0"))
    except _GONE:
        return ()


def environment(pid: int) -> tuple[str, ...]:
    """Return a process's variables, each as ``NAME=text``; none when it does not live."""
    try:
        with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as file:
            return tuple(file.read().rstrip("\0").split("\0"))
    except _GONE:
        return ()


def cgroup(pid: int) -> str:
    """Return the control groups of a process, a line for each hierarchy; nothing when it does not live."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            return file.read()
    except _GONE:
        return ""


def write_pid_file(path: str, pid: int) -> None:
    """Remember a process; nothing is written when it does not live."""
    started = start_time(pid)
    if started is not None:
        write_atomically(path, f"{pid} {started}\n")


def read_pid_file(path: str) -> tuple[int, str] | None:
    """Return process id and start time as remembered; None when there is no such file, or nonsense in it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            pid, started = file.read().split()
        return int(pid), started
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def living(path: str) -> int | None:
    """Return the id of the process that the file remembers, if that very process lives."""
    remembered = read_pid_file(path)
    if remembered is None or start_time(remembered[0]) != remembered[1]:
        return None
    return remembered[0]


def find(wanted: Callable[[tuple[str, ...]], bool], *, containers: bool = False) -> tuple[int, ...]:
    """Return the processes of this machine whose arguments are wanted, without this one.

    Those of an inner pid namespace belong to another machine, be it a container, unless these are asked for.
    Costs a few reads per process.
    """
    pids = (pid for pid in _all() if pid != os.getpid() and wanted(command_line(pid)))
    living = (pid for pid in pids if start_time(pid) is not None)
    return tuple(sorted(pid for pid in living if containers or not is_apart(pid)))


def is_apart(pid: int) -> bool:
    """Say whether a process is in an inner pid namespace, as that of a container."""
    return not _shares("pid", pid)


def shares_network(pid: int) -> bool:
    """Say whether a process has this machine's network, as one of a container with ``--net=host`` has."""
    return _shares("net", pid)


def family(pid: int) -> tuple[int, ...]:
    """Return a process and its descendants, those in inner pid namespaces too."""
    children: dict[int, list[int]] = {}
    for other in _all():
        state, parent = _stat(other)[:2]
        if state not in ("Z", "X"):
            children.setdefault(int(parent), []).append(other)
    members = [pid]
    for member in members:
        members += children.get(member, ())
    return tuple(members)


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _shares(kind: str, pid: int) -> bool:
    return _namespace(kind, pid) in (None, _namespace(kind, "self"))


def _namespace(kind: str, pid: int | str) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except _GONE:
        return None


def end(pids: Iterable[int], patience: float, last_resort: float = 5.0) -> tuple[int, ...]:
    """Ask processes to end, wait, kill what is left, and wait again.

    Args:
        pids: the processes.
        patience: seconds that they have to end by themselves.
        last_resort: seconds that the kernel has to end what was killed.

    Returns:
        the processes that live even so (in uninterruptible sleep, for example).
    """
    left = tuple((pid, started) for pid in pids if (started := start_time(pid)) is not None)
    left = _signal_and_wait(left, _TERM, patience)
    left = _signal_and_wait(left, _KILL, last_resort)
    return tuple(pid for pid, _ in left)


def _signal_and_wait(
    targets: tuple[tuple[int, str], ...], number: int, seconds: float
) -> tuple[tuple[int, str], ...]:
    """Send a signal to each process that still is the same one, and return those that live after the time."""
    deadline = time.monotonic() + seconds
    left = _still(targets)
    for pid, _ in left:
        _signal(pid, number)
    while left and time.monotonic() < deadline:
        time.sleep(_POLL)
        left = _still(left)
    return left


def _still(targets: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
    return tuple((pid, started) for pid, started in targets if start_time(pid) == started)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def write_atomically(path: str, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one; only the owner may read it."""
    draft = f"{path}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(draft, path)
