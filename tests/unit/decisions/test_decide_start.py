# SPDX-License-Identifier: Apache-2.0
"""Servers that could not leave are started on their host that is back, until they are seen to run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nova_ha.decisions.decide_return import decide_return
from nova_ha.decisions.decide_start import STARTED_AT_ONCE, is_starting
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.notes import ServerNotes
from nova_ha.decisions.plan import ClearRecord, Fate
from nova_ha.decisions.policy import Policy
from tests.unit.decisions.builders import FENCED_AT, NOW, a_host, a_node, a_server, a_service, a_view

ENABLED = a_service(forced_down=False, state="up", status="enabled", disabled_reason=None)


def plan_for(*servers, facts="start:s1", now=NOW, **different):
    """Return the plan for a host that is enabled, with servers to be started."""
    node = a_node(online=True, evacuated=FENCED_AT, servers=f"{FENCED_AT} {facts} left:s9")
    return decide_return(a_host(*servers, node=node, **{"service": ENABLED, **different}), now, Policy())


def verdict_for(facts="started:s1", starts=(), now=NOW, **server):
    """Return what is decided about one server, and its host's steps."""
    found = a_view(server=a_server(**server), notes=ServerNotes(starts=starts))
    plan = plan_for(found, facts=facts, now=now)
    return plan.verdicts[0], plan.steps


def test_started_whatever_nova_shows():
    """Nova still shows a server as running that died with its host: it is started."""
    verdict, (step,) = verdict_for("start:s1")
    assert (Fate.WAITING, ("s1",)) == (verdict.fate, step.server_ids)


def test_no_more_than_some_at_once():
    """Some servers are started in one pass, the others in the next."""
    servers = [a_view(id=f"s{i}", server=a_server(id=f"s{i}")) for i in range(STARTED_AT_ONCE + 2)]
    plan = plan_for(*servers, facts=" ".join(f"start:{server.id}" for server in servers))
    assert STARTED_AT_ONCE == len(plan.steps[0].server_ids)


@pytest.mark.parametrize("listed", [(), (a_view(server=None),)])
def test_unseen_is_not_started(listed):
    """What Nova has not shown yet is neither started nor forgotten."""
    plan = plan_for(*listed)
    assert (HostState.RETURNING, ()) == (plan.state, plan.steps)


def test_under_way():
    """A start that Nova shows is waited for; it is remembered that Nova has taken it."""
    verdict, (step,) = verdict_for("start:s1", task_state="reboot_started_hard")
    assert (Fate.WAITING, ((), ("s1",), ())) == (verdict.fate, (step.server_ids, step.taken, step.over))
    assert verdict_for(task_state="reboot_started_hard")[1] == ()


def test_start_that_does_not_end_is_named():
    """One that is under way for too long is named."""
    late = NOW - Policy().stuck_after - 1
    assert verdict_for(task_state="rebooting_hard", starts=(late,))[0].is_stuck
    assert not verdict_for(task_state="rebooting_hard", starts=(NOW,))[0].is_stuck


def test_runs():
    """A server that runs after Nova has taken the request is done with."""
    verdict, (step,) = verdict_for()
    assert (Fate.VERIFIED, ("s1",)) == (verdict.fate, step.over)


@pytest.mark.parametrize("found", [{"vm_state": "error", "power_state": 4}, {"power_state": 0}])
def test_failed_start_is_tried_again(found):
    """A start that failed is named, and tried again later and later."""
    verdict, steps = verdict_for(starts=(NOW - 5,), **found)
    assert (Fate.RETRYING, NOW + 5, ()) == (verdict.fate, verdict.at, steps)
    verdict, (step,) = verdict_for(starts=(NOW - 11,), **found)
    assert (Fate.RETRYING, ("s1",)) == (verdict.fate, step.server_ids)
    assert verdict_for(starts=(NOW - 31, NOW - 11), **found)[1] == ()


def test_lost_answer_is_tried_again():
    """A request that Nova has perhaps not taken is repeated, although the server seems to run."""
    assert Fate.RETRYING is verdict_for("start:s1", starts=(NOW - 5,))[0].fate
    assert verdict_for("start:s1", starts=(NOW - 11,))[1][0].server_ids == ("s1",)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ("start:s1", {"host": "compute-1"}),
        ("start:s1", {"vm_state": "paused"}),
        ("started:s1", {"vm_state": "stopped", "power_state": 4}),
    ],
)
def test_what_a_person_did_is_kept(facts, found):
    """A server that somebody has moved, paused or stopped meanwhile is left alone."""
    verdict, (step,) = verdict_for(facts, **found)
    assert (Fate.IGNORED, ("s1",), ()) == (verdict.fate, step.over, step.server_ids)


def test_deleted_meanwhile():
    """A server that is no more is done with."""
    (verdict,) = plan_for(a_view(server=None, is_gone=True)).verdicts
    assert Fate.GONE is verdict.fate


def test_record_is_kept_until_all_run():
    """The record of the host is removed only when nothing is left to be started."""
    (step,) = plan_for(facts="left:s2").steps
    assert isinstance(step, ClearRecord)


def test_looked_at_only_when_the_host_is_back():
    """Servers are listed for that when the host is up, and something is to be started."""
    node = a_node(online=True, evacuated=FENCED_AT, servers=f"{FENCED_AT} start:s1")
    host = a_host(node=node, service=ENABLED)
    assert is_starting(host)
    assert not is_starting(replace(host, service=a_service()))
    assert not is_starting(replace(host, node=replace(node, servers=None)))
    assert not is_starting(replace(host, node=replace(node, evacuated=None)))
