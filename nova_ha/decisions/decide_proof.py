# SPDX-License-Identifier: Apache-2.0
"""Find fencings that nobody recorded, from the two other proofs there are.

A node that was fenced by a level without a record device, by the watchdog alone, or confirmed as off by
an operator (``pcs stonith confirm``) has no record. Pacemaker knows all the same
(`ClusterNode.fenced_since`), and so may Nova, whose service still has our marker when the cluster's
configuration was lost. The evacuator writes the record then, and goes on as with any other. No proof
stands against a host that is alive now.
"""

from __future__ import annotations

from nova_ha.clock import format_time, parse_time
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView
from nova_ha.decisions.plan import HostPlan, MarkEvacuated, WriteRecord
from nova_ha.model import ClusterNode, Service

#: A fencing takes up to so long from its record to its end; a later one is another fencing.
LONGEST_FENCING = 300.0

#: A sign of life must be so much later than a fencing to prove something; covers clocks that differ.
HEARD_LATER = 15.0


def decide_unrecorded(view: HostView) -> HostPlan | None:
    """Return the plan that writes a missing record, or None when none is missing."""
    fencing = unrecorded_fencing(view.node)
    if fencing is not None:
        alive = why_it_was_alive_later(view.service, fencing)
        if alive is not None:
            return HostPlan(view, HostState.HELD, alive)
        write = WriteRecord(view.node.name, fencing, "Pacemaker's fencing history")
        return HostPlan(view, HostState.FENCED, "recorded from Pacemaker's history", steps=(write,))
    if view.node.fenced or view.service is None or not has_our_marker(view.service):
        return None
    return _from_marker(view, view.service)


def unrecorded_fencing(node: ClusterNode) -> str | None:
    """Return the time of a fencing that the node's record, if it has one, is not about."""
    if node.fenced_since is None or node.online or node.recovery_is_open:
        return None
    recorded = parse_time(node.fenced_at or "")
    if node.fenced and (recorded is None or node.fenced_since <= recorded + LONGEST_FENCING):
        return None
    return format_time(node.fenced_since)


def why_it_was_alive_later(service: Service | None, fenced_at: str) -> str | None:
    """Return why a host counts as alive although it is said to be fenced: Nova has heard of it since.

    An operator may have confirmed the wrong node, or a power device may lie. Holds as long as Nova sees
    the service as up by itself: a host that is dead goes down there within service_down_time, also when
    clocks differ.
    """
    if service is None or service.forced_down or service.state != "up":
        return None
    heard, fenced = parse_time(service.updated_at or ""), parse_time(fenced_at)
    if heard is None or fenced is None or heard <= fenced + HEARD_LATER:
        return None
    return "Nova has heard from its nova-compute after the fencing: switch it off, then fence it again"


def has_our_marker(service: Service) -> bool:
    """Say whether Nova remembers that nova-ha forced the host down; that it was lost is no such memory."""
    return service.is_known and service.forced_down and service.marked_at is not None


def _from_marker(view: HostView, service: Service) -> HostPlan | None:
    """Restore the record that the marker in Nova is about.

    A host that is back and whose nova-compute reports has nothing left to be evacuated from: only its way
    back into service is to be finished. One that Pacemaker has lost was connected after the fencing that
    the marker is about: only another fencing proves something now.
    """
    fenced_at = service.marked_at or ""
    if parse_time(fenced_at) is None:
        return HostPlan(view, HostState.HELD, f"Nova's marker has no time: {service.disabled_reason}")
    if view.node.lost:
        reason = f"lost and not fenced yet; our marker in Nova is about the fencing at {fenced_at}"
        return HostPlan(view, HostState.HELD, reason)
    write = WriteRecord(view.node.name, fenced_at, "the marker in Nova")
    if view.heartbeat.is_proven:
        mark = MarkEvacuated(view.node.name, fenced_at)
        return HostPlan(view, HostState.RETURNING, "recorded from the marker in Nova", steps=(mark, write))
    if view.node.online:
        reason = "our marker is in Nova, but it has no record and is online: waiting for its nova-compute"
        return HostPlan(view, HostState.HELD, reason)
    return HostPlan(view, HostState.FENCED, "recorded from the marker in Nova", steps=(write,))
