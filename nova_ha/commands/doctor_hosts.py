# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about hosts: names, Nova's services, records. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from nova_ha import record
from nova_ha.clock import parse_time
from nova_ha.commands.configuration import COMPUTE_AGENT
from nova_ha.commands.facts import ClusterFacts, Facts, NovaFacts
from nova_ha.commands.finding import ERROR, NOTE, WARNING, Finding
from nova_ha.commands.places import is_banned
from nova_ha.errors import HostNameError
from nova_ha.host_names import HostNames
from nova_ha.model import ClusterNode, Service

#: A recovery that takes longer than this is worth a look, however many servers there are.
LONG_RECOVERY = 1800.0


def host_names(facts: Facts) -> Iterator[Finding]:
    """Every compute node is exactly one of Nova's hosts, and every host of Nova is a node of the cluster."""
    if facts.cluster is None or facts.nova is None:
        return
    names = HostNames((service.host for service in facts.nova.services), facts.nova.domain)
    hosts = host_by_node(facts.cluster, facts.nova)
    for node in facts.cluster.remote_nodes:
        if node.name not in hosts:
            yield _no_host(names, facts.cluster, node)
    for host in sorted({service.host for service in facts.nova.services}):
        nodes = [node for node, found in hosts.items() if found == host]
        if not nodes:
            fix = f"pcs cluster node add-remote {host.partition('.')[0]}"
            problem = "no Pacemaker Remote node of this cluster is this host: its death would not be noticed"
            yield Finding("host-name", host, WARNING, problem, fix)
        elif len(nodes) > 1:
            problem = f"the nodes {', '.join(sorted(nodes))} are all this host of Nova: which one is fenced?"
            yield Finding("host-name", host, ERROR, problem, f"pcs cluster node remove-remote {nodes[-1]}")


def host_by_node(cluster: ClusterFacts, nova: NovaFacts) -> dict[str, str]:
    """Return Nova's host of each remote node that is one."""
    names = HostNames((service.host for service in nova.services), nova.domain)
    found = {}
    for node in cluster.remote_nodes:
        with suppress(HostNameError):
            found[node.name] = names.host_of(node.name)
    return found


def _no_host(names: HostNames, cluster: ClusterFacts, node: ClusterNode) -> Finding:
    """Report a node that is no host of Nova: a mistake if nova-compute may run there."""
    try:
        problem = f"node '{node.name}' is Nova's {names.host_of(node.name)}"
    except HostNameError as error:
        problem = str(error)
    runs_compute = any(
        not is_banned(cluster.configuration, resource, node.name, is_remote=True)
        for resource in cluster.configuration.running(COMPUTE_AGENT)
    )
    if not runs_compute:
        return Finding(
            "host-name", node.name, NOTE, f"{problem}; nova-compute cannot run there either", "none"
        )
    fix = f"set host = {node.name} in nova.conf of that node, before its first server"
    return Finding("host-name", node.name, ERROR, f"{problem}: its servers would not be recovered", fix)


def services(facts: Facts) -> Iterator[Finding]:
    """Nova sees each host as it is, and nothing is left over from an earlier recovery."""
    if facts.nova is None:
        return
    nodes = _node_by_host(facts.cluster, facts.nova) if facts.cluster is not None else {}
    for service in facts.nova.services:
        yield from _service(service, nodes.get(service.host))


def capacity(facts: Facts) -> Iterator[Finding]:
    """At least two hosts take servers: those of the one must have somewhere to go."""
    if facts.nova is None:
        return
    ready = sum(1 for service in facts.nova.services if service.takes_servers)
    if ready < 2:  # noqa: PLR2004 - see above
        problem = f"{ready} of {len(facts.nova.services)} hosts take servers: there is nowhere to recover to"
        yield Finding("capacity", "Nova", WARNING, problem, "openstack compute service list")


