# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about the fencing of compute nodes. Pure functions.

A level is right when a device proves that the power is off, and a later one records it:
``pcs stonith level add 1 compute-0 ipmi-compute-0 fence-nova``.
"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence

from nova_ha.commands.configuration import (
    COMPUTE_AGENT,
    EVACUATE_AGENT,
    FENCE_AGENT,
    Configuration,
    Level,
    Resource,
    seconds,
)
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.commands.fence_devices import (
    NO_POWER,
    host_map,
    may_be_for,
    named_nodes,
    recovers_itself,
    switches_one_machine,
)
from nova_ha.commands.finding import ERROR, WARNING, Finding, Severity, example
from nova_ha.commands.resource_state import failure, running_on

#: Pacemaker's own name of the fencing by a node's watchdog, with a resource of that name or without.
_WATCHDOG = "watchdog"


def levels(facts: Facts) -> Iterator[Finding]:
    """Every compute node has fencing levels, each with its own power first and a record after it."""
    if facts.cluster is None:
        return
    for node in facts.cluster.compute_nodes:
        found = facts.cluster.configuration.levels(node.name)
        if not found:
            yield _no_level(facts.cluster, node.name)
        for level in found:
            yield from _level(facts.cluster, node.name, level)
            yield from _power(facts.cluster, node.name, level)
    yield from _one_for_many(facts.cluster)


def _no_level(cluster: ClusterFacts, node: str) -> Finding:
    record = _name(cluster.configuration)
    fix = f"pcs stonith level add 1 {node} {_power_device(cluster, node)} {record}"
    if not cluster.configuration.running(FENCE_AGENT):
        fix = example("050-fence-compute.sh")
    problem = "no fencing level: its fencing is not recorded, or only recorded while it goes on running"
    devices = [one for one in cluster.configuration.resources if one.agent.startswith("stonith:")]
    if not any(one.agent not in NO_POWER and may_be_for(one, node) for one in devices):
        problem = (
            "nothing fences it: when it dies somebody has to switch it off and say so (pcs stonith confirm)"
        )
        fix = example("040-power-ipmi.sh or ./041-power-redfish.sh, and then ./050-fence-compute.sh")
    return Finding("fencing-level", node, ERROR, problem, fix)


def _level(cluster: ClusterFacts, node: str, level: Level) -> Iterator[Finding]:
    configuration = cluster.configuration
    agents = [_agent(configuration, device) for device in level.devices]
    missing = [device for device, agent in zip(level.devices, agents) if agent is None]
    if missing:
        yield _about(node, level, ERROR, f"its device {missing[0]} does not exist", "pcs stonith status")
    elif NO_POWER.issuperset(itertools.takewhile(lambda agent: agent != FENCE_AGENT, agents)):
        problem = f"its first device, {level.devices[0]}, switches nothing off"
        power = [d for d, agent in zip(level.devices, agents) if agent not in NO_POWER]
        default = _power_device(cluster, node) if level.target == node else "POWER-DEVICE"
        fix = _instead(level, power or [default], _name(configuration))
        yield _about(node, level, ERROR, problem, fix)
    elif FENCE_AGENT not in agents and agents[0] != _WATCHDOG:
        yield _about(
            node,
            level,
            WARNING,
            "fence_compute is not in it: a fencing without an evacuator at work is forgotten",
            _instead(level, level.devices, _name(configuration)),
        )


def _power(cluster: ClusterFacts, node: str, level: Level) -> Iterator[Finding]:
    """Every power device of a level works, as far as Pacemaker knows."""
    found = (cluster.configuration.resource(device) for device in level.devices)
    for device in (one for one in found if one is not None and one.agent != FENCE_AGENT):
        problem = _out_of_use(cluster, device)
        if device.is_disabled:
            fix = f"pcs stonith enable {device.id}"
            yield _about(node, level, ERROR, f"its device {device.id} is disabled", fix)
        elif problem:
            yield _about(node, level, ERROR, f"its device {device.id} {problem}", _cleanup(device))
        if not may_be_for(device, node):
            yield _of_another_node(cluster, node, level, device)


