# SPDX-License-Identifier: Apache-2.0
"""Decide about servers that could not leave their host, which is back in service: start each, and see it run.

Nova goes on to show a server as ACTIVE and running that has died with its host, until its nova-compute
compares (``sync_power_state_interval``, ten minutes). So each one is started, whatever Nova shows, and what
Nova shows counts only after it took that request: nova-api sets the task_state before it answers, and
nova-compute clears it at the end (``_hard_reboot`` in compute/api.py, ``reboot_instance`` in
compute/manager.py). A storage may be back later than the host: a start that failed is tried again.
"""

from __future__ import annotations

from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView, ServerView
from nova_ha.decisions.plan import Fate, HostPlan, StartAtHome, Verdict
from nova_ha.decisions.policy import Policy
from nova_ha.model import ClusterNode, Server
from nova_ha.record import START, STARTED, servers_with

#: Servers that are started in one pass on a host that is back.
STARTED_AT_ONCE = 10

_RUNNING = 1  # Nova's power_state of a guest that runs
_MAY_BE_STARTED = ("active", "stopped", "error")
_UNSEEN = "Nova has not shown it yet"


def to_be_started(node: ClusterNode) -> tuple[str, ...]:
    """Return the servers of a node that are to be started on it, or were and are not seen to run yet."""
    return tuple(sorted({*servers_with(START, node.facts), *servers_with(STARTED, node.facts)}))


def is_starting(view: HostView) -> bool:
    """Say whether a host is back so far that servers are started on it, and there are such."""
    service, node = view.service, view.node
    is_up = service is not None and service.is_known and service.state == "up" and not service.forced_down
    is_back = bool(node.fenced) and not node.recovery_is_open and node.online
    return is_up and is_back and bool(to_be_started(node))


def decide_start(view: HostView, now: float, policy: Policy) -> HostPlan | None:
    """Return what to do about servers that are to be started on a host; None when there are none."""
    waiting = to_be_started(view.node)
    if not waiting:
        return None
    reason = f"{len(waiting)} servers are to be started on it"
    listed = {server.id: server for server in view.servers or ()}
    views = [listed.get(i) or ServerView(i, None, is_here=False) for i in waiting]
    verdicts = tuple(_verdict(server, view, now, policy) for server in views)
    due = tuple(v.view.id for v in verdicts if v.starts_at_home)[:STARTED_AT_ONCE]
    taken = tuple(v.view.id for v in verdicts if _is_being_started(v.view.server))
    over = tuple(v.view.id for v in verdicts if v.fate.is_final)
    is_news = over or any(START + server in view.node.facts for server in taken)
    steps = (StartAtHome(due, taken, over),) if due or is_news else ()
    return HostPlan(view, HostState.RETURNING, reason, verdicts, steps)


def _verdict(server: ServerView, host: HostView, now: float, policy: Policy) -> Verdict:
    """Return where a server stands that is to be started."""
    found, starts = server.server, server.notes.starts
    if found is None:
        fate, reason = (Fate.GONE, "deleted by its owner") if server.is_gone else (Fate.WAITING, _UNSEEN)
        return Verdict(server, fate, reason)
    if _is_being_started(found):
        is_late = bool(starts) and now - starts[-1] > policy.stuck_after
        return Verdict(server, Fate.WAITING, "its host is back and starts it", is_stuck=is_late)
    is_taken = STARTED + server.id in host.node.facts
    if is_taken and (found.vm_state, found.power_state) == ("active", _RUNNING):
        return Verdict(server, Fate.VERIFIED, "started on its own host")
    if _is_not_ours(found, host, is_taken=is_taken):
        return Verdict(server, Fate.IGNORED, f"somebody has changed it: {found.vm_state} on {found.host}")
    due = starts[-1] + policy.retry_delay(len(starts)) if starts else now
    why = f"start {len(starts)} on its own host failed: {found.fault or found.status}"
    if now < due:
        return Verdict(server, Fate.RETRYING, why, at=due)
    fate, reason = (Fate.RETRYING, why) if starts else (Fate.WAITING, "to be started on its own host")
    return Verdict(server, fate, reason, starts_at_home=True)


def _is_being_started(server: Server | None) -> bool:
    return server is not None and (server.task_state or "").startswith("reboot")


def _is_not_ours(server: Server, host: HostView, *, is_taken: bool) -> bool:
    """Say whether its owner or an operator has moved it, or put it into a state that is to be kept."""
    was_stopped_since = is_taken and server.vm_state == "stopped"
    return server.host != host.host or server.vm_state not in _MAY_BE_STARTED or was_stopped_since
