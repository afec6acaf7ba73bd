# SPDX-License-Identifier: Apache-2.0
"""What must hold for every plan, checked after every pass of every test: rules R1, R3, R5 for one look.

Written apart from the decisions, from the rules alone, so that a mistake in one shows against the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import Observation
from nova_ha.decisions.plan import (
    ClearForcedDown,
    ClearRecord,
    Evacuate,
    Fate,
    HostPlan,
    MarkEvacuated,
    Plan,
    Verdict,
    WriteRecord,
)
from nova_ha.decisions.plan_unfenced import Disable, FenceWedged, MarkWedged, TakeBack
from nova_ha.decisions.policy import Policy


def check_invariants(observation: Observation, plan: Plan, policy: Policy) -> None:
    """Raise AssertionError with everything that must not be in this plan."""
    broken = [*_hosts(observation, plan, policy), *_bounds(observation, plan, policy)]
    if broken:
        raise AssertionError("; ".join(broken))


def _hosts(observation: Observation, plan: Plan, policy: Policy) -> Iterator[str]:
    for host in plan.hosts:
        for verdict in host.verdicts:
            if any(isinstance(step, Evacuate) for step in verdict.steps):
                yield from _request(observation, host, verdict)
        yield from _closing(host)
        yield from _returning(host)
        yield from _marked(host)
        yield from _lost(observation, host)
        yield from _wedged(observation, host, policy)


def _request(observation: Observation, host: HostPlan, verdict: Verdict) -> Iterator[str]:
    """A request is sent only for a server of a host that is proven off, and that nothing may be moving."""
    view, service = verdict.view, host.view.service
    what = f"evacuate of {view.id}"
    if not observation.cluster.quorate:
        yield f"{what} without quorum"
    if not host.view.node.recovery_is_open:
        yield f"{what} without an open record"
    if service is None or not service.is_known or not service.forced_down or service.state != "down":
        yield f"{what} although Nova does not see its host as forced down"
    if host.view.heartbeat.is_proven:
        yield f"{what} although the nova-compute of its host is alive"
    if host.view.problem or not host.view.is_fresh or not view.is_here:
        yield f"{what} on an answer that proves nothing"
    unexplained = any(record.status in ("accepted", "done") for record in view.records)
    if view.outstanding or (view.attempts is None and unexplained):
        yield f"{what} while an earlier one may be running"
    if not host.view.is_claimed:
        yield f"{what} before this evacuator is named on the node's entry"
    if verdict.fate is not Fate.READY:
        yield f"{what} with fate {verdict.fate.word}"


def _closing(host: HostPlan) -> Iterator[str]:
    """A recovery is closed only when every server has come to its end and nothing may still be running."""
    if not any(isinstance(step, MarkEvacuated) for step in host.steps) or not host.view.node.recovery_is_open:
        return
    if host.view.servers is None or host.view.problem:
        yield f"recovery of {host.view.host} closed without a list of its servers"
    if any(verdict.view.is_here and verdict.view.open_records for verdict in host.verdicts):
        yield f"recovery of {host.view.host} closed with open evacuations of servers that are still there"
    left = [verdict for verdict in host.verdicts if not verdict.fate.is_final]
    if left:
        yield f"recovery of {host.view.host} closed with {len(left)} servers on their way"


def _returning(host: HostPlan) -> Iterator[str]:
    """A host is let back only after its recovery, and in Nova's order."""
    letting_back = any(isinstance(step, (ClearForcedDown, ClearRecord)) for step in host.steps)
    if letting_back and host.view.node.recovery_is_open:
        yield f"host {host.view.host} let back with an open recovery"
    clears = any(isinstance(step, ClearRecord) for step in host.steps)
    service = host.view.service
    if clears and (service is None or service.forced_down or service.state != "up"):
        yield f"record of {host.view.host} removed although it is not back"
    if clears and host.state is not HostState.UP:
        yield f"record of {host.view.host} removed in state {host.state.word}"


def _marked(host: HostPlan) -> Iterator[str]:
    """No mark stands beside the record of another fencing: Pacemaker's constraint only asks for any mark."""
    node = host.view.node
    if node.fenced and node.evacuated not in (None, node.fenced_at):
        yield f"{host.view.host} is marked as evacuated at {node.evacuated}, but fenced at {node.fenced_at}"


def _lost(observation: Observation, host: HostPlan) -> Iterator[str]:
    """A loss proves nothing, and nothing is undone that nova-ha has not done because of it."""
    node, service = host.view.node, host.view.service
    for step in host.steps:
        if isinstance(step, (Disable, TakeBack)) and (node.fenced or not observation.cluster.quorate):
            yield f"{type(step).__name__} of {host.view.host} with a record, or without quorum"
        if isinstance(step, Disable) and (node.online or service is None or service.status != "enabled"):
            yield f"{host.view.host} disabled although it is online, or somebody else has done so"
        if isinstance(step, TakeBack) and not (node.online and service is not None and service.is_lost):
            yield f"{host.view.host} enabled although it is not online, or not disabled by us as lost"
        if isinstance(step, WriteRecord) and node.fenced_since is None and _is_no_proof(host):
            yield f"record of {host.view.host} written without a proof of its fencing"


def _wedged(observation: Observation, host: HostPlan, policy: Policy) -> Iterator[str]:
    """A host is blamed for its silence only while Nova is well, and fenced only on request, and alone."""
    node, service, health = host.view.node, host.view.service, observation.health
    steps = [step for step in host.steps if isinstance(step, (MarkWedged, FenceWedged))]
    if not steps:
        return
    if service is None or (service.state, service.status, service.forced_down) != ("down", "enabled", False):
        yield f"{host.view.host} called wedged although it reports, or need not"
    if not node.online or node.fenced or not observation.cluster.quorate:
        yield f"{host.view.host} called wedged although it is not in the cluster"
    if health is None or not health.conductors_up or health.silent > health.reporting:
        yield f"{host.view.host} called wedged although Nova itself may be to blame"
    others = [other for other in observation.cluster.nodes if other.lost or other.recovery_is_open]
    if any(isinstance(step, FenceWedged) for step in steps) and (others or not policy.fence_wedged_after):
        yield f"{host.view.host} to be fenced though nobody wants that, or more than this host is in trouble"


def _is_no_proof(host: HostPlan) -> bool:
    """Say whether Nova does not remember either that the host was fenced, or it was connected since."""
    service = host.view.service
    if host.view.node.lost or service is None:
        return True
    return not service.forced_down or service.marked_at is None


def _bounds(observation: Observation, plan: Plan, policy: Policy) -> Iterator[str]:
    """No more at once than the policy says, and one at a time of a hard anti-affinity group."""
    verdicts = [verdict for host in plan.hosts for verdict in host.verdicts]
    sent = [v for v in verdicts if any(isinstance(step, Evacuate) for step in v.steps)]
    if sent and plan.in_flight + len(sent) > policy.max_in_flight:
        yield f"{plan.in_flight + len(sent)} evacuations in flight, more than {policy.max_in_flight}"
    moving = [v.view.id for v in verdicts if v.fate.is_in_flight] + [v.view.id for v in sent]
    groups = Counter(
        observation.groups[server].id
        for server in moving
        if server in observation.groups and observation.groups[server].policy == "anti-affinity"
    )
    asked = {observation.groups[v.view.id].id for v in sent if v.view.id in observation.groups}
    for group, members in groups.items():
        if group in asked and members > 1:
            yield f"{members} members of anti-affinity group {group} in flight"
