# SPDX-License-Identifier: Apache-2.0
"""Decisions about one host: told, evacuated, held, closed, and back in service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nova_ha import record
from nova_ha.clock import format_time, parse_time
from nova_ha.decisions.decide import decide
from nova_ha.decisions.decide_host import (
    CONFIRMED_FOR,
    LOST_LATER,
    PROOF_AFTER,
    Circumstances,
    decide_recovery,
)
from nova_ha.decisions.decide_proof import decide_unrecorded
from nova_ha.decisions.decide_return import decide_return
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import Heartbeat, Observation, ServerView
from nova_ha.decisions.plan import (
    Claim,
    ClearForcedDown,
    ClearRecord,
    Enable,
    Evacuate,
    Fate,
    KeepDisabled,
    MarkEvacuated,
    RememberProof,
    TellDown,
    WriteRecord,
)
from nova_ha.decisions.policy import Policy
from nova_ha.model import ClusterView
from tests.unit.decisions.builders import (
    FENCED_AT,
    NOW,
    a_host,
    a_node,
    a_record,
    a_server,
    a_service,
    a_view,
)

HEALTHY = a_service(id="svc1", host="compute-1", state="up", forced_down=False, status="enabled")
ALIVE = Heartbeat(advances=2, last_advance=NOW - 1)


def recover(view, **different):
    """Return the plan for a host with an open recovery."""
    return decide_recovery(
        view, Circumstances(**{"now": NOW, "policy": Policy(), "destinations": (HEALTHY,), **different})
    )


def kinds(plan):
    """Return the kinds of a plan's steps, servers' included."""
    return [type(step) for step in (*plan.steps, *(s for v in plan.verdicts for s in v.steps))]


def test_nova_is_told_first():
    """A host that Nova does not know to be down is forced down and disabled with our marker."""
    plan = recover(a_host(service=a_service(forced_down=False, status="enabled", state="up")))
    assert plan.state is HostState.FENCED
    assert plan.steps[0].reason == f"nova-ha: fenced {FENCED_AT}"


def test_operator_keeps_a_disabled_service():
    """A service that an operator disabled keeps the operator's reason (rule R5)."""
    service = a_service(forced_down=False, disabled_reason="maintenance by Kim")
    (step,) = recover(a_host(service=service)).steps
    assert step == TellDown(service, None)


@pytest.mark.parametrize("service", [None, a_service(status="UNKNOWN", state=None)])
def test_unknown_service_is_held(service):
    """A host whose cell is down, or that Nova does not show, is held with the reason (rule R3)."""
    assert recover(a_host(service=service)).state is HostState.HELD


def test_no_list_is_not_an_empty_list():
    """Without a list of its servers a recovery is not closed."""
    plan = recover(replace(a_host(), servers=None))
    assert (plan.state, plan.steps) == (HostState.DOWN, ())


def test_claim_comes_before_the_first_request():
    """No request is sent before the node's entry names this evacuator."""
    plan = recover(a_host(a_view(), is_claimed=False))
    assert plan.steps == (Claim("compute-0"),)


@pytest.mark.parametrize(
    ("final_since", "closed"), [(None, False), (NOW - CONFIRMED_FOR + 1, False), (NOW - CONFIRMED_FOR, True)]
)
def test_closing_is_confirmed(final_since, closed):
    """A recovery is closed when all looks for some time found every server at its end."""
    done = a_view(a_record("done", destination="compute-1"), server=None, is_here=False)
    plan = recover(a_host(done, final_since=final_since))
    assert (MarkEvacuated in kinds(plan)) is closed


def test_empty_list_takes_longer():
    """A list without any server is believed only after a longer time."""
    assert MarkEvacuated not in kinds(recover(a_host(final_since=NOW - CONFIRMED_FOR)))


def test_living_nova_compute_holds():
    """Heartbeats after the fencing outweigh the record: nothing is asked for."""
    plan = recover(a_host(a_view(), heartbeat=ALIVE))
    assert (plan.state, Evacuate in kinds(plan)) == (HostState.HELD, False)


@pytest.mark.parametrize(
    ("fenced", "state"),
    [((), HostState.HELD), ((NOW - 9,), HostState.EVACUATING), ((NOW - 3600,), HostState.HELD)],
)
def test_online_node_needs_a_remembered_fencing(fenced, state):
    """A node that is connected was fenced and came back, or was never off: Pacemaker must remember which."""
    view = a_host(a_view(), node=a_node(online=True))
    assert recover(view, fencings={"compute-0": fenced}).state is state