def _of_another_node(cluster: ClusterFacts, node: str, level: Level, device: Resource) -> Finding:
    """Return that Pacemaker will not use a device, and the level with the right one in its place."""
    record, right = _name(cluster.configuration), _power_device(cluster, node, besides=level.devices)
    others = ", ".join(sorted(named_nodes(device) or ())) or "no node"
    power = dict.fromkeys(right if name == device.id else name for name in level.devices if name != record)
    problem = f"its device {device.id} is for {others}: the level fails for {node}"
    # The device of a level for many nodes is right for others; what it lacks is this one.
    fix = _instead(level, power, record) if level.target == node else f"pcs stonith config {device.id}"
    return _about(node, level, ERROR, problem, fix)


def _one_for_many(cluster: ClusterFacts) -> Iterator[Finding]:
    """No device that switches a single machine stands for several."""
    levels = {node.name: cluster.configuration.levels(node.name) for node in cluster.nodes}
    devices = {node: {name for level in found for name in level.devices} for node, found in levels.items()}
    for device in filter(switches_one_machine, cluster.configuration.resources):
        nodes = [node for node, names in devices.items() if device.id in names and may_be_for(device, node)]
        if len(nodes) > 1:
            problem = (
                f"it switches one machine, and stands in the levels of {', '.join(nodes)}: a node counts as "
                "off when another one was switched off, and its servers run twice"
            )
            fix = f"pcs stonith config {device.id}; pcs stonith level config"
            yield Finding("fencing-level", device.id, ERROR, problem, fix)


def _out_of_use(cluster: ClusterFacts, device: Resource) -> str | None:
    """Return why a device is of no use: what failed its start, such as a wrong password, fails the fencing.

    Pacemaker 2.1.5 calls it all the same (seen in the lab, with nova-api stopped), so this is no proof.
    """
    failed = failure(cluster.cib.root, device)
    if failed is None or running_on(cluster.cib.root, device) is not None:
        return None
    return (
        f"runs nowhere: its {failed.operation} failed on {failed.node}: {failed.reason or 'no reason given'}"
    )


def _cleanup(device: Resource) -> str:
    return f"pcs stonith config {device.id}; pcs stonith cleanup {device.id}"


def _instead(level: Level, power: Iterable[str], record: str) -> str:
    """Return the command that puts a level in another's place: first the power, then the record."""
    target = shlex.quote(level.target)
    return (
        f"pcs stonith level remove {level.index} target {target} && pcs stonith level add {level.index} "
        f"{target} {' '.join(power)} {record}"
    )


def _about(node: str, level: Level, severity: Severity, problem: str, fix: str) -> Finding:
    return Finding("fencing-level", node, severity, f"level {level.index}: {problem}", fix)


def _agent(configuration: Configuration, device: str) -> str | None:
    """Return a device's agent; None when there is no such device."""
    if device == _WATCHDOG:
        return _WATCHDOG
    resource = configuration.resource(device)
    return resource.agent if resource is not None else None


def _name(configuration: Configuration) -> str:
    return next((resource.id for resource in configuration.running(FENCE_AGENT)), "fence-nova")


def _power_device(cluster: ClusterFacts, node: str, besides: Collection[str] = ()) -> str:
    """Return a device that names the node, for the command that is proposed; another one than `besides`."""
    for resource in cluster.configuration.resources:
        is_for_it = node in (named_nodes(resource) or ()) and resource.agent not in NO_POWER
        if is_for_it and resource.id not in besides:
            return resource.id
    return "POWER-DEVICE"


def watchdog(facts: Facts) -> Iterator[Finding]:
    """No compute node counts as off because its watchdog ought to have reset it.

    sbd feeds the watchdog of a Pacemaker Remote node as long as pacemaker_remoted runs, also when the node is
    cut off (sbd 1.5.2 with Pacemaker 2.1.5, tests/lab/test_watchdog.py).
    """
    if facts.cluster is None:
        return
    configuration = facts.cluster.configuration
    nodes = [node.name for node in facts.cluster.compute_nodes if _counts_as_reset(configuration, node.name)]
    if nodes:
        problem = (
            f"it counts as the fencing of {', '.join(nodes)}, but sbd resets no compute node that is only "
            "cut off from the network: its servers would run twice"
        )
        yield Finding(_WATCHDOG, _WATCHDOG, ERROR, problem, _without_computes(facts.cluster))


