# SPDX-License-Identifier: Apache-2.0
"""Recovery inside of the action off, in one node's view or by the evacuator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nova_ha import record
from nova_ha.errors import (
    OutOfTime,
)
from nova_ha.fence.fence_inline import OneNode, has_evacuator, wait_for_evacuator
from nova_ha.model import FencingEvent
from nova_ha.runner import Result
from tests.unit.fence.invented import FENCED_AT, NOON


def test_one_node_hides_the_others(cluster):
    """An inline evacuator sees no other node that it could recover, so that no two work on one host."""
    for node in cluster.nodes:
        cluster.set(node, fenced=record.record_value(FENCED_AT))
    cluster.change_token = cluster.mark_evacuated = cluster.clear_record = cluster.publish_state = None
    cluster.restart_compute = cluster.remember = cluster.publish_wedged = cluster.fence = None
    events = tuple(FencingEvent(node, "off", NOON) for node in cluster.nodes)
    whole = cluster.view()
    cluster.view = lambda: replace(whole, fencing=events)
    seen = OneNode(cluster, "compute-1").view()
    assert {"compute-1": FENCED_AT} == {node.name: node.fenced_at for node in seen.nodes if node.is_remote}
    assert ["compute-1"] == [event.target for event in seen.fencing]


def test_waiting_for_the_evacuator(cluster, clock):
    """With a NovaEvacuate in the cluster the agent waits for it, also while the cluster does not answer."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    cluster.down = True
    clock.at[5] = lambda: setattr(cluster, "down", False)
    clock.at[20] = lambda: cluster.set("compute-0", evacuated=FENCED_AT)
    wait_for_evacuator(cluster, clock, "compute-0", float("inf"))
    assert 20 <= clock.passed < 22


def test_waiting_for_the_evacuator_ends(cluster, clock):
    """The wait ends with the limit that the admin has set."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    with pytest.raises(OutOfTime, match="recover_wait"):
        wait_for_evacuator(cluster, clock, "compute-0", 30.0)
    assert 30 <= clock.passed < 32


@pytest.mark.parametrize(
    ("status", "output", "found"),
    [(0, '<primitive type="NovaEvacuate"/>', True), (0, "<resources/>", False), (102, "", True)],
)
def test_evacuator_in_the_cluster(status, output, found):
    """A NovaEvacuate is seen in the configuration; what Pacemaker does not tell counts as yes."""

    class Runner:
        def run(self, *command, timeout=30.0):  # noqa: ARG002 - the runner's signature
            return Result(command, status, output, "")

    assert found is has_evacuator(Runner())