@pytest.mark.parametrize(
    ("age", "facts", "is_remembered", "expected"),
    [
        (PROOF_AFTER, "", True, [RememberProof]),
        (PROOF_AFTER - 1, "", True, []),
        (PROOF_AFTER, "", False, []),
        (PROOF_AFTER, record.PROVEN, True, []),
    ],
)
def test_proof_is_written_down_while_pacemaker_remembers_it(age, facts, is_remembered, expected):
    """What Pacemaker may forget is kept on the node's entry, once, if the recovery takes a while."""
    fenced_at = format_time(NOW - age)
    node = a_node(fenced=f"fenced {fenced_at}", servers=f"{fenced_at} {facts}")
    fencings = {"compute-0": (NOW - age,)} if is_remembered else {}
    steps = recover(a_host(a_view(a_record()), node=node), fencings=fencings).steps
    assert expected == [type(step) for step in steps]


@pytest.mark.parametrize(
    ("servers", "state"),
    [
        (f"{FENCED_AT} {record.PROVEN}", HostState.EVACUATING),
        (f"2001-01-01T00:00:00Z {record.PROVEN}", HostState.HELD),
        (f"{FENCED_AT} left:s2", HostState.HELD),
    ],
)
def test_online_node_whose_fencing_was_seen(servers, state):
    """A node may be back although Pacemaker has forgotten why: not by what was seen of another fencing."""
    node = a_node(online=True, servers=servers)
    assert state is recover(a_host(a_view(), node=node)).state


@pytest.mark.parametrize(
    ("after", "different", "state"),
    [
        (-6, {}, HostState.EVACUATING),
        (LOST_LATER + 1, {}, HostState.HELD),
        (LOST_LATER + 1, {"fenced_since": NOW - 1}, HostState.EVACUATING),
        (LOST_LATER + 1, {"servers": f"{FENCED_AT} {record.PROVEN}"}, HostState.EVACUATING),
    ],
)
def test_node_that_was_lost_after_its_record(after, different, state):
    """A node that was connected after its record must be fenced again, unless that fencing was seen."""
    node = a_node(lost=True, lost_since=parse_time(FENCED_AT) + after, **different)
    assert state is recover(a_host(a_view(), node=node)).state


def test_threshold_holds_all():
    """With more failed hosts than the threshold nothing is begun."""
    hosts = tuple(
        a_host(a_view(id=f"s{n}"), node=a_node(name=f"compute-{n}"), host=f"compute-{n}") for n in (0, 1)
    )
    cluster = ClusterView(True, tuple(host.node for host in hosts))
    plan = decide(Observation(NOW, cluster, hosts, (), {}), Policy(threshold=1))
    assert [host.state for host in plan.hosts] == [HostState.HELD, HostState.HELD]


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ({"fenced_since": NOW - 100}, Fate.READY),
        ({"fenced_since": NOW - 100, "evacuated": FENCED_AT}, Fate.READY),
        ({"evacuated": FENCED_AT}, Fate.EVACUATING),
        ({"evacuated": FENCED_AT, "online": True}, Fate.EVACUATING),
        ({"online": True}, Fate.EVACUATING),
        ({"online": True, "servers": f"{FENCED_AT} {record.PROVEN}"}, Fate.READY),
    ],
)
def test_returning_host_is_not_dead(destination, expected):
    """A destination whose nova-compute may have run since its fencing may have taken what waited for it.

    One that is online with a record that nobody can explain may never have been off.
    """
    failed = a_host(a_view(a_record("pre-migrating", destination="compute-1")))
    other = a_host(
        host="compute-1",
        node=a_node(name="compute-1", **destination),
        service=a_service(id="svc1", host="compute-1"),
    )
    healthy = a_service(id="svc2", host="compute-2", status="enabled", state="up", forced_down=False)
    cluster = ClusterView(True, (failed.node, other.node))
    services = (failed.service, other.service, healthy)
    plan = decide(Observation(NOW, cluster, (failed, other), services, {}), Policy())
    assert [expected] == [verdict.fate for verdict in plan.hosts[0].verdicts]


