# SPDX-License-Identifier: Apache-2.0
"""Watch every guest from outside of the nodes, from the start of a lab to its end.

It runs in the fabric, whose process namespace shows the processes of all nodes. It reads the disks themselves
and Nova's database, so that it sees whatever is stopped, frozen or lying.

    python -m tests.lab.openstack.auditor RUN_FOLDER
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pymysql

from tests.lab.layout import RunFolder

from . import names
from .audit_status import AuditStatus, write_status
from .diskwatch import DiskWatch
from .hypervisor import events, guests
from .judgement import (
    Copy,
    Finding,
    Judgement,
    Key,
    NovaServer,
    NovaView,
    Observation,
    Trouble,
    judge,
    remember,
)

ROUND_SECONDS = 0.5
NOVA_SECONDS = 1.0
FINDINGS_FILE = "audit-findings.jsonl"
SERVERS = "SELECT uuid, display_name, host, vm_state, task_state FROM instances WHERE deleted = 0"
EVACUATING = (
    "SELECT instance_uuid FROM migrations WHERE migration_type = 'evacuation'"
    " AND status IN ('accepted', 'pre-migrating') AND deleted = 0"
)


def live_copies() -> tuple[Copy, ...]:
    """Return all live guests; of several of one server only those that were alive at the same moment.

    The list of processes is read one by one: a guest may be seen, end, and its successor be seen after it. So
    whoever seems to have company is looked at a second time, after all were seen once.
    """
    found = guests.running()
    count = Counter(guest.uuid for guest in found)
    confirmed = [guest for guest in found if count[guest.uuid] == 1 or guests.look(guest.pid)]
    return tuple(Copy(guest.uuid, guest.host, guest.pid) for guest in confirmed)


class NovaDatabase:
    """Nova's cell database, read without Nova: it answers also while every API is down."""

    def __init__(self) -> None:
        self._connection: Any = None

    def read(self) -> NovaView | None:
        """Return the servers and evacuations of one moment, None if the database does not answer."""
        try:
            return self._read()
        except (OSError, pymysql.MySQLError):
            self._close()
            return None

    def _read(self) -> NovaView:
        if self._connection is None:
            self._connection = pymysql.connect(
                host=names.FABRIC, port=names.MARIADB_PORT, user=names.DATABASE_USER,
                password=names.DATABASE_PASSWORD, database="nova", connect_timeout=2, read_timeout=5,
            )  # fmt: skip
        with self._connection.cursor() as cursor:
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            cursor.execute(SERVERS)
            servers = tuple(NovaServer(*row) for row in cursor.fetchall())
            cursor.execute(EVACUATING)
            evacuating = frozenset(row[0] for row in cursor.fetchall())
            self._connection.rollback()
        return NovaView(servers, evacuating)

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError, pymysql.MySQLError):
                self._connection.close()
            self._connection = None


class Journal:
    """The lab's journal of events, read as it grows."""

    def __init__(self, path: Path):
        self._path = path
        self._offset = 0

    def new_alarms(self) -> tuple[Trouble, ...]:
        """Return the alarms since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                whole, newline, _half = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return ()
        self._offset += len(whole) + len(newline)
        found = (json.loads(line) for line in whole.splitlines())
        return tuple(
            Trouble(event["uuid"], f"on {event['host']}: {event['text']}")
            for event in found
            if event["event"] == "alarm"
        )


class Auditor:
    """The loop: observe, judge, report."""

    def __init__(self, run: RunFolder):
        self.run = run
        self.database = NovaDatabase()
        self.journal = Journal(run.path / "shared" / events.EVENTS_FILE)
        self.disks = DiskWatch()
        self.judgement = Judgement({}, ())
        self.kept: dict[Key, Finding] = {}
        self.nova: NovaView | None = None
        self.nova_asked = 0.0
        self.nova_time = 0.0

    def work(self) -> None:
        """Audit for ever."""
        while True:
            seen = self._observe()
            self.judgement = judge(self.judgement.suspected, seen)
            self._report(seen)
            time.sleep(ROUND_SECONDS)

    def _observe(self) -> Observation:
        now = time.time()
        if now - self.nova_asked >= NOVA_SECONDS:
            self.nova_asked = now
            self.nova = self.database.read()
            self.nova_time = now if self.nova else self.nova_time
        damage = tuple(self.disks.look(self._disk_files()))
        return Observation(now, live_copies(), self.nova, self.journal.new_alarms(), damage)

    def _disk_files(self) -> Iterable[Path]:
        yield from self.run.instances.glob("*/disk")
        yield from self.run.path.glob("nodes/*/disk/var/lib/nova/local-instances/*/disk")

    def _report(self, seen: Observation) -> None:
        before, self.kept = self.kept, remember(self.kept, self.judgement, seen)
        for key in self.kept.keys() - before.keys():
            self._log(self.kept[key])
        servers = len(seen.nova.servers) if seen.nova else 0
        status = AuditStatus(seen.now, servers, len(seen.copies), self.nova_time, tuple(self.kept.values()))
        write_status(self.run.logs, status)

    def _log(self, finding: Finding) -> None:
        print(f"{finding.kind.value}: server {finding.uuid}: {finding.text}", flush=True)
        with (self.run.logs / FINDINGS_FILE).open("a") as file:
            file.write(json.dumps(asdict(finding)) + "\n")


if __name__ == "__main__":
    Auditor(RunFolder(Path(sys.argv[1]))).work()
