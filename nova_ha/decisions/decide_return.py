# SPDX-License-Identifier: Apache-2.0
"""Decide what to do about a host whose recovery is complete, until it is back in service.

The only order that Nova >= 24 allows (rules 26-28 of nova.md): nova-compute starts while forced_down is
still set, which moves its evacuation records from ``done`` to ``completed``; then forced_down is cleared;
then the service is enabled, if the marker is ours (a person's reason loses the marker beside it); then
servers that could not leave are started (`nova_ha.decisions.decide_start`); then the record is removed.
"""

from __future__ import annotations

from nova_ha import record
from nova_ha.clock import format_time, parse_time
from nova_ha.decisions.decide_start import decide_start
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView
from nova_ha.decisions.plan import (
    ClearForcedDown,
    ClearRecord,
    Enable,
    HostPlan,
    KeepDisabled,
    RestartCompute,
)
from nova_ha.decisions.policy import Policy
from nova_ha.model import Service

#: Seconds that a restarted nova-compute gets until it is restarted again, and how often that is tried.
RESTART_EVERY = 90.0
MOST_RESTARTS = 5


def decide_return(view: HostView, now: float, policy: Policy) -> HostPlan:
    """Return what to do about a host whose recovery is complete."""
    if not view.node.online:
        return HostPlan(view, HostState.EVACUATED, "waiting for the node to return")
    if view.problem:
        return HostPlan(view, HostState.RETURNING, view.problem)
    service = view.service
    if service is None or not service.is_known:
        reason = "its cell is down, or Nova does not know its service any more"
        return HostPlan(view, HostState.RETURNING, reason)
    if service.forced_down:
        return _let_nova_see_it(view, service, now, policy)
    return (
        _let_nova_use_it(view, service, now, policy)
        or decide_start(view, now, policy)
        or _let_it_go(view, service)
    )


def _wait(view: HostView, service: Service, now: float, policy: Policy, reason: str) -> HostPlan:
    """Wait for heartbeats; an admin should know when nova-compute has run for long without one.

    It is not restarted for that: while it destroys what it finds of servers that were evacuated it reports
    nothing either (``init_host`` in nova/compute/manager.py comes before the first heartbeat).
    """
    since, beat = view.node.compute_since, parse_time(service.updated_at or "")
    if since is None or beat is None or now - max(since, beat) <= policy.stuck_after:
        return HostPlan(view, HostState.RETURNING, reason)
    silence = f"its nova-compute runs since {format_time(since)}, and Nova hears nothing of it; see its log"
    return HostPlan(view, HostState.RETURNING, silence, is_stuck=True)


def _let_nova_use_it(view: HostView, service: Service, now: float, policy: Policy) -> HostPlan | None:
    """Enable the service when it is up, if its disabling was ours."""
    if service.state != "up":
        return _wait(view, service, now, policy, "waiting for nova-compute to report to Nova")
    if service.is_ours:
        return HostPlan(view, HostState.RETURNING, "", steps=(Enable(service),))
    words = record.words_beside_marker(service.disabled_reason)
    if words is not None and service.status == "disabled":
        # A marker that outlives its recovery would prove a fencing when somebody forces the host down.
        return HostPlan(view, HostState.RETURNING, "", steps=(KeepDisabled(service, words),))
    return None


def _let_it_go(view: HostView, service: Service) -> HostPlan:
    """Remove the record: the host is back."""
    clear = ClearRecord(view.node.name, view.node.fenced_at or "")
    kept = (
        "" if service.status == "enabled" else f"kept disabled: {service.disabled_reason or 'by an operator'}"
    )
    return HostPlan(view, HostState.UP, kept, steps=(clear,))


def _let_nova_see_it(view: HostView, service: Service, now: float, policy: Policy) -> HostPlan:
    """Clear forced_down once nova-compute is alive and has cleaned up."""
    if not view.heartbeat.is_proven:
        return _wait(view, service, now, policy, "waiting for nova-compute to start and report")
    if view.servers is None:
        return HostPlan(view, HostState.RETURNING, "its evacuations are being listed")
    records = [found for server in view.servers for found in server.records]
    uncleaned = [found for found in records if found.is_open or found.status == "done"]
    if uncleaned:
        return _have_cleaned_up(view, len(uncleaned), now)
    return HostPlan(view, HostState.RETURNING, "", steps=(ClearForcedDown(service),))


def _have_cleaned_up(view: HostView, uncleaned: int, now: float) -> HostPlan:
    """Have nova-compute started again: each start cleans up one record of each server.

    It reports, so its start is over; what it left are records of attempts beside the one that succeeded:
    Nova keeps one of each server (``evacuations = {mig.instance_uuid: mig ...}`` in
    ``_destroy_evacuated_instances``).
    """
    reason = f"{uncleaned} evacuations are not cleaned up; nova-compute does that when it starts"
    if len(view.restarts) >= MOST_RESTARTS:
        return HostPlan(view, HostState.HELD, f"{reason}, and {len(view.restarts)} restarts did not help")
    if view.restarts and now - view.restarts[-1] < RESTART_EVERY:
        return HostPlan(view, HostState.RETURNING, reason)
    return HostPlan(view, HostState.RETURNING, reason, steps=(RestartCompute(view.node.name, reason),))