def test_no_quorum_holds():
    """Without quorum nothing is done."""
    plan = decide(Observation(NOW, ClusterView(False, (a_node(),)), (a_host(a_view()),), ()), Policy())
    assert plan.hosts[0].state is HostState.HELD


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"updated_at": format_time(NOW - 20)}, Fate.WAITING),
        ({"updated_at": format_time(NOW - 3600)}, Fate.IMMOVABLE),
        ({"updated_at": None}, Fate.IMMOVABLE),
        ({"updated_at": format_time(NOW - 20), "forced_down": True}, Fate.IMMOVABLE),
        ({"updated_at": format_time(NOW - 20), "status": "disabled"}, Fate.IMMOVABLE),
    ],
)
def test_all_hosts_silent_at_once(other, expected):
    """While RabbitMQ or the database is away no host reports; servers wait for the hosts, and move then."""
    plain = {"id": "svc1", "host": "compute-1", "status": "enabled", "state": "down", "forced_down": False}
    host = a_host(a_view(), node=a_node(online=True, fenced_since=NOW))
    silent = a_service(**{**plain, **other})
    fencings = {"compute-0": (NOW,)}
    cluster = ClusterView(True, (host.node,))
    observation = Observation(NOW, cluster, (host,), (host.service, silent), {}, fencings=fencings)
    assert [expected] == [verdict.fate for verdict in decide(observation, Policy()).hosts[0].verdicts]


# --- proofs without a record ---


def unrecorded(**node):
    """Return what is done about a node that has no record."""
    return decide_unrecorded(
        a_host(
            node=a_node(**{"fenced": None, **node}),
            service=a_service(status="enabled", state="down", forced_down=False, disabled_reason=None),
        )
    )


def test_fencing_without_record_is_recorded():
    """A fencing by a level without a record device is recorded by the evacuator."""
    (step,) = unrecorded(fenced_since=NOW - 20).steps
    assert isinstance(step, WriteRecord)


def test_lost_node_is_not_recorded():
    """A node that is only lost is not recorded: its servers may run."""
    assert unrecorded() is None


def test_same_fencing_is_not_recorded_twice():
    """The end of the very fencing that the record is about is no new one."""
    node = a_node(evacuated=FENCED_AT, fenced_since=NOW)
    assert decide_unrecorded(a_host(node=node)) is None


def test_later_fencing_is_recorded():
    """A fencing long after a recovery that is complete begins another."""
    node = a_node(evacuated=FENCED_AT, fenced_since=NOW + 3600)
    assert decide_unrecorded(a_host(node=node)).steps[0].fenced_at != FENCED_AT


def test_marker_restores_the_record():
    """When the cluster lost the record, our marker in Nova brings it back."""
    (step,) = decide_unrecorded(a_host(node=a_node(fenced=None))).steps
    assert step.fenced_at == FENCED_AT


def test_marker_beside_an_operators_words_restores_the_record():
    """What `nova-ha disable` wrote over our marker still tells of the fencing (rule R2)."""
    reason = record.by_hand_reason("root@c1", "bad memory (slot 3)", FENCED_AT)
    (step,) = decide_unrecorded(
        a_host(node=a_node(fenced=None), service=a_service(disabled_reason=reason))
    ).steps
    assert step.fenced_at == FENCED_AT


def test_marker_beside_an_operators_words_ends_with_the_recovery():
    """A host that is back stays disabled with the operator's words alone, and only then loses its record."""
    words = record.by_hand_reason("root@c1", "bad memory (slot 3)", None)
    back = {"forced_down": False, "state": "up"}
    marked = a_service(disabled_reason=record.beside_marker(words, FENCED_AT), **back)
    node = a_node(evacuated=FENCED_AT, online=True)
    (step,) = decide_return(a_host(node=node, service=marked), NOW, Policy()).steps
    assert (KeepDisabled, words) == (type(step), step.reason)
    kept = a_service(disabled_reason=words, **back)
    assert [ClearRecord] == kinds(decide_return(a_host(node=node, service=kept), NOW, Policy()))


def test_marker_of_a_lost_host_is_about_an_earlier_fencing():
    """A host that Pacemaker lost after the fencing that our marker is about has to be fenced again."""
    assert kinds(decide_unrecorded(a_host(node=a_node(fenced=None, lost=True)))) == []


