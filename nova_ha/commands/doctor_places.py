# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about where resources may run, and for how long. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nova_ha import record
from nova_ha.commands.configuration import (
    COMPUTE_AGENT,
    EVACUATE_AGENT,
    FENCE_AGENT,
    REMOTE_AGENT,
    Monitor,
    Resource,
    seconds,
)
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.commands.fence_devices import recovers_itself
from nova_ha.commands.finding import ERROR, WARNING, Finding
from nova_ha.commands.places import is_banned


@dataclass(frozen=True)
class Limit:
    """The shortest sensible time limit of an operation, seconds, and what the agent does in that time."""

    operation: str
    shortest: float
    advised: float
    why: str


#: What the agents need: their own waits, and 15 s that NovaEvacuate and NovaCompute keep for killing.
LIMITS = {
    EVACUATE_AGENT: (
        Limit("start", 30, 60, "the first look at Pacemaker"),
        Limit("stop", 40, 60, "answers of Nova that are on their way"),
        Limit("monitor", 10, 30, "two small files on a busy controller"),
    ),
    COMPUTE_AGENT: (
        Limit("start", 60, 120, "start_wait and the start of nova-compute"),
        Limit("stop", 180, 240, "nova-compute needs up to 160 s, and a stop that fails gets the node fenced"),
        Limit("monitor", 10, 30, "a look at /proc on a busy compute node"),
    ),
    FENCE_AGENT: (Limit("monitor", 40, 60, "an answer of Nova within api_timeout"),),
}
#: Of `nova_ha.settings.option_table`: how long the action off tries to record a fencing.
_CLUSTER_WAIT = 50.0
_STONITH_TIMEOUT = 60.0
#: A recovery inside of the fencing: the shortest sensible time, and the advised one.
_INLINE, _INLINE_ADVISED = 300.0, 900.0
_IGNORED = "what did not stop counts as stopped, and may run twice"
#: Values of on-fail that do not get the node fenced.
_NO_CONSEQUENCE = {
    "ignore": _IGNORED,
    "nothing": _IGNORED,
    "block": "what did not stop stays as it is until somebody cleans it up",
}


def evacuator_places(facts: Facts) -> Iterator[Finding]:
    """The evacuator can start on no compute node: credentials do not belong there (rule R6)."""
    if facts.cluster is None:
        return
    for resource in facts.cluster.configuration.running(EVACUATE_AGENT):
        open_to = [node for node in _remote(facts.cluster) if not _banned(facts.cluster, resource, node)]
        if open_to:
            yield Finding(
                "location",
                resource.id,
                ERROR,
                f"no constraint keeps it off {_some(open_to)}",
                f"pcs constraint location {resource.id} rule resource-discovery=never score=-INFINITY "
                "'#kind' eq remote",
            )


def compute_places(facts: Facts) -> Iterator[Finding]:
    """nova-compute can start on no controller, and on no node whose recovery is open."""
    if facts.cluster is None:
        return
    for resource in facts.cluster.configuration.running(COMPUTE_AGENT):
        members = [node.name for node in facts.cluster.members]
        open_to = [node for node in members if not _banned(facts.cluster, resource, node, is_remote=False)]
        if open_to:
            yield Finding(
                "location",
                resource.id,
                WARNING,
                f"no constraint keeps it off {_some(open_to)}",
                f"pcs constraint location {resource.names[-1]} rule resource-discovery=never score=-INFINITY "
                "'#kind' ne remote",
            )
        yield from _gate(facts.cluster, resource)


def _gate(cluster: ClusterFacts, resource: Resource) -> Iterator[Finding]:
    """Look what the constraints say about a node with an open record, which is what the rule is about."""
    fenced = {record.FENCED: record.record_value("2026-01-01T00:00:00Z"), record.EVACUATED: None}
    ungated = [
        node
        for node in _remote(cluster)
        if not is_banned(cluster.configuration, resource, node, is_remote=True, extra=fenced)
    ]
    if ungated:
        yield Finding(
            "gate",
            resource.id,
            WARNING,
            f"no rule keeps it off {_some(ungated)} while their recovery is open: its start only fails there",
            f"pcs constraint location {resource.names[-1]} rule score=-INFINITY "
            f"defined {record.FENCED} and not_defined {record.EVACUATED}",
        )


#: OCF_CHECK_LEVEL of NovaCompute's thorough monitor.
_THOROUGH = 10


def monitors(facts: Facts) -> Iterator[Finding]:
    """Pacemaker asks whether the evacuator and nova-compute run, and whether nova-compute can work."""
    if facts.cluster is None:
        return
    for agent in (EVACUATE_AGENT, COMPUTE_AGENT):
        for resource in facts.cluster.configuration.running(agent):
            plain = [monitor for monitor in resource.monitors if monitor.level < _THOROUGH]
            problem = "no plain monitor: that it has died is noticed late, or never"
            yield from _monitor(resource, plain, problem, (10, 15, 20), "timeout=30s")
    for resource in facts.cluster.configuration.running(COMPUTE_AGENT):
        thorough = [monitor for monitor in resource.monitors if monitor.level >= _THOROUGH]
        level = f"OCF_CHECK_LEVEL={_THOROUGH}"
        problem = f"no monitor has {level}: a nova-compute that cannot work is not restarted"
        yield from _monitor(resource, thorough, problem, (60, 90, 120), f"timeout=60s {level}")


