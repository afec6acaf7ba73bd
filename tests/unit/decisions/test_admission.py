# SPDX-License-Identifier: Apache-2.0
"""How many servers are asked for at once, and which first (rules 23 and 24 of nova.md)."""

from __future__ import annotations

from nova_ha.decisions.admission import NOWHERE, admit
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.plan import Evacuate, Fate, HostPlan, Verdict
from nova_ha.decisions.policy import Policy
from nova_ha.model import ServerGroup
from tests.unit.decisions.builders import a_host, a_server, a_service, a_view

HEALTHY = a_service(id="svc1", host="compute-1", state="up", forced_down=False, status="enabled")


def ready(server_id, **metadata):
    """Return a server that may be asked for."""
    server = a_server(id=server_id, metadata=tuple(metadata.items()))
    return Verdict(a_view(id=server_id, server=server), Fate.READY, steps=(Evacuate(server, None, ()),))


def admitted(*verdicts, services=(HEALTHY,), groups=None, host=None, **policy):
    """Return the servers that are asked for now."""
    plan = HostPlan(host or a_host(), HostState.EVACUATING, verdicts=verdicts)
    (plan,) = admit([plan], services, groups or {}, Policy(**policy))
    return [verdict.view.id for verdict in plan.verdicts if verdict.steps]


def test_limit_counts_what_is_under_way():
    """Evacuations that run already take from the room."""
    running = Verdict(a_view(id="s0"), Fate.EVACUATING)
    assert ["s1"] == admitted(running, ready("s1"), ready("s2"), max_in_flight=2)


def test_limit_per_destination():
    """Each healthy host takes only so many."""
    assert ["s1"] == admitted(ready("s1"), ready("s2"), per_destination=1)


def test_nowhere_to_go():
    """Without a healthy host nothing is asked for, so that no server is driven into ERROR."""
    assert [] == admitted(ready("s1"), services=(a_service(),))
    (plan,) = admit([HostPlan(a_host(), HostState.EVACUATING, verdicts=(ready("s1"),))], (), {}, Policy())
    assert plan.reason == NOWHERE
    assert NOWHERE in plan.troubles[0]


def test_highest_priority_first():
    """The metadata key that the policy names orders the servers; nonsense counts as 0."""
    servers = (ready("low", prio="-1"), ready("odd", prio="high"), ready("top", prio="9"))
    assert ["odd", "top"] == admitted(*servers, priority_key="prio", max_in_flight=2)


def test_one_of_an_anti_affinity_group():
    """Members of a hard anti-affinity group go one at a time, whatever host they come from."""
    group = ServerGroup("g", "anti-affinity", frozenset({"s1", "s2", "s3"}))
    groups = dict.fromkeys(("s1", "s2", "s3"), group)
    assert ["s1", "x"] == admitted(ready("s1"), ready("s2"), ready("x"), groups=groups)
    assert ["x"] == admitted(Verdict(a_view(id="s3"), Fate.SETTLING), ready("s1"), ready("x"), groups=groups)


def test_waiting_for_a_member_that_is_stuck():
    """Whoever waits for a member of its group that does not get on is named like it."""
    group = ServerGroup("g1", "anti-affinity", frozenset({"s0", "s1"}))
    running = Verdict(a_view(id="s0"), Fate.EVACUATING, is_stuck=True)
    plan = HostPlan(a_host(), HostState.EVACUATING, verdicts=(running, ready("s1")))
    (plan,) = admit([plan], (HEALTHY,), {"s0": group, "s1": group}, Policy())
    assert [True, True] == [verdict.is_stuck for verdict in plan.verdicts]


def test_nothing_on_an_older_list():
    """On a list of an earlier look no request is sent, but the host is named to be looked at again."""
    assert [] == admitted(ready("s1"), host=a_host(is_fresh=False))


def test_nothing_before_the_claim():
    """Before the node's entry names this evacuator no request is sent."""
    assert [] == admitted(ready("s1"), host=a_host(is_claimed=False))


def test_evacuation_without_progress_keeps_no_place():
    """Evacuations that Nova never ends do not keep all others waiting, but count in their group."""
    running = Verdict(a_view(id="s0"), Fate.EVACUATING, is_stuck=True, is_overdue=True)
    assert ["s1"] == admitted(running, ready("s1"), ready("s2"), max_in_flight=1)
    group = ServerGroup("g", "anti-affinity", frozenset({"s0", "s1"}))
    assert [] == admitted(running, ready("s1"), groups=dict.fromkeys(("s0", "s1"), group))
