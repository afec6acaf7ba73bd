# SPDX-License-Identifier: Apache-2.0
"""When the fence agent lets a node return."""

from __future__ import annotations

import pytest

from nova_ha import record
from nova_ha.errors import (
    ClusterError,
    ClusterUnavailable,
    RecoveryOpen,
)
from tests.unit.fence.invented import FENCED_AT


def test_on_lets_a_node_pass(make, cluster, nova):
    """A node without an open recovery may return at once; nothing is changed and Nova is not asked."""
    before = dict(cluster.nodes)
    make().on("compute-0")
    assert before == cluster.nodes
    assert 0 == nova.asked


def test_on_lets_every_node_pass(make, cluster):
    """A node with an open recovery may join: a constraint and NovaCompute keep nova-compute down there."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    assert "may return" in make().on("compute-0")


def test_on_lets_a_recovered_node_pass(make, cluster):
    """A node whose recovery is complete may return although its record is still there."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT), evacuated=FENCED_AT)
    assert "no recovery" in make(hold_unfencing="1").on("compute-0")


def test_on_waits_for_the_recovery(make, cluster, clock):
    """A recovery that ends within the patience delays the return, and no more."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    clock.at[10] = lambda: cluster.set("compute-0", evacuated=FENCED_AT)
    make(hold_unfencing="1", on_wait="40").on("compute-0")
    assert 10 <= clock.passed < 12


def test_on_fails_while_a_recovery_is_open(make, cluster, clock):
    """A recovery that stays open keeps the node out, with its progress in the message."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT), state="evacuating 12/20")
    with pytest.raises(RecoveryOpen, match=r"recovery of 2025-11-22T12:00:00Z.*\(evacuating 12/20\)"):
        make(hold_unfencing="1").on("compute-0")
    assert 2 <= clock.passed <= 3, "Pacemaker recovers nothing else meanwhile"


@pytest.mark.parametrize(("value", "opens"), [("no", True), ("yes", False), ("compute-0@1763812800", False)])
def test_on_honours_the_old_attribute(make, cluster, value, opens):
    """While the cluster moves over, an open recovery of the old agents keeps the node out too."""
    cluster.set("compute-0", legacy=value)
    if opens:
        make(hold_unfencing="1").on("compute-0")
    else:
        with pytest.raises(RecoveryOpen, match="old agents"):
            make(hold_unfencing="1").on("compute-0")


def test_on_does_not_take_silence_for_yes(make, cluster):
    """A cluster that does not answer keeps the node out."""
    cluster.down = True
    with pytest.raises(ClusterUnavailable):
        make(hold_unfencing="1").on("compute-0")


def test_on_fails_for_an_unknown_node(make):
    """A node that Pacemaker does not know is an error at once."""
    with pytest.raises(ClusterError, match="compute-9"):
        make(hold_unfencing="1").on("compute-9")
