# SPDX-License-Identifier: Apache-2.0
"""record_only=0 in a simulated data centre: the action off returns when the servers are recovered."""

from __future__ import annotations

import pytest

from nova_ha.errors import NovaHaError, OutOfTime
from nova_ha.evacuation.journal import MemoryJournal
from nova_ha.fence.fence_inline import run
from nova_ha.testing import SimulatedWorld
from nova_ha.testing.dispatcher import ActorDispatcher
from nova_ha.testing.fence import VirtualFenceActions

NODES = ("compute-0", "compute-1", "compute-2", "compute-3")


class InlineWorld:
    """Four hosts, two of them with servers, and a fence agent that recovers those itself."""

    def __init__(self, **given: str) -> None:
        self.world = SimulatedWorld()
        self.ends: dict[str, tuple[float, Exception | None]] = {}
        for node in NODES:
            self.world.add_host(node)
        for node in NODES[:2]:
            for number in range(4):
                self.world.cloud.add_server(f"web-{node}-{number}", node)
        self.actions = VirtualFenceActions(
            self.world.nova, self.world.cluster, self.world.clock, {"record_only": "0", **given}
        )
        self.actions._recover = self._recover
        self.world.fencing.actions = self

    def _recover(self, node, deadline):
        world = self.world
        dispatcher, journal = ActorDispatcher(world.clock), MemoryJournal(world.clock, {})
        run(
            world.nova,
            world.cluster,
            world.clock,
            node,
            deadline,
            self.actions._settings,
            journal,
            dispatcher,
        )

    def off(self, node):
        """Do what Pacemaker calls; note when and how it ended."""
        error = None
        try:
            return self.actions.off(node)
        except NovaHaError as raised:
            error = raised
            raise
        finally:
            self.ends.setdefault(node, (self.world.clock.monotonic(), error))

    def on(self, node):
        """Do what Pacemaker calls before a node may run anything."""
        return self.actions.on(node)

    def lose(self, *nodes):
        """Cut the power of nodes for good; Pacemaker fences them."""
        self.world.fencing.reboots = False
        for node in nodes:
            self.world.machines.switch_off(node, "power cut")

    def servers_of(self, node):
        """Return the hosts on which the servers of a node are now."""
        return {self.world.cloud.by_name(f"web-{node}-{number}").host for number in range(4)}


@pytest.fixture
def make():
    """Make worlds, and end what is under way in them."""
    worlds = []

    def make_world(**given):
        worlds.append(InlineWorld(**given))
        return worlds[-1]

    yield make_world
    for inline in worlds:
        inline.world.close()


def test_off_returns_when_all_is_recovered(make):
    """When off returns the servers are on other hosts, and the recovery is marked as complete."""
    inline = make()
    inline.lose("compute-0")
    inline.world.run(300)
    assert inline.ends["compute-0"][1] is None
    assert "compute-0" not in inline.servers_of("compute-0")
    assert not inline.world.cluster.view().node("compute-0").recovery_is_open
    assert [] == inline.world.violations


def test_two_nodes_at_once(make):
    """Two agents that recover two nodes at the same time do not touch each other's servers."""
    inline = make()
    inline.lose("compute-0", "compute-1")
    inline.world.run(600)
    assert [None, None] == [inline.ends[node][1] for node in NODES[:2]]
    for node in NODES[:2]:
        assert inline.servers_of(node) <= set(NODES[2:])
    assert [] == inline.world.violations


def test_off_gives_up_in_time(make):
    """A recovery that takes longer than the limit fails, and stays open for whoever comes next."""
    inline = make(recover_wait="20")
    for node in NODES[1:]:
        inline.world.cloud.computes[node].disabled = True
    inline.lose("compute-0")
    inline.world.run(60)
    end, error = inline.ends["compute-0"]
    assert isinstance(error, OutOfTime)
    assert 20 <= end <= 35
    assert inline.world.cluster.view().node("compute-0").recovery_is_open
