# SPDX-License-Identifier: Apache-2.0
"""The simulated Pacemaker: records, purges, fencing, unfencing."""

from __future__ import annotations

import pytest

from nova_ha.errors import ClusterError, ClusterUnavailable
from nova_ha.testing import SimulatedWorld


class CountingActions:
    """A record device that counts its calls, and fails on request."""

    def __init__(self):
        self.calls = []
        self.failures = 0
        self.world = None

    def off(self, _node):
        """Fail as often as asked for."""
        self.calls.append("off")
        if self.failures:
            self.failures -= 1
            raise ClusterError("no")

    def on(self, node):
        """Note whether the node was connected."""
        self.calls.append("on, online" if self.world.cluster.nodes[node].online else "on, not connected")


@pytest.fixture
def actions():
    """Hand out a record device."""
    return CountingActions()


@pytest.fixture
def world(actions):
    """Hand out a world of two nodes."""
    world = SimulatedWorld(actions)
    actions.world = world
    world.add_host("compute-0")
    world.add_host("compute-1")
    yield world
    world.close()


def test_record_survives_what_purges_the_old_attribute(world):
    """A permanent attribute survives a node's loss and return; the old agents' attribute does not."""
    world.cluster.write_record("compute-0", "2026-01-01T00:00:00Z")
    world.cluster.set_legacy("compute-0", "yes")
    world.machines.switch_off("compute-0", "power cut")
    world.run(6.0)
    node = world.cluster.nodes["compute-0"]
    assert (node.online, node.fenced, node.legacy) == (False, "fenced 2026-01-01T00:00:00Z", None)
    world.run(60.0)
    assert world.cluster.nodes["compute-0"].recovery_is_open


def test_clear_record_compares(world):
    """A record of another fencing is not removed."""
    world.cluster.write_record("compute-0", "2026-01-01T00:00:00Z")
    assert not world.cluster.clear_record("compute-0", "2025-01-01T00:00:00Z")
    assert world.cluster.clear_record("compute-0", "2026-01-01T00:00:00Z")
    assert world.cluster.nodes["compute-0"].fenced is None


def test_token_changes_with_records_only(world):
    """The configuration changes with a record, not with membership."""
    before = world.cluster.change_token()
    world.cluster.set_online("compute-0", online=False)
    assert world.cluster.change_token() == before
    world.cluster.write_record("compute-0", "2026-01-01T00:00:00Z")
    assert world.cluster.change_token() != before


def test_no_quorum_no_writes(world):
    """Without quorum nothing can be written, and the view says why."""
    world.cluster.set_quorum(quorate=False)
    assert not world.cluster.view().quorate
    with pytest.raises(ClusterUnavailable):
        world.cluster.write_record("compute-0", "2026-01-01T00:00:00Z")


def test_no_dc(world):
    """Between two DCs no tool gets an answer."""
    world.cluster.change_dc(10.0)
    with pytest.raises(ClusterUnavailable):
        world.cluster.view()
    world.run(10.0)
    assert world.cluster.view().quorate


def test_lost_write_is_noticed(world):
    """A record that was not kept is an error."""
    world.cluster.trouble.loses_writes = True
    with pytest.raises(ClusterError, match="not kept"):
        world.cluster.write_record("compute-0", "2026-01-01T00:00:00Z")


def test_topology_and_double_unfencing(world, actions):
    """The record device is called once with off, and twice with on: before and after the connection."""
    world.machines.switch_off("compute-0", "power cut")
    world.run(60.0)
    assert actions.calls == ["off", "on, not connected", "on, online"]
    assert [(e.target, e.by) for e in world.cluster.view().fencing] == [("compute-0", "power+record")]


def test_gives_up_after_ten_failures_until_the_recheck(world, actions):
    """Ten failed attempts, then nothing until Pacemaker's next recheck."""
    actions.failures = 10
    world.machines.switch_off("compute-0", "power cut")
    world.run(60.0)
    assert actions.calls == ["off"] * 10
    assert world.log.matching("giving up")
    world.run(120.0)
    assert actions.calls[10] == "off"
    assert world.cluster.nodes["compute-0"].online


def test_watchdog_level_calls_no_record_device(world, actions):
    """A node that its watchdog fenced is in the history and nowhere else."""
    world.fencing.level = "watchdog"
    world.machines.hang("compute-0", "hangs")
    world.run(20.0)
    assert "off" not in actions.calls
    assert [event.by for event in world.cluster.view().fencing] == ["watchdog"]


def test_operators_word(world, actions):
    """An operator's confirmation ends the fencing without any device."""
    world.fencing.bmc_dead.add("compute-0")
    world.machines.switch_off("compute-0", "power cut")
    world.run(10.0)
    world.fencing.confirm("compute-0")
    world.run(300.0)
    assert actions.calls == []
    assert [event.by for event in world.cluster.view().fencing] == ["a human"]


def test_cut_off_node_lives_until_it_is_fenced(world):
    """A node without network keeps its guests until the power is off."""
    server = world.cloud.add_server("web", "compute-0")
    world.machines.hang("compute-0", "cable cut")
    world.run(5.5)
    assert world.cloud.hypervisors.hosts_of(server.id) == ["compute-0"]
    world.run(1.0)
    assert world.cloud.hypervisors.hosts_of(server.id) == []


def test_short_hang_is_not_noticed(world, actions):
    """A hang that is shorter than the detection has no effect."""
    world.machines.hang("compute-0", "hangs")
    world.run(3.0)
    world.machines.recover("compute-0", "goes on")
    world.run(30.0)
    assert (actions.calls, world.cluster.nodes["compute-0"].online) == ([], True)


def test_gate_keeps_nova_compute_from_starting(world):
    """nova-compute starts on a returned node when its recovery is complete, not before."""
    world.machines.switch_off("compute-0", "power cut")
    world.cluster.write_record("compute-0", "2026-01-01T00:00:00Z")
    world.run(120.0)
    assert world.cloud.computes["compute-0"].alive_since is None
    world.cluster.mark_evacuated("compute-0", "2026-01-01T00:00:00Z")
    world.run(10.0)
    assert world.cloud.computes["compute-0"].alive_since is not None


def test_operator_may_break_the_gate(world):
    """Without the gate nova-compute starts as soon as the node is back."""
    world.machines.gate = False
    world.machines.switch_off("compute-0", "power cut")
    world.cluster.write_record("compute-0", "2026-01-01T00:00:00Z")
    world.run(60.0)
    assert world.cloud.computes["compute-0"].alive_since is not None