def _service(service: Service, node: ClusterNode | None) -> Iterator[Finding]:
    """Judge one host; one with a record is the evacuator's."""
    host, has_record = service.host, node is not None and bool(node.fenced)
    if not service.is_known:
        problem = "Nova cannot reach the database of its cell: nothing there can be recovered now"
        yield Finding("services", host, ERROR, problem, "nova-manage cell_v2 list_cells --verbose")
    elif has_record:
        return
    elif service.forced_down:
        by = "left over from nova-ha" if service.is_ours else "by somebody"
        fix = (
            f"nova-ha return {host}"
            if service.is_ours
            else f"openstack compute service set --up {host} nova-compute"
        )
        yield Finding("services", host, WARNING, f"it is forced down, {by}, and takes no servers", fix)
    elif service.is_ours and node is not None and not node.online:
        problem = f"Pacemaker has lost it, and Nova knows ({service.disabled_reason})"
        yield Finding("services", host, NOTE, problem, "nova-ha status")
    elif service.is_ours:
        problem = f"it is still disabled by nova-ha ({service.disabled_reason}), without a record"
        yield Finding("services", host, WARNING, problem, f"nova-ha enable {host}")
    elif service.state == "down" and (node is None or node.online):
        problem = f"nova-compute does not report to Nova (last heard of {service.updated_at or 'never'})"
        yield Finding(
            "services", host, WARNING, problem, f"nova-ha status; systemctl status nova-compute on {host}"
        )
    elif service.status == "disabled":
        problem = (
            f"an operator has disabled it ({service.disabled_reason or 'no reason given'}); that is kept"
        )
        yield Finding("services", host, NOTE, problem, f"nova-ha enable {host} --force")


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


def records(facts: Facts) -> Iterator[Finding]:
    """No record is left over, and every recovery gets on."""
    if facts.cluster is None:
        return
    hosts = host_by_node(facts.cluster, facts.nova) if facts.nova is not None else None
    for node in facts.cluster.nodes:
        if node.fenced:
            yield from _record(facts.now, node, hosts)
        elif (node.state or "").startswith(record.NOT_RECOVERED):
            left = (node.state or "")[len(record.NOT_RECOVERED) :]
            problem = f"servers that could not be recovered when it was fenced: {left}"
            yield Finding("records", node.name, WARNING, problem, _delete(node.name, record.STATE))
        elif node.evacuated or node.servers:
            name = record.EVACUATED if node.evacuated else record.SERVERS
            yield Finding("records", node.name, NOTE, f"{name} without a record", _delete(node.name, name))
        if node.legacy not in (None, "", "no"):
            problem = f"the old agents' attribute evacuate is '{node.legacy}'"
            fix = f"attrd_updater --name evacuate --node {node.name} --delete"
            yield Finding("records", node.name, WARNING, problem, fix)


def _record(now: float, node: ClusterNode, hosts: Mapping[str, str] | None) -> Iterator[Finding]:
    """Judge one record."""
    age = now - (parse_time(node.fenced_at or "") or now)
    said = f" ({node.state})" if node.state else ""
    if hosts is not None and node.name not in hosts:
        problem = f"it has a record ({node.fenced}) and is no host of Nova"
        yield Finding("records", node.name, WARNING, problem, _delete(node.name, record.FENCED))
    elif not node.recovery_is_open:
        where = "its return is under way" if node.online else "it has not returned yet"
        problem = f"fenced {node.fenced_at}, its servers are recovered, {where}{said}"
        yield Finding("records", node.name, NOTE, problem, "nova-ha status")
    else:
        is_late = age > LONG_RECOVERY or (node.state or "").startswith("held")
        problem = f"fenced {node.fenced_at}, and its recovery is not complete{said}"
        yield Finding("records", node.name, WARNING if is_late else NOTE, problem, "nova-ha status")


def _delete(node: str, name: str) -> str:
    return f"crm_attribute --node {node} --name {name} --lifetime forever --delete"


def _node_by_host(cluster: ClusterFacts, nova: NovaFacts) -> dict[str, ClusterNode]:
    nodes = {node.name: node for node in cluster.remote_nodes}
    return {host: nodes[name] for name, host in host_by_node(cluster, nova).items()}