def _counts_as_reset(configuration: Configuration, node: str) -> bool:
    """Say whether Pacemaker takes a node for off when fencing-watchdog-timeout is over."""
    if seconds(configuration.fencing_property("watchdog-timeout")[1] or "0") == 0.0:
        return False
    levels = configuration.levels(node)
    if levels and not any(_WATCHDOG in level.devices for level in levels):
        return False
    resource = configuration.resource(_WATCHDOG)
    return resource is None or may_be_for(resource, node)


def _without_computes(cluster: ClusterFacts) -> str:
    """Return the command that leaves the controllers' watchdogs alone to count."""
    members = f'pcmk_host_list="{" ".join(sorted(node.name for node in cluster.members))}"'
    if cluster.configuration.resource(_WATCHDOG) is not None:
        return f"pcs stonith update {_WATCHDOG} {members}"
    return f"pcs stonith create {_WATCHDOG} fence_watchdog {members}"


def record_device(facts: Facts) -> Iterator[Finding]:
    """fence_compute names exactly the compute nodes; unfencing is provided, and waited for."""
    if facts.cluster is None:
        return
    for resource in facts.cluster.configuration.running(FENCE_AGENT):
        out_of_use = _out_of_use(facts.cluster, resource)
        if out_of_use:
            yield Finding("record-device", resource.id, ERROR, f"it {out_of_use}", _cleanup(resource))
        yield from _named(resource, sorted(node.name for node in facts.cluster.compute_nodes))
        if recovers_itself(resource):
            yield from _inline(facts.cluster, resource.id)
    yield from _unfencing(facts.cluster.configuration)


def _named(device: Resource, known: Sequence[str]) -> Iterator[Finding]:
    """fence_compute is told which nodes it is for: these and no others."""
    named, fix = named_nodes(device), _naming(device, known)
    missing = ", ".join(node for node in known if not may_be_for(device, node))
    if missing:
        problem = f"pcmk_host_list lacks {missing}: Pacemaker will not use the device for them"
        yield Finding("record-device", device.id, ERROR, problem, fix)
    extra = ", ".join(sorted((named or frozenset()).difference(known)))
    if extra:
        problem = f"pcmk_host_list names {extra}, which is no Pacemaker Remote node of this cluster"
        yield Finding("record-device", device.id, WARNING, problem, fix)
    if named is None and known:
        problem = (
            "no pcmk_host_list counts: Pacemaker asks the agent, which asks Nova, so fencing waits for Nova"
        )
        yield Finding("record-device", device.id, WARNING, problem, fix)


def _naming(device: Resource, known: Sequence[str]) -> str:
    """Return the command that lets a device be for these nodes."""
    names, more = host_map(device), ""
    if not names.keys() <= set(known):
        kept = ";".join(f"{node}:{names[node]}" for node in names if node in known)
        more += f' pcmk_host_map="{kept}"'
    if "pcmk_host_check" in device.parameters:
        more += " pcmk_host_check="
    return f'pcs stonith update {device.id} pcmk_host_list="{" ".join(known)}"{more}'


def _inline(cluster: ClusterFacts, device: str) -> Iterator[Finding]:
    if cluster.configuration.running(EVACUATE_AGENT):
        yield Finding(
            "record-device",
            device,
            WARNING,
            "record_only=0: fencing waits for the recovery, and other nodes wait for the fencing",
            f"pcs stonith update {device} record_only=1",
        )


def _unfencing(configuration: Configuration) -> Iterator[Finding]:
    """Unfencing is spelled out on both sides; clusters with a watchdog only have no such device."""
    for resource in configuration.running(FENCE_AGENT):
        if resource.meta.get("provides") != "unfencing":
            yield Finding(
                "unfencing",
                resource.id,
                WARNING,
                "it does not provide unfencing: what waits for unfencing is not held back by it",
                f"pcs stonith meta {resource.id} provides=unfencing",
            )
        for compute in configuration.running(COMPUTE_AGENT):
            if compute.meta.get("requires") != "unfencing":
                yield Finding(
                    "unfencing",
                    compute.id,
                    WARNING,
                    "it does not wait for unfencing: it may be started before its node was let back",
                    f"pcs resource meta {compute.id} requires=unfencing",
                )
