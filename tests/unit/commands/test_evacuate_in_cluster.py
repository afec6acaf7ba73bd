# SPDX-License-Identifier: Apache-2.0
"""nova-ha evacuate of a host that is a node of a Pacemaker cluster."""

from __future__ import annotations

import pytest

from nova_ha.commands.evacuate import RECOVERED, evacuate
from nova_ha.commands.workplace import Workplace
from nova_ha.errors import NovaHaError
from tests.unit.commands.test_evacuate import WORD, call, refusal

RIVAL = "evacuating by nova-ha@controller-9"


def test_online_node_is_refused(commands):
    """A node that is online is fenced by Pacemaker, not declared dead by a person."""
    commands.with_pacemaker(evacuator=False)
    assert "is online in Pacemaker; if it is broken, have it fenced" in refusal(commands)


def test_cluster_without_evacuator(commands):
    """In a cluster without NovaEvacuate the command recovers the node itself; the record is in the CIB."""
    commands.with_pacemaker(evacuator=False).die("compute-0")
    assert RECOVERED == call(commands)
    entry = commands.world.cluster.nodes["compute-0"]
    assert entry.fenced
    assert not entry.recovery_is_open
    assert "compute-0" not in commands.hosts_of(0)
    assert [] == list((commands.folder).glob("hosts/*"))


def test_fencing_is_proof_enough(commands):
    """A node that Pacemaker has fenced needs nobody's word."""
    commands.with_pacemaker(evacuator=False).die("compute-0")
    commands.world.fencing.confirm("compute-0")
    assert RECOVERED == call(commands, word="")
    assert "(Pacemaker's fencing history)" in commands.text


def test_foreign_owner_in_a_cluster(commands):
    """A recovery that a fencing action has begun is left to it."""
    commands.with_pacemaker(evacuator=False).die("compute-0")
    cluster = commands.world.cluster
    cluster.write_record("compute-0", "2026-01-01T00:01:30Z")
    cluster.publish_state("compute-0", "evacuating 1/2 by fence_compute@controller-1")
    assert "fence_compute@controller-1 has begun its recovery" in refusal(commands)
    assert RECOVERED == call(commands, take_over=True)


@pytest.mark.parametrize("later", [1.0, 2.0])
def test_two_admins_begin_at_once(commands, later):
    """Of two who name themselves on a node's entry only the later one goes on; the other sends no request."""
    commands.with_pacemaker(evacuator=False).die("compute-0")
    cluster, clock = commands.world.cluster, commands.world.clock
    cluster.write_record("compute-0", "2026-01-01T00:01:30Z")
    seen = []

    def follow():
        if not seen:
            seen.append(cluster.nodes["compute-0"].state)
            clock.after(later, lambda: clock.spawn(lambda: cluster.publish_state("compute-0", RIVAL)))

    cluster.watchers.append(follow)
    assert "nova-ha@controller-9 has just begun its recovery" in refusal(commands)
    assert seen[0].startswith("evacuating by nova-ha@")


def test_named_since_the_decision(commands):
    """Who is named by another between the decision and the first step does not go on."""
    commands.with_pacemaker(evacuator=False).die("compute-0")
    cluster = commands.world.cluster
    cluster.write_record("compute-0", "2026-01-01T00:01:30Z")
    work = Workplace(commands.here(), "compute-0")
    cluster.publish_state("compute-0", RIVAL)
    with pytest.raises(NovaHaError, match="controller-9 has just begun its recovery"):
        work.claim(take_over=False)
    assert RIVAL == cluster.nodes["compute-0"].state


def test_begun_by_another_while_listening(commands):
    """What somebody begins while this one listens for heartbeats is not begun once more."""
    commands.with_pacemaker(evacuator=False).die("compute-0", seconds=20.0)
    cluster, clock = commands.world.cluster, commands.world.clock

    def begin():
        cluster.write_record("compute-0", "2026-01-01T00:00:30Z")
        cluster.publish_state("compute-0", RIVAL)

    clock.after(5.0, lambda: clock.spawn(begin))
    assert "nova-ha@controller-9 has begun its recovery" in refusal(commands)
    assert "2026-01-01T00:00:30Z" == cluster.nodes["compute-0"].fenced_at


def test_cluster_with_evacuator(commands):
    """With NovaEvacuate the command writes the record and watches; it sends no request itself."""
    commands.with_pacemaker(evacuator=True).die("compute-0")
    here = commands.here()
    cluster = commands.world.cluster

    def finish():
        cluster.publish_state("compute-0", "evacuating 1/2 by controller-1")
        commands.world.clock.after(
            5.0, lambda: cluster.mark_evacuated("compute-0", cluster.nodes["compute-0"].fenced_at)
        )

    commands.world.clock.after(20.0, lambda: commands.world.clock.spawn(finish))
    assert RECOVERED == evacuate(here, "compute-0", WORD, take_over=False)
    assert 0 == commands.nova.api.posts
    assert cluster.nodes["compute-0"].fenced
    assert here.pacemaker.confirmations["compute-0"].endswith(f": {WORD}")
    assert "the cluster's evacuator recovers it" in commands.text


def test_no_quorum(commands):
    """Without quorum nothing is begun."""
    commands.with_pacemaker(evacuator=False).die("compute-0")
    commands.world.cluster.set_quorum(quorate=False)
    assert "no quorum" in refusal(commands)


def test_silent_cluster(commands):
    """On a member of a cluster that does not answer the ledger is no way out."""
    commands.die("compute-0")
    with pytest.raises(NovaHaError, match="whose evacuator may be at work"):
        evacuate(commands.here(cluster_problem="cibadmin failed"), "compute-0", WORD, take_over=False)
