# SPDX-License-Identifier: Apache-2.0
"""From one observation to the plan for every host: the whole decision, without any effect.

Start reading here. A host whose fencing nobody recorded goes to `decide_proof`, one that is lost and not
fenced to `decide_lost`, one whose nova-compute is silent to `decide_wedged`, one with an open recovery to
`decide_host`, one whose recovery is complete to `decide_return`; each server goes through `decide_server`; at
the end `admission` bounds what is sent at once.
"""

from __future__ import annotations

from dataclasses import replace

from nova_ha.decisions.admission import admit
from nova_ha.decisions.decide_host import Circumstances, decide_recovery, reason_it_may_be_alive
from nova_ha.decisions.decide_lost import decide_lost
from nova_ha.decisions.decide_proof import decide_unrecorded, unrecorded_fencing
from nova_ha.decisions.decide_return import decide_return
from nova_ha.decisions.decide_wedged import decide_wedged
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView, Observation
from nova_ha.decisions.plan import HostPlan, Plan
from nova_ha.decisions.policy import Policy
from nova_ha.model import ClusterNode


def decide(observation: Observation, policy: Policy) -> Plan:
    """Return what to do about every host that has a record, or ought to have one."""
    circumstances = Circumstances(
        now=observation.now,
        policy=policy,
        groups=observation.groups,
        conductors_since=observation.conductors_since,
        fencings=observation.fencings,
        hold=reason_to_hold_all(observation, policy),
        destinations=tuple(service for service in observation.services or () if service.takes_servers),
        some_soon=any(s.may_take_servers_soon(observation.now) for s in observation.services or ()),
    )
    dead = frozenset(host.host for host in observation.hosts if _is_dead(host, circumstances))
    circumstances = replace(circumstances, dead_hosts=dead)
    decided = (_decide_host(host, observation, circumstances) for host in observation.hosts)
    plans = [plan for plan in decided if plan is not None]
    return Plan(admit(plans, observation.services or (), observation.groups, policy))


def _decide_host(view: HostView, observation: Observation, circumstances: Circumstances) -> HostPlan | None:
    unrecorded = decide_unrecorded(view)
    is_fenced = unrecorded is not None or view.node.fenced
    if not observation.cluster.quorate:
        # Here every node may seem lost whose connection belongs to the other partition.
        reason = "this partition of the cluster has no quorum"
        return HostPlan(view, HostState.HELD, reason) if is_fenced else None
    if not is_fenced:
        return _decide_unfenced(view, observation, circumstances)
    if unrecorded is not None:
        return unrecorded
    if not view.node.recovery_is_open:
        return decide_return(view, circumstances.now, policy=circumstances.policy)
    return decide_recovery(view, circumstances)


def _decide_unfenced(
    view: HostView, observation: Observation, circumstances: Circumstances
) -> HostPlan | None:
    """Return what to do about a host that has no record, and ought to have none."""
    now, policy = circumstances.now, circumstances.policy
    lost = decide_lost(view, now, policy)
    if lost is not None:
        return lost
    is_alone = not any(_is_in_trouble(node) for node in observation.cluster.nodes)
    return decide_wedged(view, now, policy, observation.health, is_alone=is_alone)


def _is_in_trouble(node: ClusterNode) -> bool:
    """Say whether a node is lost, or its recovery is open or about to begin."""
    return node.lost or node.recovery_is_open or unrecorded_fencing(node) is not None


def reason_to_hold_all(observation: Observation, policy: Policy) -> str | None:
    """Return why no host's servers may be asked for now."""
    failed = sum(1 for host in observation.hosts if host.node.recovery_is_open)
    if policy.threshold and failed > policy.threshold:
        limit = f"more than threshold={policy.threshold}"
        return f"{failed} hosts have failed, {limit}: this looks like a site-wide loss"
    return None


def _is_dead(view: HostView, circumstances: Circumstances) -> bool:
    """Say whether nothing runs or arrives on a host: its nova-compute is down and was not started since.

    A record alone is not enough: somebody may have written it by mistake.

    Once the recovery is complete it is started as soon as the node is online, and takes what waits for it in
    its queue before its first heartbeat; the node may be offline again by then.
    """
    service, node = view.service, view.node
    is_forced_down = service is not None and service.is_known and service.forced_down
    may_have_started = not node.recovery_is_open and (node.online or node.fenced_since is None)
    if not is_forced_down or not node.fenced or may_have_started or view.heartbeat.is_proven:
        return False
    return reason_it_may_be_alive(view, circumstances) is None
