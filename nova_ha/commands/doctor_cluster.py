# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about Pacemaker as a whole and about nova-ha's resources. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nova_ha.commands.configuration import (
    COMPUTE_AGENT,
    EVACUATE_AGENT,
    FALSE,
    FENCE_AGENT,
    REMOTE_AGENT,
    TRUE,
    Configuration,
    Resource,
    seconds,
)
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.commands.fence_devices import recovers_itself
from nova_ha.commands.finding import ERROR, NOTE, WARNING, Finding, example
from nova_ha.commands.resource_state import ResourceState, running_on, states

#: Pacemaker gives up on a fencing that has failed ten times until its next recheck (default 15 min).
LONGEST_RECHECK = 300.0
#: nova-ha's own.
_AGENTS = (FENCE_AGENT, EVACUATE_AGENT, COMPUTE_AGENT)


def pacemaker(facts: Facts) -> Iterator[Finding]:
    """Pacemaker answers, this partition of the cluster has quorum, and all nodes are to run something."""
    if facts.cluster is None:
        if facts.cluster_problem:
            yield Finding("pacemaker", "cluster", ERROR, facts.cluster_problem, "pcs cluster start")
        return
    if not facts.cluster.cib.is_quorate:
        yield Finding(
            "pacemaker",
            "cluster",
            ERROR,
            "no quorum: nothing is fenced or recovered here",
            "pcs quorum status",
        )
    for node in facts.cluster.members:
        if not node.online:
            yield Finding(
                "pacemaker",
                node.name,
                WARNING,
                "this controller is offline",
                f"pcs cluster start {node.name}",
            )
    yield from _idle_nodes(facts.cluster)


def _idle_nodes(cluster: ClusterFacts) -> Iterator[Finding]:
    """No maintenance of a node was forgotten."""
    for node in (*cluster.members, *cluster.compute_nodes):
        attributes = cluster.configuration.node_attributes(node.name)
        for name, problem in (
            ("standby", "it is in standby: Pacemaker runs nothing on it"),
            ("maintenance", "it is in maintenance: Pacemaker starts, stops and watches nothing on it"),
        ):
            if attributes.get(name, "").lower() in TRUE:
                yield Finding("pacemaker", node.name, WARNING, problem, f"pcs node un{name} {node.name}")


def properties(facts: Facts) -> Iterator[Finding]:
    """Fencing is on, the cluster is not in maintenance, and what failed is tried again soon."""
    if facts.cluster is None:
        return
    configuration = facts.cluster.configuration
    name, enabled = configuration.fencing_property("enabled")
    if (enabled or "true").lower() in FALSE:
        yield Finding(
            "stonith-enabled",
            "cluster",
            ERROR,
            "fencing is off: no dead node is ever proven to be off, so nothing is recovered",
            f"pcs property set {name}=true",
        )
    if (configuration.property("maintenance-mode") or "").lower() in TRUE:
        yield Finding(
            "maintenance-mode",
            "cluster",
            WARNING,
            "the cluster is in maintenance: nothing is started, stopped or fenced",
            "pcs property set maintenance-mode=false",
        )
    yield from _recheck(configuration)


def _recheck(configuration: Configuration) -> Iterator[Finding]:
    text = configuration.property("cluster-recheck-interval")
    interval = seconds(text) if text else 900.0
    if interval is not None and (interval > LONGEST_RECHECK or interval == 0):
        yield Finding(
            "cluster-recheck-interval",
            "cluster",
            WARNING,
            f"{text or 'not set (15 min)'}: Pacemaker waits so long before the eleventh try to fence a node",
            "pcs property set cluster-recheck-interval=1min",
        )


def resources(facts: Facts) -> Iterator[Finding]:
    """Each of nova-ha's agents is configured, once, and at work; and there are nodes for them."""
    if facts.cluster is None:
        return
    if not facts.cluster.compute_nodes:
        yield Finding(
            "resources", "cluster", NOTE, "there are no Pacemaker Remote nodes", example("020-nodes.sh")
        )
    for agent, what, fix in (
        (FENCE_AGENT, "nothing records that a node was fenced", example("050-fence-compute.sh")),
        (EVACUATE_AGENT, "nobody recovers servers", example("070-nova-evacuate.sh")),
        (COMPUTE_AGENT, "nobody watches nova-compute", example("060-compute-services.sh")),
    ):
        found = facts.cluster.configuration.running(agent)
        is_done_inline = agent == EVACUATE_AGENT and any(
            map(recovers_itself, facts.cluster.configuration.running(FENCE_AGENT))
        )
        if not found and not is_done_inline:
            severity = WARNING if agent != EVACUATE_AGENT else ERROR
            yield Finding("resources", agent, severity, f"no resource has this agent: {what}", fix)
        for resource in found:
            if resource.is_disabled:
                command = "stonith" if agent == FENCE_AGENT else "resource"
                yield Finding(
                    "resources",
                    resource.id,
                    ERROR,
                    f"it is disabled: {what}",
                    f"pcs {command} enable {resource.id}",
                )
    yield from _one_evacuator(facts.cluster)
    yield from _left_alone(facts.cluster)


