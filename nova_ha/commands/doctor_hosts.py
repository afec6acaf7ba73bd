# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about the names of hosts, and about records. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from nova_ha import record
from nova_ha.clock import parse_time
from nova_ha.commands.compute_nodes import can_run_compute, why_no_host
from nova_ha.commands.configuration import COMPUTE_AGENT
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.commands.finding import ERROR, NOTE, WARNING, Finding
from nova_ha.errors import HostNameError
from nova_ha.model import ClusterNode
from nova_ha.openstack.host_names import HostNames
from nova_ha.pacemaker.standalone_cluster import LEDGER

#: A recovery that takes longer than this is worth a look, however many servers there are.
LONG_RECOVERY = 1800.0


def host_names(facts: Facts) -> Iterator[Finding]:
    """Every compute node is exactly one of Nova's hosts, and every host of Nova is a node of the cluster."""
    if facts.cluster is None or facts.nova is None:
        return
    hosts = host_by_node(facts.cluster)
    for node in facts.cluster.compute_nodes:
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
    for node in cluster.compute_nodes:
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


def records(facts: Facts) -> Iterator[Finding]:
    """No record is left over, every recovery gets on, and no lost node waits for its fencing."""
    yield from _ledger(facts)
    if facts.cluster is None:
        return
    for node in facts.cluster.nodes:
        if node.fenced:
            yield _unknown_record(facts.cluster, node) or _record(facts.now, node)
        elif _has_left_behind(node):
            yield _left_behind(node, _delete(node.name, record.STATE))
        elif node.evacuated or node.servers:
            name = record.EVACUATED if node.evacuated else record.SERVERS
            yield Finding("records", node.name, NOTE, f"{name} without a record", _delete(node.name, name))
        if node.legacy not in (None, "", "no"):
            problem = f"the old agents' attribute evacuate is '{node.legacy}'"
            fix = f"attrd_updater --name evacuate --node {node.name} --delete"
            yield Finding("records", node.name, WARNING, problem, fix)
    for node in facts.cluster.compute_nodes:
        if node.lost and not node.fenced and node.fenced_since is None:
            yield _not_fenced(node.name, facts.cluster.failed_fencings.get(node.name))


def _ledger(facts: Facts) -> Iterator[Finding]:
    """Judge the hosts that no Pacemaker knows: here it is an admin who goes on with a recovery."""
    if facts.ledger_problem is not None:
        yield Finding("records", "ledger", WARNING, facts.ledger_problem, f"ls -l {LEDGER}")
    for host in facts.ledger:
        if host.fenced:
            word = "evacuate" if host.recovery_is_open else "return"
            yield replace(_record(facts.now, host), fix=f"nova-ha {word} {host.name}")
        elif _has_left_behind(host):
            yield _left_behind(host, f"rm {LEDGER / host.name}.json")


def _has_left_behind(node: ClusterNode) -> bool:
    return (node.state or "").startswith(record.NOT_RECOVERED)


def _left_behind(node: ClusterNode, fix: str) -> Finding:
    left = (node.state or "")[len(record.NOT_RECOVERED) :]
    problem = f"servers that could not be recovered when it was fenced: {left}"
    return Finding("records", node.name, WARNING, problem, fix)


def _not_fenced(node: str, failure: str | None) -> Finding:
    """Report a node that Pacemaker has lost and whose power-off is not proven: nothing may be recovered."""
    problem = "Pacemaker has lost it, and it is not fenced yet: its servers are not recovered"
    if failure is None:
        return Finding("records", node, WARNING, problem, f"pcs stonith history show {node}")
    fix = (
        "mend its power device (pcs stonith history show); or make sure yourself that its power is off, and "
        f"only then: pcs stonith confirm {node}"
    )
    return Finding("records", node, ERROR, f"{problem}; its last fencing failed: {failure}", fix)


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
