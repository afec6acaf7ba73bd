# SPDX-License-Identifier: Apache-2.0
"""Recovery inside of the fencing action, for ``record_only=0``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nova_ha.clock import Clock
from nova_ha.errors import ClusterError, OutOfTime
from nova_ha.model import ClusterView
from nova_ha.openstack.credentials import Settings
from nova_ha.ports import ClusterPort, NovaPort
from nova_ha.runner import CommandFailed, Runner

if TYPE_CHECKING:
    from nova_ha.evacuation.dispatch import Dispatcher
    from nova_ha.evacuation.journal import Journal

_JOURNAL = Path("/var/lib/nova-ha")
#: Seconds between two looks while another evacuator does the work.
_LOOK = 1.0


class OneNode:
    """Pacemaker as an evacuator of one node sees it: there is no other remote node.

    Two nodes may be fenced at the same time, each by an agent on another controller; no two may ever send
    requests for the same host (rule 11 of nova.md).
    """

    def __init__(self, cluster: ClusterPort, node: str) -> None:
        self._cluster = cluster
        self._node = node
        self.change_token = cluster.change_token
        self.write_record = cluster.write_record
        self.mark_evacuated = cluster.mark_evacuated
        self.clear_record = cluster.clear_record
        self.publish_state = cluster.publish_state
        self.remember = cluster.remember
        self.restart_compute = cluster.restart_compute
        self.publish_wedged = cluster.publish_wedged
        self.fence = cluster.fence

    def view(self) -> ClusterView:
        """Return the cluster without the other remote nodes, which are not this agent's to recover."""
        view = self._cluster.view()
        return replace(
            view,
            nodes=tuple(node for node in view.nodes if node.name == self._node or not node.is_remote),
            fencing=tuple(event for event in view.fencing if event.target == self._node),
        )


def run(
    nova: NovaPort,
    cluster: ClusterPort,
    clock: Clock,
    node: str,
    deadline: float,
    settings: Settings,
    journal: Journal | None = None,
    dispatcher: Dispatcher | None = None,
) -> None:
    """Make passes of the evacuator until the recovery of the node is complete.

    Args:
        nova: Nova.
        cluster: Pacemaker.
        clock: time.
        node: the only node whose record counts.
        deadline: when to give up, by the monotonic clock.
        settings: resolved options.
        journal: what only an evacuator knows; the controller's by default.
        dispatcher: sends evacuate requests; threads by default.

    Raises:
        OutOfTime: the deadline has passed; whoever comes next goes on from Nova's and Pacemaker's records.
    """
    from nova_ha.decisions.policy import Policy
    from nova_ha.evacuation.dispatch import ThreadDispatcher
    from nova_ha.evacuation.evacuator import Evacuator
    from nova_ha.evacuation.journal import FileJournal

    evacuator = Evacuator(
        nova=nova,
        cluster=OneNode(cluster, node),
        clock=clock,
        journal=journal or FileJournal(_JOURNAL, clock),
        policy=replace(Policy.from_settings(settings), disable_lost=False, wedged_after=0.0),
        dispatcher=dispatcher or ThreadDispatcher(),
        owner=f"fence_compute@{os.uname().nodename}",
    )
    while True:
        pause = evacuator.cycle()
        if not _is_open(cluster, node):
            return
        _check_time(clock, deadline, node)
        clock.sleep(pause)


def wait_for_evacuator(cluster: ClusterPort, clock: Clock, node: str, deadline: float) -> None:
    """Wait until the evacuator that NovaEvacuate runs has completed the recovery of the node.

    Raises:
        OutOfTime: the deadline has passed.
    """
    while _is_open(cluster, node):
        _check_time(clock, deadline, node)
        clock.sleep(_LOOK)


def has_evacuator(runner: Runner) -> bool:
    """Say whether the cluster has a resource NovaEvacuate, whose evacuator must stay the only one.

    What Pacemaker does not tell counts as yes: to wait is safe.
    """
    try:
        answer = runner.run("cibadmin", "--query", "--scope", "resources")
    except CommandFailed:
        return True
    return answer.returncode != 0 or 'type="NovaEvacuate"' in answer.stdout


def _is_open(cluster: ClusterPort, node: str) -> bool:
    """Say whether the recovery may be open; what Pacemaker does not tell counts as open (rule R3)."""
    try:
        found = cluster.view().node(node)
    except ClusterError:
        return True
    return found is None or found.recovery_is_open


def _check_time(clock: Clock, deadline: float, node: str) -> None:
    """Raise when the deadline has passed."""
    if clock.monotonic() >= deadline:
        raise OutOfTime(f"node '{node}': the recovery is not complete in the time that recover_wait gives")
