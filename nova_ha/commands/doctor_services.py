# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about the services nova-compute as Nova shows them. Pure functions.

A host whose node has a record, or that Pacemaker has lost, is judged by the check of the records.
"""

from __future__ import annotations

from collections.abc import Iterator

from nova_ha.clock import parse_time
from nova_ha.commands.configuration import COMPUTE_AGENT, EVACUATE_AGENT
from nova_ha.commands.doctor_hosts import host_by_node
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.commands.finding import ERROR, NOTE, WARNING, Finding
from nova_ha.model import ClusterNode, Service


def services(facts: Facts) -> Iterator[Finding]:
    """Nova sees each host as it is, and nothing is left over from an earlier recovery."""
    if facts.nova is None:
        return
    nodes = {host.name: host for host in facts.ledger if host.fenced}
    nodes.update(_node_by_host(facts.cluster) if facts.cluster is not None else {})
    for service in facts.nova.services:
        yield from _service(service, nodes.get(service.host), facts.cluster)


def _node_by_host(cluster: ClusterFacts) -> dict[str, ClusterNode]:
    nodes = {node.name: node for node in cluster.compute_nodes}
    return {host: nodes[name] for name, host in host_by_node(cluster).items()}


def _service(service: Service, node: ClusterNode | None, cluster: ClusterFacts | None) -> Iterator[Finding]:
    """Judge one host."""
    if not service.is_known:
        problem = "Nova cannot reach the database of its cell: nothing there can be recovered now"
        yield Finding("services", service.host, ERROR, problem, "nova-manage cell_v2 list_cells --verbose")
    elif node is not None and node.fenced:
        return
    elif service.forced_down:
        yield _forced_down(service, node, cluster)
    elif node is not None and node.lost:
        return
    elif service.is_ours:
        yield _disabled_by_us(service, node)
    elif service.state == "down" and (node is None or node.online):
        problem = f"nova-compute does not report to Nova (last heard of {service.updated_at or 'never'})"
        fix = f"nova-ha status; systemctl status nova-compute on {service.host}"
        yield Finding("services", service.host, WARNING, problem, fix)
    elif service.status == "disabled":
        reason = service.disabled_reason or "no reason given"
        problem = f"an operator has disabled it ({reason}); that is kept"
        yield Finding("services", service.host, NOTE, problem, f"nova-ha enable {service.host} --force")


def _forced_down(service: Service, node: ClusterNode | None, cluster: ClusterFacts | None) -> Finding:
    # Our marker may stand beside the words of whoever disabled it during the recovery.
    is_ours = service.is_ours or service.marked_at is not None
    by = "left over from nova-ha" if is_ours else "by somebody"
    fix = f"openstack compute service set --up {service.host} nova-compute"
    if is_ours:
        fix = _way_back(service.host, node, cluster)
    problem = f"it is forced down, {by}, and takes no servers"
    return Finding("services", service.host, WARNING, problem, fix)


def _way_back(host: str, node: ClusterNode | None, cluster: ClusterFacts | None) -> str:
    """Return how a host comes back that has our marker and no record.

    The evacuator writes the record anew, and brings the host back as soon as its nova-compute reports
    (`nova_ha.decisions.decide_proof`); ``nova-ha return`` goes by records, and would refuse.
    """
    if node is None or cluster is None:
        return f"nova-ha return {host}, on the machine whose nova-ha has recovered it"
    has_evacuator = bool(cluster.configuration.running(EVACUATE_AGENT))
    if not node.online:
        return "nova-ha status" if has_evacuator else f"nova-ha evacuate {host}"
    resource = next(iter(cluster.configuration.running(COMPUTE_AGENT)), None)
    how = f" (pcs resource cleanup {resource.id} node={node.name})" if resource is not None else ""
    if has_evacuator:
        return f"start its nova-compute{how}; the evacuator then brings it back, see nova-ha status"
    up = f"openstack compute service set --up {host} nova-compute"
    return f"start its nova-compute{how}; when it has cleaned up: {up} && nova-ha enable {host}"


def _disabled_by_us(service: Service, node: ClusterNode | None) -> Finding:
    if node is not None and not node.online:
        problem = f"it is offline in Pacemaker, and Nova knows ({service.disabled_reason})"
        return Finding("services", service.host, NOTE, problem, "nova-ha status")
    problem = f"it is still disabled by nova-ha ({service.disabled_reason}), without a record"
    return Finding("services", service.host, WARNING, problem, f"nova-ha enable {service.host}")


def capacity(facts: Facts) -> Iterator[Finding]:
    """At least two hosts take servers: those of the one must have somewhere to go."""
    if facts.nova is None:
        return
    ready = sum(1 for service in facts.nova.services if service.takes_servers)
    if ready < 2:  # noqa: PLR2004 - see above
        problem = f"{ready} of {len(facts.nova.services)} hosts take servers: there is nowhere to recover to"
        yield Finding("capacity", "Nova", WARNING, problem, "openstack compute service list")


#: Nova's default service_down_time is 60 s; after twice that a silent host must be shown as down.
SLOW = 120.0


def service_down_time(facts: Facts) -> Iterator[Finding]:
    """Nova notices by itself, within a minute or so, that a nova-compute has died."""
    if facts.nova is None:
        return
    for service in facts.nova.services:
        heard = parse_time(service.updated_at or "")
        silent = facts.now + (facts.nova.clock_offset or 0.0) - heard if heard is not None else 0.0
        if service.state == "up" and silent > SLOW:
            problem = f"Nova shows it as up, and has not heard of it for {silent:.0f} s"
            fix = "set service_down_time = 60 in nova.conf of the API and the schedulers"
            yield Finding("service-down-time", service.host, WARNING, problem, fix)
