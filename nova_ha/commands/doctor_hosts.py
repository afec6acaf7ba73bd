# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about hosts: names, Nova's services, records. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from nova_ha import record
from nova_ha.clock import parse_time
from nova_ha.commands.compute_nodes import can_run_compute, why_no_host
from nova_ha.commands.configuration import COMPUTE_AGENT
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.commands.finding import ERROR, NOTE, WARNING, Finding
from nova_ha.errors import HostNameError
from nova_ha.host_names import HostNames
from nova_ha.model import ClusterNode, Service

#: A recovery that takes longer than this is worth a look, however many servers there are.
LONG_RECOVERY = 1800.0


def host_names(facts: Facts) -> Iterator[Finding]:
    """Every compute node is exactly one of Nova's hosts, and every host of Nova is a node of the cluster."""
    if facts.cluster is None or facts.nova is None:
        return
    hosts = host_by_node(facts.cluster)
    for node in facts.cluster.remote_nodes:
        if node.name not in hosts:
            yield _no_host(facts.cluster, node.name)
    for host in sorted({service.host for service in facts.nova.services}):
        nodes = sorted(node for node, found in hosts.items() if found == host)
        if not nodes:
            fix = f"pcs cluster node add-remote {host.partition('.')[0]}"
            problem = "no Pacemaker Remote node of this cluster is this host: its death would not be noticed"
            yield Finding("host-name", host, WARNING, problem, fix)
        elif len(nodes) > 1:
            problem = f"the nodes {', '.join(nodes)} are all this host of Nova: which one is fenced?"
            yield Finding("host-name", host, ERROR, problem, _TAKE_OUT)


#: ``remove-remote`` alone gets a node that is still connected fenced (pcs-examples/README.md, Roll back).
_TAKE_OUT = (
    "look which of them it is (hostname --fqdn); take the other out of the cluster with pcs resource disable "
    "NODE --wait, and only then pcs cluster node remove-remote NODE; add it again under its own full name"
)


def host_by_node(cluster: ClusterFacts) -> dict[str, str]:
    """Return Nova's host of each compute node that is one."""
    names, found = cluster.names or HostNames(()), {}
    for node in cluster.remote_nodes:
        with suppress(HostNameError):
            found[node.name] = names.host_of(node.name)
    return found


def _no_host(cluster: ClusterFacts, node: str) -> Finding:
    """Report a node on which nova-compute may run, and which is no host of Nova."""
    problem = f"{_why_no_host(cluster, node)}: its servers would not be recovered"
    fix = (
        f"set host = {node} in nova.conf of that node, before its first server; later on, add the node under "
        "its host's name instead"
    )
    return Finding("host-name", node, ERROR, problem, fix)


def _why_no_host(cluster: ClusterFacts, node: str) -> str | None:
    """Return why a node is no host of Nova; None when it is one, or Nova does not tell."""
    return why_no_host(cluster.names, node) if cluster.names is not None else None


def services(facts: Facts) -> Iterator[Finding]:
    """Nova sees each host as it is, and nothing is left over from an earlier recovery."""
    if facts.nova is None:
        return
    nodes = _node_by_host(facts.cluster) if facts.cluster is not None else {}
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
    for node in facts.cluster.nodes:
        if node.fenced:
            yield _unknown_record(facts.cluster, node) or _record(facts.now, node)
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


def _unknown_record(cluster: ClusterFacts, node: ClusterNode) -> Finding | None:
    """Judge a record that the evacuator can do nothing with: whose servers is it about?

    Where nova-compute may run it is a recovery whose host got another name; to remove it would be to forget
    servers (rule R2).
    """
    why = _why_no_host(cluster, node.name)
    if why is None:
        return None
    if not node.is_remote or (
        cluster.configuration.running(COMPUTE_AGENT) and not can_run_compute(cluster.configuration, node.name)
    ):
        problem = f"it has a record ({node.fenced}), is no host of Nova, and nova-compute cannot run there"
        return Finding("records", node.name, WARNING, problem, _delete(node.name, record.FENCED))
    is_open = node.recovery_is_open
    told = "nobody recovers its servers" if is_open else "it is not returned to service"
    fix = (
        "do not delete it; add the node under the name that its host has in Nova, and write it there: "
        f"crm_attribute --node HOST --name {record.FENCED} --lifetime forever --update '{node.fenced}'"
    )
    return Finding(
        "records", node.name, ERROR if is_open else WARNING, f"{node.fenced}, and {told}: {why}", fix
    )


def _record(now: float, node: ClusterNode) -> Finding:
    """Judge one record."""
    age = now - (parse_time(node.fenced_at or "") or now)
    said = f" ({node.state})" if node.state else ""
    if not node.recovery_is_open:
        where = "its return is under way" if node.online else "it has not returned yet"
        problem = f"fenced {node.fenced_at}, its servers are recovered, {where}{said}"
        return Finding("records", node.name, NOTE, problem, "nova-ha status")
    is_late = age > LONG_RECOVERY or (node.state or "").startswith("held")
    problem = f"fenced {node.fenced_at}, and its recovery is not complete{said}"
    return Finding("records", node.name, WARNING if is_late else NOTE, problem, "nova-ha status")


def _delete(node: str, name: str) -> str:
    return f"crm_attribute --node {node} --name {name} --lifetime forever --delete"


def _node_by_host(cluster: ClusterFacts) -> dict[str, ClusterNode]:
    nodes = {node.name: node for node in cluster.remote_nodes}
    return {host: nodes[name] for name, host in host_by_node(cluster).items()}
