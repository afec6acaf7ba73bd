# SPDX-License-Identifier: Apache-2.0
"""Find, start, freeze and end the processes that are guests."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

GUEST = str(Path(__file__).parent / "guest.py")
NAME = "lab-guest"
PROC = Path("/proc")
PYTHON = "/usr/bin/python3"
# argv[0] is the name; then Python's own options and the script, then what Guest takes.
FIRST_ARGUMENT = 4
START_SECONDS = 20.0
END_SECONDS = 5.0


@dataclass(frozen=True)
class GuestProcess:
    """One live guest, as /proc shows it.

    Attributes:
        pid: its number in the namespace of whoever looked.
        uuid: Nova's id of the server.
        host: the compute node that started it.
        disk: path of the file it writes, as the node sees it.
        stopped: frozen by a pause.
    """

    pid: int
    uuid: str
    host: str
    disk: str
    stopped: bool


class GuestFailed(Exception):
    """A guest did not start, or did not end."""


def look(pid: int, proc: Path = PROC) -> GuestProcess | None:
    """Return the live guest with this process id, None if it is none (zombies are dead).

    Whoever starts a guest has the same command line until the guest runs, so the command line alone would
    count a guest twice: only the guest itself has given itself the name NAME.
    """
    try:
        words = (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        name, _, rest = (proc / str(pid) / "stat").read_text().partition("(")[2].rpartition(")")
    except OSError:
        return None
    state = rest.split()[0]
    if name != NAME or words[0] != NAME or len(words) < FIRST_ARGUMENT + 5 or state in "ZX":
        return None
    uuid, host, _lock, disk = words[FIRST_ARGUMENT : FIRST_ARGUMENT + 4]
    return GuestProcess(pid, uuid, host, disk, stopped=state in "Tt")


def running(proc: Path = PROC) -> list[GuestProcess]:
    """Return every live guest that this process can see."""
    found = (look(int(entry.name), proc) for entry in proc.iterdir() if entry.name.isdigit())
    return [guest for guest in found if guest]


def start(uuid: str, host: str, lock: Path, disk: Path, events: Path) -> None:
    """Start a guest and return once it runs, holding its disk or having raised the alarm.

    Raises:
        GuestFailed: it ended at once.
    """
    argv = [NAME, "-I", "-S", GUEST, uuid, host, str(lock), str(disk), str(events)]
    done = subprocess.run(argv, executable=PYTHON, cwd="/", env={}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, close_fds=True,
                          timeout=START_SECONDS, text=True, check=False)  # fmt: skip
    if done.returncode:
        raise GuestFailed(f"guest of server {uuid} did not start: {done.stderr.strip()[-200:]}")


def end(guest: GuestProcess) -> None:
    """Kill a guest and return once it is dead.

    Raises:
        GuestFailed: it is still there after END_SECONDS.
    """
    try:
        handle = os.pidfd_open(guest.pid)
    except ProcessLookupError:
        return
    try:
        # Between the look and here the number may have been given to another process; the handle is of one.
        if look(guest.pid) is None:
            return
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        if not select.select([handle], [], [], END_SECONDS)[0]:
            raise GuestFailed(f"guest of server {guest.uuid} (pid {guest.pid}) does not die")
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def freeze(guest: GuestProcess) -> None:
    """Stop a guest's clock: it keeps its memory and its lock."""
    os.kill(guest.pid, signal.SIGSTOP)


def thaw(guest: GuestProcess) -> None:
    """Let a frozen guest go on."""
    os.kill(guest.pid, signal.SIGCONT)