def _left_alone(cluster: ClusterFacts) -> Iterator[Finding]:
    """No maintenance of a resource was forgotten."""
    ours = [one for agent in _AGENTS for one in cluster.configuration.running(agent)]
    nodes = {node.name for node in cluster.compute_nodes}
    connections = [one for one in cluster.configuration.running(REMOTE_AGENT) if one.id in nodes]
    for resource in connections:
        if resource.is_disabled:
            problem = "it is disabled: nobody watches this node; when it dies its servers are not recovered"
            yield Finding("resources", resource.id, WARNING, problem, f"pcs resource enable {resource.id}")
    for resource in (*ours, *connections):
        if resource.is_left_alone:
            problem = "it is unmanaged: Pacemaker does nothing when it fails"
            yield Finding("resources", resource.id, WARNING, problem, _manage(resource))


def _manage(resource: Resource) -> str:
    """Return the command that gives a resource back to Pacemaker."""
    command = "stonith" if resource.agent == FENCE_AGENT else "resource"
    if resource.is_in_maintenance:
        return f"pcs {command} meta {resource.id} maintenance=false"
    return f"pcs {command} meta {resource.id} is-managed=true"


def _one_evacuator(cluster: ClusterFacts) -> Iterator[Finding]:
    """No two evacuators may be at work."""
    found = cluster.configuration.running(EVACUATE_AGENT)
    for resource in found:
        if resource.is_clone:
            yield Finding(
                "resources",
                resource.id,
                ERROR,
                "it is a clone: two evacuators would send requests for the same servers",
                f"pcs resource unclone {resource.id}",
            )
    if len(found) > 1:
        names = ", ".join(resource.id for resource in found)
        yield Finding(
            "resources", names, ERROR, "more than one evacuator", f"pcs resource delete {found[-1].id}"
        )


def health(facts: Facts) -> Iterator[Finding]:
    """The evacuator runs and has no complaint; no action of nova-ha's resources has failed."""
    if facts.cluster is None:
        return
    root = facts.cluster.cib.root
    for resource in facts.cluster.configuration.running(EVACUATE_AGENT):
        state = running_on(root, resource)
        if state is None and not resource.is_disabled:
            fix = f"pcs resource debug-start {resource.id}"
            yield Finding("evacuator", resource.id, ERROR, "it runs nowhere: nobody recovers servers", fix)
        elif state is not None and state.is_degraded:
            reason = state.reason or "it says that not all is well"
            yield Finding("evacuator", resource.id, WARNING, f"on {state.node}: {reason}", "nova-ha status")
    for agent in _AGENTS:
        for resource in facts.cluster.configuration.running(agent):
            for state in states(root, resource):
                if state.is_degraded and agent == COMPUTE_AGENT:
                    yield _degraded(resource, state)
                if state.has_failed:
                    said = f": {state.reason}" if state.reason else f" (exit status {state.exit_status})"
                    yield Finding(
                        "failed-action",
                        f"{resource.id} on {state.node}",
                        WARNING,
                        f"{state.operation} failed{said}",
                        f"pcs resource cleanup {resource.id}",
                    )


def _degraded(resource: Resource, state: ResourceState) -> Finding:
    """Return what nova-compute's agent complains of, with the command that it names itself."""
    subject = f"{resource.id} on {state.node}"
    problem = f"degraded: {state.reason or 'it says that not all is well'}"
    command = re.search(r"; run: ([^;]+)", state.reason)
    fix = f"ssh {state.node} {command[1]}" if command else "crm_mon -1 --inactive"
    return Finding("failed-action", subject, WARNING, problem, fix)


def legacy(facts: Facts) -> Iterator[Finding]:
    """The agents that nova-ha replaces are gone."""
    if facts.cluster is None:
        return
    for resource in facts.cluster.configuration.resources:
        if resource.agent == "stonith:fence_evacuate":
            yield Finding(
                "old-agents",
                resource.id,
                WARNING,
                "fence_evacuate evacuates by itself, beside nova-ha",
                f"pcs stonith delete {resource.id}",
            )