def _monitor(
    resource: Resource, found: Sequence[Monitor], problem: str, intervals: Sequence[int], rest: str
) -> Iterator[Finding]:
    """Look for a monitor that is repeated among those of a kind; give a new one an interval of its own."""
    if any(monitor.is_enabled for monitor in found):
        return
    taken = {monitor.interval for monitor in resource.monitors}
    interval = next(seconds for seconds in intervals if seconds not in taken)
    fix = f"pcs resource op add {resource.id} monitor interval={interval}s {rest}"
    if found:
        fix = f"pcs resource manage {resource.id} --monitor"
    yield Finding("monitor", resource.id, WARNING, problem, fix)


def timeouts(facts: Facts) -> Iterator[Finding]:
    """Each operation has the time that it needs, and a stop that fails has its consequence."""
    if facts.cluster is None:
        return
    for agent, limits in LIMITS.items():
        for resource in facts.cluster.configuration.running(agent):
            for limit in limits:
                yield from _timeout(resource, limit)
            yield from _stop(resource)
    yield from _fencing_timeouts(facts.cluster)
    yield from _connections(facts.cluster)


def _timeout(resource: Resource, limit: Limit) -> Iterator[Finding]:
    found = resource.timeout(limit.operation)
    if found is None or found >= limit.shortest:
        return
    command = "stonith" if resource.agent == FENCE_AGENT else "resource"
    interval = resource.operations.get(limit.operation, {}).get("interval")
    every = f" interval={interval}" if limit.operation == "monitor" and interval else ""
    yield Finding(
        "timeout",
        resource.id,
        WARNING,
        f"{limit.operation} has {found:g} s; it needs at least {limit.shortest:g} s: {limit.why}",
        f"pcs {command} update {resource.id} op {limit.operation}{every} timeout={limit.advised:g}s",
    )


def _stop(resource: Resource) -> Iterator[Finding]:
    """A service that does not stop is not taken for stopped: its node is fenced, Pacemaker's default."""
    stop = resource.operations.get("stop", {})
    on_fail = stop.get("on-fail", "fence").lower()
    if resource.agent == FENCE_AGENT or on_fail not in _NO_CONSEQUENCE:
        return
    fix = f"pcs resource update {resource.id} op stop on-fail=fence"
    # pcs makes the operation anew, and forgets what is not said again.
    if "timeout" in stop:
        fix += f" timeout={stop['timeout']}"
    problem = _NO_CONSEQUENCE[on_fail]
    # Two evacuators would send requests for the same servers.
    severity = ERROR if (resource.agent, problem) == (EVACUATE_AGENT, _IGNORED) else WARNING
    yield Finding("on-fail", resource.id, severity, f"stop has on-fail={on_fail}: {problem}", fix)


def _fencing_timeouts(cluster: ClusterFacts) -> Iterator[Finding]:
    """The action off has the time to record; Pacemaker would kill it in the middle and begin anew."""
    name, text = cluster.configuration.fencing_property("timeout")
    general = seconds(text) if text else _STONITH_TIMEOUT
    for resource in cluster.configuration.running(FENCE_AGENT):
        own = resource.parameters.get("pcmk_off_timeout")
        has = seconds(own) if own else general
        wait = seconds(resource.parameters.get("cluster_wait", "")) or _CLUSTER_WAIT
        if has is not None and has < wait + 5:
            yield Finding(
                "timeout",
                resource.id,
                WARNING,
                f"off has {has:g} s, and tries for cluster_wait={wait:g} s to record the fencing",
                f"pcs stonith update {resource.id} pcmk_off_timeout={wait + 70:g}s",
            )
        elif has is not None and not cluster.configuration.running(EVACUATE_AGENT):
            yield from _inline_timeout(resource, has)
    if general is not None and general < _STONITH_TIMEOUT:
        yield Finding(
            "timeout",
            "cluster",
            WARNING,
            f"{name}={text}: a BMC that is busy with its own start needs a minute",
            f"pcs property set {name}=120s",
        )


def _inline_timeout(device: Resource, has: float) -> Iterator[Finding]:
    """Where the action off recovers the servers it has the time for it."""
    own = seconds(device.parameters.get("recover_wait", "")) or 0.0
    needs, advised = (own + 5, own + 70) if own else (_INLINE, _INLINE_ADVISED)
    if recovers_itself(device) and has < needs:
        problem = f"off has {has:g} s, in which it is to recover all servers of the node (record_only=0)"
        fix = f"pcs stonith update {device.id} pcmk_off_timeout={advised:g}s"
        yield Finding("timeout", device.id, WARNING, problem, fix)


def _connections(cluster: ClusterFacts) -> Iterator[Finding]:
    """The connection of every compute node is watched."""
    for resource in cluster.configuration.running(REMOTE_AGENT):
        monitor = resource.operations.get("monitor", {})
        interval = seconds(monitor.get("interval", "0")) or 0.0
        timeout = resource.timeout("monitor") or 0.0
        if not interval or interval + timeout > 120:  # noqa: PLR2004 - two minutes are twice Nova's own patience
            yield Finding(
                "timeout",
                resource.id,
                WARNING,
                "its death is noticed late" if interval else "its connection is not watched: no monitor",
                f"pcs resource update {resource.id} op monitor interval=5s timeout=10s",
            )


def _remote(cluster: ClusterFacts) -> list[str]:
    return [node.name for node in cluster.compute_nodes]


def _banned(cluster: ClusterFacts, resource: Resource, node: str, *, is_remote: bool = True) -> bool:
    return is_banned(cluster.configuration, resource, node, is_remote=is_remote)


def _some(names: list[str]) -> str:
    """Return the first names of a list."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004