def test_marker_of_a_living_host_is_about_its_return():
    """A host that is back and reports has only its return to finish."""
    plan = decide_unrecorded(a_host(node=a_node(fenced=None, online=True), heartbeat=ALIVE))
    assert kinds(plan) == [MarkEvacuated, WriteRecord]


def test_operators_force_down_is_left_alone():
    """A host that an operator forced down gets no record."""
    service = a_service(disabled_reason="broken disk")
    assert decide_unrecorded(a_host(node=a_node(fenced=None), service=service)) is None


@pytest.mark.parametrize(("seconds", "state"), [(40, HostState.HELD), (5, HostState.FENCED)])
def test_sign_of_life_after_the_fencing(seconds, state):
    """What Nova heard clearly after the fencing outweighs Pacemaker's word for it."""
    heard = format_time(NOW - 100 + seconds)
    service = a_service(forced_down=False, status="enabled", state="up", updated_at=heard)
    node = a_node(fenced=None, fenced_since=NOW - 100)
    assert decide_unrecorded(a_host(node=node, service=service)).state is state
    recorded = a_node(fenced=f"fenced {format_time(NOW - 100)}")
    assert recover(a_host(a_view(), node=recorded, service=service)).state is state


# --- the way back ---


def returning(*records, **different):
    """Return the plan for a host that is connected again after its recovery."""
    servers = (ServerView("s1", None, is_here=False, records=records),)
    plain = {"heartbeat": ALIVE, "node": a_node(online=True, evacuated=FENCED_AT)}
    return decide_return(a_host(*servers, **{**plain, **different}), NOW, Policy())


def test_return_waits_for_heartbeats():
    """forced_down stays until nova-compute is alive for sure (rule 27)."""
    assert returning(heartbeat=Heartbeat(advances=1, last_advance=NOW)).steps == ()


def test_return_waits_for_the_clean_up():
    """forced_down stays while a record is not cleaned up (rule 28)."""
    assert ClearForcedDown not in kinds(returning(a_record("done")))
    assert ClearForcedDown not in kinds(returning(a_record("accepted")))


@pytest.mark.parametrize(
    ("runs_for", "silent_for", "expected"),
    [(301, 400, True), (301, 299, False), (299, 400, False), (None, 400, False)],
)
def test_return_that_takes_long_is_told(runs_for, silent_for, expected):
    """When nova-compute has run for stuck_after without a heartbeat this is told, and no more is done."""
    node = a_node(
        evacuated=FENCED_AT, online=True, compute_since=None if runs_for is None else NOW - runs_for
    )
    service = a_service(updated_at=format_time(NOW - silent_for))
    plan = returning(node=node, service=service, heartbeat=Heartbeat())
    assert (plan.state, plan.steps) == (HostState.RETURNING, ())
    assert any("Nova hears nothing of it" in trouble for trouble in plan.troubles) is expected


def test_return_in_nova_s_order():
    """First forced_down, then the service, then the record (rules 26-28)."""
    assert kinds(returning(a_record("completed"))) == [ClearForcedDown]
    assert kinds(returning(service=a_service(forced_down=False, state="down"))) == []
    assert kinds(returning(service=a_service(forced_down=False, state="up"))) == [Enable]
    enabled = a_service(forced_down=False, state="up", status="enabled", disabled_reason=None)
    assert kinds(returning(service=enabled)) == [ClearRecord]


def test_facts_of_another_fencing_are_void():
    """What was to become of servers holds for its own fencing only."""
    assert frozenset() == a_node(servers="2001-01-01T00:00:00Z start:s1").facts


def test_what_was_off_before_the_first_fencing_was_off_before_the_second():
    """How servers were before their host failed holds still when it is fenced again before its return."""
    assert frozenset({"off:s1"}) == a_node(servers="2001-01-01T00:00:00Z left:s2 off:s1").facts


def test_operators_disable_survives_the_return():
    """A service that an operator disabled is not enabled, and the host is back all the same."""
    plan = returning(service=a_service(forced_down=False, state="up", disabled_reason="maintenance"))
    assert (plan.state, kinds(plan)) == (HostState.UP, [ClearRecord])


def test_troubles_name_what_is_stuck():
    """What an admin should know names the host or server, and why."""
    plan = recover(a_host(a_view(server=a_server(vm_state="paused", status="PAUSED"))))
    assert plan.verdicts[0].fate is Fate.IMMOVABLE
    assert "paused" in plan.troubles[0]
