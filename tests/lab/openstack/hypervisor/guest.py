# SPDX-License-Identifier: Apache-2.0
"""One guest: a process that holds its disk with a lock and writes a line to it every half second.

It is started by path, isolated and without site packages, because there may be hundreds. If another live copy
holds the disk, it raises an alarm and goes on as a counted second copy: on real shared storage nothing would
stop it either, and a test must see the damage.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120 - pathlib would cost each guest a megabyte
import events
from diskformat import Line, last_number

WRITE_SECONDS = 0.5
TAIL_BYTES = 4096


def boot_of_this_node() -> str:
    """Return a word that differs for every boot of the node: when its first process was started."""
    with open("/proc/1/stat") as file:  # noqa: PTH123 - as above
        return file.read().rpartition(")")[2].split()[19]


class Guest:
    """The running machine of one server.

    Attributes:
        uuid: Nova's id of the server.
        host: Nova's name of the compute node.
        lock: the file whose lock means "this server runs": its disk.
        disk: the file it writes; another one than `lock` while it is rescued.
        journal: the lab's journal of events, for alarms.
    """

    def __init__(self, uuid: str, host: str, lock: str, disk: str, journal: str):
        self.uuid = uuid
        self.host = host
        self.lock = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        self.disk = os.open(disk, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self.journal = journal
        self.alone = False
        self.alarmed = False

    def power_up(self) -> None:
        """Take the disk and find out where its content ends."""
        self._take_lock()
        size = os.fstat(self.disk).st_size
        tail = os.pread(self.disk, TAIL_BYTES, max(0, size - TAIL_BYTES)).decode(errors="replace")
        self.number = last_number(tail)

    def run(self) -> None:
        """Write for ever."""
        boot, pid = boot_of_this_node(), os.getpid()
        while True:
            self.number += 1
            line = Line(self.number, time.time(), self.host, boot, pid)
            os.write(self.disk, f"{line}\n".encode())
            if not self.alone:
                self._take_lock()
            time.sleep(WRITE_SECONDS)

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not self.alarmed:
                self._alarm()
            self.alarmed = True
        else:
            self.alone = True

    def _alarm(self) -> None:
        text = "the disk is locked by another live copy"
        events.append(self.journal, "alarm", uuid=self.uuid, host=self.host, pid=os.getpid(), text=text)


def daemonise() -> None:
    """Leave nova-compute's session, so that its end is not ours; the node's first process adopts us."""
    if os.fork():
        os._exit(0)
    os.setsid()
    with open("/proc/self/comm", "w") as file:  # noqa: PTH123 - as above
        file.write("lab-guest")


def let_go_of_output() -> None:
    """Close the standard streams, for whose end nova-compute waits."""
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def main() -> None:
    """Start the guest; return to the caller once it holds its disk (or has raised the alarm)."""
    guest = Guest(*sys.argv[1:6])
    ready, report = os.pipe()
    if os.fork():
        os.close(report)
        # The guest's end of the pipe closes once it runs; an empty read means it died before.
        os._exit(0 if os.read(ready, 1) else 1)
    os.close(ready)
    daemonise()
    guest.power_up()
    let_go_of_output()
    os.write(report, b"+")
    os.close(report)
    guest.run()


if __name__ == "__main__":
    main()
