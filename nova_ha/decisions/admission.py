# SPDX-License-Identifier: Apache-2.0
"""Decide which of the servers that may be asked for are asked for now.

Nova does not bound evacuations (nova.md 4, rule 23), so this does: so many at once in all and per healthy
destination; one at a time of a hard anti-affinity group (rule 24); highest priority first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.plan import Fate, HostPlan, Verdict
from nova_ha.decisions.policy import Policy
from nova_ha.model import ServerGroup, Service

#: Why servers wait for which a person may have to do something.
NOWHERE = "no host can take servers now"


def admit(
    plans: Sequence[HostPlan],
    services: Iterable[Service],
    groups: Mapping[str, ServerGroup],
    policy: Policy,
) -> tuple[HostPlan, ...]:
    """Return the plans with only those servers ready that are asked for now; the others wait."""
    everyone = [verdict for plan in plans for verdict in plan.verdicts]
    in_flight = [verdict.view.id for verdict in everyone if verdict.fate.is_in_flight]
    healthy = sum(1 for service in services if service.takes_servers)
    places = sum(1 for verdict in everyone if verdict.takes_a_place)
    room = min(policy.max_in_flight, policy.per_destination * healthy) - places
    busy = {groups[server].id for server in in_flight if server in groups}
    stuck = {groups[v.view.id].id for v in everyone if _is_stuck_on_its_way(v) and v.view.id in groups}
    refused: dict[str, Verdict] = {}
    for verdict in _by_priority(_candidates(plans), policy):
        reason = _reason_to_wait(verdict, room, healthy, busy, groups)
        if reason:
            is_stuck = reason == NOWHERE or _waits_for(stuck, verdict, groups)
            refused[verdict.view.id] = Verdict(verdict.view, Fate.WAITING, reason, is_stuck=is_stuck)
            continue
        room -= 1
        if verdict.view.id in groups:
            busy.add(groups[verdict.view.id].id)
    return tuple(_with_waiting(plan, refused) for plan in plans)


def _candidates(plans: Sequence[HostPlan]) -> list[Verdict]:
    return [
        v
        for plan in plans
        for v in plan.verdicts
        if v.fate is Fate.READY and plan.state is HostState.EVACUATING
    ]


def _by_priority(verdicts: list[Verdict], policy: Policy) -> list[Verdict]:
    """Order by the priority in the servers' metadata, highest first; otherwise as Nova lists them."""
    return sorted(verdicts, key=lambda verdict: -priority(verdict, policy.priority_key))


def priority(verdict: Verdict, key: str) -> int:
    """Return a server's priority; 0 when it has none, or none that is a number."""
    metadata = dict(verdict.view.server.metadata) if verdict.view.server and key else {}
    try:
        return int(metadata.get(key, "0"))
    except ValueError:
        return 0


def _reason_to_wait(
    verdict: Verdict, room: int, healthy: int, busy: set[str], groups: Mapping[str, ServerGroup]
) -> str | None:
    group = groups.get(verdict.view.id)
    if healthy == 0:
        return NOWHERE
    if room <= 0:
        return "enough evacuations are under way"
    if group is not None and group.policy == "anti-affinity" and group.id in busy:
        return f"another member of anti-affinity group {group.id} is under way"
    return None


def _is_stuck_on_its_way(verdict: Verdict) -> bool:
    return verdict.fate.is_in_flight and verdict.is_stuck


def _waits_for(stuck: set[str], verdict: Verdict, groups: Mapping[str, ServerGroup]) -> bool:
    """Say whether a server waits for a member of its group that does not get on: then neither does it."""
    return verdict.view.id in groups and groups[verdict.view.id].id in stuck


def _with_waiting(plan: HostPlan, refused: Mapping[str, Verdict]) -> HostPlan:
    """Let the servers wait that were not admitted, and all of a host that is not claimed yet."""
    verdicts = tuple(_settled(verdict, plan, refused) for verdict in plan.verdicts)
    reason = NOWHERE if any(verdict.reason == NOWHERE for verdict in verdicts) else plan.reason
    return replace(plan, verdicts=verdicts, reason=reason)


def _settled(verdict: Verdict, plan: HostPlan, refused: Mapping[str, Verdict]) -> Verdict:
    if verdict.fate is not Fate.READY:
        return verdict
    if verdict.view.id in refused:
        return refused[verdict.view.id]
    if not plan.view.is_claimed:
        return Verdict(verdict.view, Fate.WAITING, "this evacuator is being named on the node's entry")
    return verdict if plan.view.is_fresh else replace(verdict, steps=())
