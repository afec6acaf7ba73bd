# SPDX-License-Identifier: Apache-2.0
"""Decide what to do about a nova-compute that is wedged: its process lives, but Nova hears nothing of it.

Its servers run on, so nothing is evacuated. The evacuator publishes what Nova shows as an attribute of the
node; NovaCompute's monitor reads it there, without credentials, and has Pacemaker restart a nova-compute that
was started before. Where Pacemaker does not run nova-compute, or no monitor reads the attribute, nothing
happens but that the monitor of NovaEvacuate says so.

A host is blamed only when the rest of Nova is well: one that is silent together with most others tells of
RabbitMQ, of the database or of Nova. A host is fenced only on request (`fence_wedged_after`), and only while
it is the only one in any trouble.
"""

from __future__ import annotations

from nova_ha import record
from nova_ha.clock import format_time, parse_time
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView, NovaHealth
from nova_ha.decisions.plan import HostPlan, Step
from nova_ha.decisions.plan_unfenced import FenceWedged, ForgetState, MarkWedged, UnmarkWedged
from nova_ha.decisions.policy import Policy

#: What NovaCompute needs at most to restart nova-compute: its monitor comes every 60 s, and Nova 33's
#: shutdown takes up to 160 s. A restart that has not come by then does not come.
LONGEST_RESTART = 300.0


def decide_wedged(
    view: HostView, now: float, policy: Policy, health: NovaHealth | None, *, is_alone: bool
) -> HostPlan | None:
    """Return what to do about a host without a record that Pacemaker has not lost.

    Args:
        view: the host.
        now: epoch seconds.
        policy: the admin's settings.
        health: how the rest of Nova is; None when that was not asked for, or is unknown.
        is_alone: whether no other host is in any trouble.
    """
    if view.silent_since is None or not policy.wedged_after:
        return _is_over(view)
    told = view.node.wedged
    if told and view.node.compute_since is None and now - _told_at(view) > LONGEST_RESTART:
        return _is_over(view)
    if not is_due(view, now, policy) or health is None or not health.is_well:
        return HostPlan(view, HostState.WEDGED, _reason(view, record.wedged_count(told))) if told else None
    count = record.wedged_count(told)
    if policy.fence_wedged_after and count >= policy.fence_wedged_after:
        return _fenced(view, count, is_alone=is_alone and health.silent == 1)
    value = record.wedged_value(format_time(now), _last_heartbeat(view), count + 1)
    mark = MarkWedged(view.node.name, value)
    return HostPlan(view, HostState.WEDGED, _reason(view, count + 1), steps=(mark,))


def is_due(view: HostView, now: float, policy: Policy) -> bool:
    """Say whether something is to be done about a silent nova-compute, if it alone is to blame."""
    silent_since, started = view.silent_since, view.node.compute_since
    if silent_since is None or not policy.wedged_after:
        return False
    if view.node.wedged is None:
        return started is not None and now - max(silent_since, started) >= policy.wedged_after
    told_at = _told_at(view)
    is_restarted = started is not None and started >= told_at
    began = started if is_restarted and started is not None else told_at + LONGEST_RESTART
    return now - began >= policy.wedged_after


def _is_over(view: HostView) -> HostPlan | None:
    """Take back what was said; the sentence last: whoever comes next looks for that."""
    node, service = view.node, view.service
    if node.wedged and node.online and (service is None or not service.is_known):
        reason = "Nova cannot reach the database of its cell"
        return HostPlan(view, HostState.WEDGED, reason)
    steps: list[Step] = [UnmarkWedged(node.name)] if node.wedged else []
    if (node.state or "").startswith(HostState.WEDGED.word):
        steps.append(ForgetState(node.name))
    is_back = service is not None and service.state == "up"
    reason = "its nova-compute reports again" if is_back else "nobody expects its nova-compute to report"
    return HostPlan(view, HostState.UP, reason, steps=tuple(steps)) if steps else None


def _fenced(view: HostView, count: int, *, is_alone: bool) -> HostPlan:
    """Have the node fenced, unless more than this host is in trouble."""
    reason = _reason(view, count)
    if not is_alone:
        return HostPlan(view, HostState.WEDGED, f"{reason}; not fenced while other hosts are in trouble")
    reason += "; to be fenced"
    return HostPlan(view, HostState.WEDGED, reason, steps=(FenceWedged(view.node.name, reason),))


def _reason(view: HostView, count: int) -> str:
    """Return the sentence for people; it changes only with what is done."""
    silence = f"its nova-compute has not reported to Nova since {_last_heartbeat(view)}"
    return silence if count <= 1 else f"{silence}, told to restart {count} times"


def _last_heartbeat(view: HostView) -> str:
    """Return when Nova heard last of it: ``updated_at`` moves with each heartbeat (nova.md 1.2)."""
    beat = parse_time((view.service.updated_at if view.service else None) or "")
    return "a time that Nova does not tell" if beat is None else format_time(beat)


def _told_at(view: HostView) -> float:
    """Return when the attribute was published; one without a time, which is not ours, counts as old."""
    return parse_time(record.wedged_at(view.node.wedged) or "") or 0.0
