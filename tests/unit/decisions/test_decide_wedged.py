# SPDX-License-Identifier: Apache-2.0
"""A nova-compute that is silent on a node that is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nova_ha import record
from nova_ha.clock import format_time
from nova_ha.decisions.decide import decide
from nova_ha.decisions.decide_wedged import LONGEST_RESTART
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView, NovaHealth, Observation
from nova_ha.decisions.plan_unfenced import FenceWedged, ForgetState, MarkWedged, UnmarkWedged
from nova_ha.decisions.policy import Policy
from nova_ha.model import ClusterNode, ClusterView, Service
from tests.unit.decisions.builders import NOW

LAST = format_time(NOW - 300)
SERVICE = Service("id", "compute-0", "enabled", "down", updated_at=LAST)
NODE = ClusterNode("compute-0", is_remote=True, online=True, compute_since=NOW - 5000)
WELL = NovaHealth(conductors_up=True, reporting=2, silent=1)
FENCING = Policy(fence_wedged_after=2)


def told(ago, count=1, **different):
    """Return the node after it was told some seconds ago."""
    value = record.wedged_value(format_time(NOW - ago), LAST, count)
    return replace(NODE, wedged=value, state="wedged: so", **different)


def plan_for(node=NODE, service=SERVICE, silent_for=130.0, health=WELL, policy=None, others=()):
    """Return what is decided about the host, or None."""
    since = None if silent_for is None else NOW - silent_for
    view = HostView("compute-0", node, service, silent_since=since)
    observation = Observation(NOW, ClusterView(True, (node, *others)), (view,), health=health)
    return next(iter(decide(observation, policy or Policy()).hosts), None)


def test_published():
    """After wedged_after the attribute is published, with the time, the last heartbeat and a count."""
    plan = plan_for()
    (step,) = plan.steps
    assert (plan.state, type(step)) == (HostState.WEDGED, MarkWedged)
    assert step.value == f"{format_time(NOW)} no heartbeat in Nova since {LAST} (restart 1)"
    assert plan.troubles == (
        f"host compute-0: wedged (its nova-compute has not reported to Nova since {LAST})",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"silent_for": 119.0},
        {"silent_for": None},
        {"policy": Policy(wedged_after=0)},
        {"policy": Policy(wedged_after=500)},
        {"node": replace(NODE, compute_since=None)},
        {"node": replace(NODE, compute_since=NOW - 60)},
        {"health": None},
        {"health": NovaHealth(conductors_up=False, reporting=2, silent=1)},
        {"health": NovaHealth(conductors_up=True, reporting=0, silent=1)},
        {"health": NovaHealth(conductors_up=True, reporting=1, silent=2)},
    ],
    ids=repr,
)
def test_nobody_is_blamed(change):
    """Not too early, not where Pacemaker does not run it or has just started it, not when Nova is unwell."""
    assert plan_for(**change) is None


def test_told_and_waiting_for_the_restart():
    """What was published stands while the restart is awaited, and is no reason to publish it anew."""
    plan = plan_for(told(200))
    assert (plan.state, plan.steps) == (HostState.WEDGED, ())


def test_published_anew():
    """When a restart has not helped within wedged_after it is published anew, counted."""
    plan = plan_for(told(200, compute_since=NOW - 125))
    (step,) = plan.steps
    assert step.value.startswith(format_time(NOW))
    assert step.value.endswith("(restart 2)")


def test_restart_that_never_came():
    """One that has not come within the longest time that it may take counts as one that did not help."""
    assert plan_for(told(LONGEST_RESTART + 119)).steps == ()
    assert isinstance(plan_for(told(LONGEST_RESTART + 121)).steps[0], MarkWedged)


def test_fenced_on_request():
    """After as many restarts as the admin says the node is fenced, and not without his wish."""
    node = told(200, count=2, compute_since=NOW - 125)
    assert isinstance(plan_for(node, policy=FENCING).steps[0], FenceWedged)
    assert isinstance(plan_for(node).steps[0], MarkWedged)


@pytest.mark.parametrize(
    "change",
    [
        {"others": (ClusterNode("compute-1", True, online=False, lost=True),)},
        {"others": (ClusterNode("compute-1", True, online=False, fenced="fenced x"),)},
        {"others": (ClusterNode("compute-1", True, online=False, fenced_since=NOW),)},
        {"health": NovaHealth(conductors_up=True, reporting=5, silent=2)},
    ],
    ids=repr,
)
def test_not_fenced_with_others_in_trouble(change):
    """While another host is lost, fenced or silent too, the silent one is not fenced."""
    node = told(200, count=2, compute_since=NOW - 125)
    plans = plan_for(node, policy=FENCING, **change)
    assert (plans.state, plans.steps) == (HostState.WEDGED, ())
    assert "other hosts are in trouble" in plans.reason


@pytest.mark.parametrize(
    "service",
    [replace(SERVICE, state="up"), replace(SERVICE, status="disabled", disabled_reason="me")],
    ids=["reports again", "disabled by an operator"],
)
def test_taken_back(service):
    """When it reports again, or is not expected to, the attribute is removed, then the sentence."""
    plan = plan_for(told(30), service, silent_for=None)
    assert (plan.state, [type(step) for step in plan.steps]) == (HostState.UP, [UnmarkWedged, ForgetState])


def test_nothing_is_taken_back_blindly():
    """While the cell is down nobody knows whether it reports."""
    unknown = Service("", "compute-0", "UNKNOWN", None)
    plan = plan_for(told(30), unknown, silent_for=None)
    assert (plan.state, plan.steps) == (HostState.WEDGED, ())


def test_pacemaker_runs_it_no_more():
    """Once Pacemaker has long stopped to run it, nobody is told any more."""
    assert plan_for(told(LONGEST_RESTART - 5, compute_since=None)).steps == ()
    plan = plan_for(told(LONGEST_RESTART + 5, compute_since=None))
    assert [type(step) for step in plan.steps] == [UnmarkWedged, ForgetState]


@pytest.mark.parametrize(
    ("value", "at", "count"),
    [(None, None, 0), ("2026-11-22T06:40:12Z by hand", "2026-11-22T06:40:12Z", 1), ("x (restart 3)", "x", 3)],
)
def test_what_is_read_back(value, at, count):
    """Time and count are read from the attribute; one that somebody else has written counts once."""
    assert (record.wedged_at(value), record.wedged_count(value)) == (at, count)
