# SPDX-License-Identifier: Apache-2.0
"""A host that Pacemaker has lost and nobody has fenced."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nova_ha import record
from nova_ha.clock import format_time
from nova_ha.decisions.decide import decide
from nova_ha.decisions.decide_proof import has_our_marker
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView, Observation
from nova_ha.decisions.plan import TellDown
from nova_ha.decisions.plan_unfenced import Disable, ForgetState, TakeBack
from nova_ha.decisions.policy import Policy
from nova_ha.model import ClusterNode, ClusterView, Service
from tests.unit.decisions.builders import FENCED_AT, NOW

NODE = ClusterNode("compute-0", is_remote=True, online=False, lost=True)
SERVICE = Service("id", "compute-0", "enabled", "up")
OURS = replace(SERVICE, status="disabled", disabled_reason=record.lost_reason(FENCED_AT))
THEIRS = replace(SERVICE, status="disabled", disabled_reason="a new disk")


def plan_for(node=NODE, service=SERVICE, policy=None, *, quorate=True):
    """Return what is decided about the host, or None."""
    observation = Observation(NOW, ClusterView(quorate, (node,)), (HostView("compute-0", node, service),))
    return next(iter(decide(observation, policy or Policy()).hosts), None)


def steps(plan):
    """Return the types of a plan's steps."""
    return [type(step) for step in plan.steps]


def test_lost_host_is_disabled():
    """The service is disabled with a marker that tells of a loss, and of no fencing."""
    plan = plan_for()
    (step,) = plan.steps
    assert (plan.state, type(step)) == (HostState.LOST, Disable)
    assert step.reason.startswith("nova-ha: lost 20")
    assert record.is_lost(step.reason)


@pytest.mark.parametrize("service", [OURS, THEIRS, Service("", "compute-0", "UNKNOWN", None)])
def test_nothing_is_changed_twice_or_blindly(service):
    """A service that is disabled already, by whomever, or whose cell is down is left as it is."""
    assert (plan_for(service=service).state, plan_for(service=service).steps) == (HostState.LOST, ())


def test_switched_off():
    """With disable_lost=0 a loss changes nothing, but what was done before is undone."""
    policy = Policy(disable_lost=False)
    assert plan_for(policy=policy) is None
    assert steps(plan_for(replace(NODE, online=True, lost=False), OURS, policy)) == [TakeBack]


@pytest.mark.parametrize(("age", "is_stuck"), [(119.0, False), (120.0, True)])
def test_fencing_that_does_not_come(age, is_stuck):
    """An admin hears of a loss that lasts longer than a fencing: NovaEvacuate shows as degraded."""
    service = replace(OURS, disabled_reason=record.lost_reason(format_time(NOW - age)))
    plan = plan_for(service=service)
    late = (
        "host compute-0: lost (not fenced for 120 s: its servers are not recovered; look at its power device)"
    )
    assert ((late,) if is_stuck else ()) == plan.troubles
    assert (HostState.LOST, ()) == (plan.state, plan.steps)


def test_connection_that_an_operator_has_ended():
    """A node that nobody has lost any more waits for no fencing, however long it is away."""
    service = replace(OURS, disabled_reason=record.lost_reason(format_time(NOW - 4000)))
    assert () == plan_for(replace(NODE, lost=False), service).troubles


def test_without_quorum():
    """A partition without quorum knows nothing about a loss."""
    assert plan_for(quorate=False) is None


def test_marker_of_a_loss_is_no_proof():
    """A service that is forced down and carries the marker of a loss does not count as fenced."""
    forced = replace(OURS, forced_down=True, state="down")
    assert not has_our_marker(forced)
    assert (plan_for(service=forced).state, plan_for(service=forced).steps) == (HostState.LOST, ())


def test_return():
    """Online again, the service is enabled; then the sentence is removed, that an heir would look for."""
    online = replace(NODE, online=True, lost=False, state="lost: not fenced yet")
    assert steps(plan_for(online, OURS)) == [TakeBack]
    assert steps(plan_for(online, SERVICE)) == [ForgetState]
    assert plan_for(replace(online, state=None), SERVICE) is None


def test_operators_disable_is_kept_on_the_return():
    """What an operator has disabled stays so when the host is back."""
    online = replace(NODE, online=True, lost=False, state="lost: not fenced yet")
    plan = plan_for(online, THEIRS)
    assert (plan.state, steps(plan), plan.reason) == (
        HostState.UP,
        [ForgetState],
        "kept disabled: a new disk",
    )


def test_marker_is_replaced_after_the_fencing():
    """A recorded host whose marker still tells of the loss gets the marker of the fencing."""
    fenced = replace(NODE, fenced=record.record_value(FENCED_AT))
    plan = plan_for(fenced, replace(OURS, forced_down=True, state="down"))
    (step,) = plan.steps
    assert (type(step), step.reason) == (TellDown, record.marker_reason(FENCED_AT))


def test_connection_stopped_for_good():
    """A loss that an operator has ended by stopping the connection is no news any more."""
    left = replace(NODE, lost=False, state="lost: not fenced yet")
    assert steps(plan_for(left, THEIRS)) == [ForgetState]
    assert plan_for(left, OURS).state is HostState.LOST
