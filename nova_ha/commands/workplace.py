# SPDX-License-Identifier: Apache-2.0
"""Where a command recovers a host: in a cluster, or with the ledger of this machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from nova_ha import record
from nova_ha.commands import targets
from nova_ha.commands.configuration import EVACUATE_AGENT
from nova_ha.commands.recovery_loop import RecoveryLoop, Teller
from nova_ha.commands.surroundings import Surroundings
from nova_ha.commands.targets import Target
from nova_ha.decisions.policy import Policy
from nova_ha.errors import NovaHaError
from nova_ha.evacuation.journal import FileJournal, check_writable
from nova_ha.fence.fence_inline import OneNode
from nova_ha.model import ClusterNode, ClusterView
from nova_ha.pacemaker.standalone_cluster import StandaloneCluster, Statement
from nova_ha.ports import ClusterPort

#: Longer than Pacemaker takes for a name that is about to be written, seconds.
_BOTH_HAVE_WRITTEN = 3.0


class Workplace:
    """Everything that belongs to the recovery of one host.

    Attributes:
        here: the surroundings.
        target: the host.
        entry: the host's entry as it was at first; None when there is none.
        is_pacemaker: whether the host is a node of a cluster.
        has_evacuator: whether the cluster's own evacuator must stay the only one.
        is_quorate: whether this partition of the cluster has quorum.
    """

    def __init__(self, here: Surroundings, host: str) -> None:
        self.here = here
        if here.cluster_problem:
            raise NovaHaError(
                f"{here.cluster_problem}; this machine belongs to a cluster, whose evacuator may be at work: "
                "start Pacemaker first"
            )
        self.ledger = StandaloneCluster(here.storage / "hosts")
        view = here.pacemaker.view() if here.configuration else ClusterView(quorate=True, nodes=())
        domain = str(here.settings.get("domain") or "")
        self.target: Target = targets.find(host, here.nova.services(), view.nodes, domain)
        self.is_pacemaker = self.target.node is not None
        self.is_quorate = view.quorate
        configuration = here.configuration[1] if here.configuration else None
        self.has_evacuator = self.is_pacemaker and bool(
            configuration and configuration.running(EVACUATE_AGENT)
        )
        self.entry = self.current()

    @property
    def name(self) -> str:
        """Return the name under which the host's record is kept."""
        return self.target.node.name if self.target.node is not None else self.target.host

    @property
    def owner(self) -> str:
        """Return the name of this machine's evacuator on an entry."""
        return f"nova-ha@{os.uname().nodename}"

    @property
    def cluster(self) -> ClusterPort:
        """Return what an evacuator of this command may see.

        In a cluster that is one node: others may be recovered inside of their fencing actions. The ledger is
        this machine's alone.
        """
        return OneNode(self.here.pacemaker, self.name) if self.is_pacemaker else self.ledger

    def current(self) -> ClusterNode | None:
        """Return the host's entry as it is now."""
        entries = self.here.pacemaker.view().nodes if self.is_pacemaker else self.ledger.entries()
        return next((entry for entry in entries if entry.name == self.name), None)

    def is_open(self) -> bool:
        """Say whether the recovery is not complete."""
        entry = self.current()
        return entry is not None and entry.recovery_is_open

    def begin(self, fenced_at: str, proof: str, *, is_foreign: bool) -> None:
        """Write the record, and who said what, where the next one finds it."""
        check_writable(self.here.storage)
        statement = Statement(self.target.host, proof, self.here.account, fenced_at)
        journal = FileJournal(self.here.storage, self.here.clock)
        journal.append(self.name, fenced_at, "confirmed", by=statement.by, how=statement.text)
        journal.sync(self.name, fenced_at)
        if self.is_pacemaker:
            self.here.pacemaker.note_confirmation(self.name, f"{fenced_at} {statement.by}: {statement.text}")
            self.here.pacemaker.write_record(self.name, fenced_at)
            return
        self.ledger.state_that_host_is_off(statement)
        if is_foreign:
            # Its name on the entry makes the evacuator wait for what that one may have sent.
            self.ledger.publish_state(self.name, record.state_text("evacuating", owner="another machine"))

    def claim(self, *, take_over: bool) -> None:
        """Name this evacuator on a node's entry before its first look, unless somebody else is named there.

        Raises:
            NovaHaError: somebody else is, and is not to be replaced.
        """
        entry = self.current()
        if not self.is_pacemaker or entry is None or not entry.recovery_is_open:
            return
        owner = record.owner_of(entry.state)
        if owner is None:
            owner = self._name_itself(entry.fenced_at or "")
        elif take_over:
            return
        if owner != self.owner:
            raise NovaHaError(
                f"{self.target.host}: {owner or 'somebody else'} has just begun its recovery, and goes on "
                "with it; see: nova-ha status"
            )

    def _name_itself(self, fenced_at: str) -> str | None:
        """Write the name as the evacuator's first step would; return who is named after a pause.

        Two admins who begin in the same moment, on two machines, both find nobody named. Pacemaker keeps the
        later of their names, and after the pause both have been written: one of them reads his own.
        """
        check_writable(self.here.storage)
        journal = FileJournal(self.here.storage, self.here.clock)
        journal.append(self.name, fenced_at, "begun", owner=self.owner)
        journal.sync(self.name, fenced_at)
        self.here.pacemaker.publish_state(self.name, record.state_text("evacuating", owner=self.owner))
        self.here.clock.sleep(_BOTH_HAVE_WRITTEN)
        entry = self.current()
        return record.owner_of(entry.state) if entry is not None else None

    def loop(self, teller: Teller) -> RecoveryLoop:
        """Return an evacuator's loop."""
        from nova_ha.evacuation.evacuator import Evacuator

        check_writable(self.here.storage)
        dispatcher = self.here.make_dispatcher()
        evacuator = Evacuator(
            nova=self.here.nova,
            cluster=self.cluster,
            clock=self.here.clock,
            journal=FileJournal(self.here.storage, self.here.clock),
            policy=Policy.from_settings(self.here.settings),
            dispatcher=dispatcher,
            owner=self.owner,
            status=teller,
        )
        return RecoveryLoop(evacuator, dispatcher, teller, self.here.clock)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold a lock of this machine as long as an evacuator works; yield whether it could be had.

        One evacuator recovers all hosts of the ledger; in a cluster there is one for each node.
        """
        with self._lock() as is_free:
            yield is_free

    def is_free(self) -> bool:
        """Say whether nobody holds that lock."""
        with self._lock() as is_free:
            return is_free

    @contextmanager
    def _lock(self) -> Iterator[bool]:
        self.here.storage.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.here.storage / (f"lock-{self.name}" if self.is_pacemaker else "lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield _is_locked(descriptor)
        finally:
            os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Lock an open file; return False when somebody else has locked it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
