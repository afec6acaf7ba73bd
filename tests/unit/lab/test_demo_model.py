# SPDX-License-Identifier: Apache-2.0
"""When the demo counts a recovery as done, and what it says when it is not."""

from __future__ import annotations

from dataclasses import replace

from tests.lab.demo.model import Goal, Look, NodeSeen, ServerSeen, ServiceSeen
from tests.lab.demo.scene import Scene
from tests.lab.demo.timeline import Timeline

BEFORE = (
    ServerSeen("id-1", "demo-1", "compute-0", "ACTIVE"),
    ServerSeen("id-2", "demo-2", "compute-0", "SHUTOFF"),
)
AFTER = (replace(BEFORE[0], host="compute-1"), replace(BEFORE[1], host="compute-2"))
GOAL = Goal(("compute-0",), BEFORE)
BACK = (ServiceSeen("service-0", "compute-0", is_up=True, is_enabled=True, is_forced_down=False),)
ONLINE = (NodeSeen("compute-0", "online"),)


def test_all_well():
    """Nothing is missing: servers elsewhere as they were, host enabled, node online without a record."""
    assert GOAL.missing(Look(AFTER, BACK, ONLINE)) == []


def test_server_on_a_victim_is_missing():
    """A server that Nova still names on the dead host is said by name."""
    servers = (BEFORE[0], AFTER[1])
    assert GOAL.misplaced(servers) == ["demo-1: still on compute-0 (ACTIVE)"]


def test_server_that_nova_does_not_list_is_missing():
    """A server that disappeared is lost, not done."""
    assert GOAL.misplaced(AFTER[:1]) == ["demo-2: Nova does not list it any more"]


def test_nova_that_does_not_answer_is_not_done():
    """An unanswered question is unknown: neither servers nor host count as well."""
    assert len(GOAL.missing(Look())) == 3


def test_server_that_is_not_as_it_was_is_missing():
    """A SHUTOFF server that runs, and one that is still rebuilding, are not done."""
    running = (AFTER[0], replace(AFTER[1], status="ACTIVE"))
    rebuilding = (replace(AFTER[0], task="rebuilding"), AFTER[1])
    assert GOAL.misplaced(running) == ["demo-2: was SHUTOFF, is ACTIVE on compute-2"]
    assert GOAL.misplaced(rebuilding) == ["demo-1: was ACTIVE, is ACTIVE rebuilding on compute-1"]


def test_host_that_is_not_back_is_missing():
    """A forced-down service, an offline node and a record that is still there are each named."""
    forced = (replace(BACK[0], is_forced_down=True),)
    recorded = (NodeSeen("compute-0", "online", {"nova-ha-fenced": "fenced 2026-11-22T06:40:12Z"}),)
    offline = (NodeSeen("compute-0", "OFFLINE"),)
    assert GOAL.not_back(Look(AFTER, forced, ONLINE)) == [
        "compute-0: Nova says up, enabled, forced down, not up, enabled"
    ]
    assert "not removed" in GOAL.not_back(Look(AFTER, BACK, recorded))[0]
    assert GOAL.not_back(Look(AFTER, BACK, offline)) == ["compute-0: Pacemaker says OFFLINE, not online"]


def test_scene_tells_what_changed_and_nothing_else():
    """Moves, states of nodes and services and our own attributes are news; a look that failed is not."""
    scene = Scene("power cut", GOAL, Timeline(0.0, GOAL.victims), Look(BEFORE, BACK, ONLINE))
    assert scene.see(Look()) == []
    assert scene.see(Look(BEFORE, BACK, ONLINE)) == []
    down = (replace(BACK[0], is_up=False, is_forced_down=True),)
    state = (NodeSeen("compute-0", "OFFLINE", {"nova-ha-state": "evacuating 1/2", "other": "x"}),)
    assert scene.see(Look((AFTER[0], BEFORE[1]), down, state)) == [
        "Nova: compute-0 -> compute-1, ACTIVE: demo-1",
        "Pacemaker: compute-0: online -> OFFLINE",
        "Pacemaker: compute-0: nova-ha-state = evacuating 1/2",
        "Nova: nova-compute of compute-0: down, enabled, forced down",
    ]


def test_servers_to_which_the_same_happens_share_a_line():
    """A line names every server that changed in the same way at the same time."""
    before = tuple(replace(BEFORE[0], id=f"id-{number}", name=f"vm-{number}") for number in range(3))
    scene = Scene("power cut", GOAL, Timeline(0.0, GOAL.victims), Look(before))
    rebuilding = tuple(replace(server, status="REBUILD", task="rebuilding") for server in before[:2])
    lines = scene.see(Look((*rebuilding, before[2])))
    assert lines == ["Nova: on compute-0, REBUILD (rebuilding): vm-0, vm-1"]


def test_progress_counts_verified_servers_of_the_node():
    """k/n is about what the evacuator has verified, not about what Nova shows."""
    scene = Scene("power cut", GOAL, Timeline(0.0, GOAL.victims), Look(AFTER))
    scene.verified.add("id-1")
    assert scene.progress("compute-0") == "1/2"
