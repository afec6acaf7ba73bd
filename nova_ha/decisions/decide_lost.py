# SPDX-License-Identifier: Apache-2.0
"""Decide what to do about a host that Pacemaker has lost and nobody has fenced yet.

    up -> lost -> fenced -> ...     its power-off is confirmed: a recovery begins
           |
           +-> up                   it is online again, and nobody has switched it off

A loss proves nothing: its servers may run, and nothing of them is touched. Only the scheduler is told to
pass over the host, in a way that is undone when the host is back. What tells so is Nova's own
``disabled_reason``: whichever evacuator finds it there knows what to do about it.
"""

from __future__ import annotations

from nova_ha import record
from nova_ha.clock import format_time, parse_time
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView
from nova_ha.decisions.plan import HostPlan
from nova_ha.decisions.plan_unfenced import Disable, ForgetState, TakeBack
from nova_ha.decisions.policy import Policy
from nova_ha.model import Service

#: A fencing takes seconds, or two minutes with a BMC that is slow, or a second try. After that an admin is to
#: know of it: Pacemaker gives up in silence, and nothing may be recovered meanwhile.
LATE = 120.0


def decide_lost(view: HostView, now: float, policy: Policy) -> HostPlan | None:
    """Return what to do about a host without a record; None when it is not lost, and was not."""
    service, node = view.service, view.node
    if service is None:
        return None
    if node.online:
        return _came_back(view, service)
    if service.is_lost:
        is_late = _is_late(view, service, now)
        return HostPlan(view, HostState.LOST, _why_not_back(view, is_late=is_late), is_stuck=is_late)
    if not (node.lost and policy.disable_lost):
        return _not_lost_any_more(view)
    if service.is_known and service.status == "enabled":
        reason = record.lost_reason(format_time(now))
        return HostPlan(view, HostState.LOST, "not fenced yet", steps=(Disable(service, reason),))
    return HostPlan(view, HostState.LOST, f"not fenced yet; {_why_left_alone(service)}")


def _came_back(view: HostView, service: Service) -> HostPlan | None:
    """Take back what was done because of the loss, the sentence last: it brings back who died in between."""
    if service.is_lost:
        reason = "it is online, and was not fenced"
        return HostPlan(view, HostState.RETURNING, reason, steps=(TakeBack(service),))
    if not _says_lost(view):
        return None
    if not service.is_known:
        return HostPlan(view, HostState.RETURNING, "Nova cannot reach the database of its cell")
    return HostPlan(view, HostState.UP, _why_left_alone(service), steps=(ForgetState(view.node.name),))


def _not_lost_any_more(view: HostView) -> HostPlan | None:
    """Remove the sentence about a loss that an operator has ended, by stopping the connection for good."""
    if view.node.lost or not _says_lost(view):
        return None
    return HostPlan(view, HostState.UP, "its connection is stopped", steps=(ForgetState(view.node.name),))


def _says_lost(view: HostView) -> bool:
    return (view.node.state or "").startswith(HostState.LOST.word)


def _is_late(view: HostView, service: Service, now: float) -> bool:
    """Say whether a node has been lost for so long that its fencing must have failed."""
    since = parse_time(record.lost_at(service.disabled_reason))
    return view.node.lost and since is not None and now - since >= LATE


def _why_not_back(view: HostView, *, is_late: bool) -> str:
    if is_late:
        return f"not fenced for {LATE:.0f} s: its servers are not recovered; look at its power device"
    return "not fenced yet" if view.node.lost else "its connection is stopped; enabled when it is back"


def _why_left_alone(service: Service) -> str:
    """Return why a service is not changed; nothing when it is enabled."""
    if not service.is_known:
        return "Nova cannot reach the database of its cell"
    if service.status == "enabled":
        return ""
    return f"kept disabled: {service.disabled_reason or 'by an operator'}"
