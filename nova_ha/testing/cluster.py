# SPDX-License-Identifier: Apache-2.0
"""The simulated Pacemaker as a port: nodes, permanent attributes, membership and fencing history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable

from nova_ha import record
from nova_ha.errors import ClusterError, ClusterUnavailable
from nova_ha.model import ClusterNode, ClusterView, FencingEvent
from nova_ha.testing.clock import VirtualClock
from nova_ha.testing.event_log import EventLog

#: What a tool of Pacemaker takes until it has answered.
_TOOL_SECONDS = 0.02


@dataclass
class Trouble:
    """What may be wrong with the cluster.

    Attributes:
        unavailable_until: second until which no tool gets an answer (no DC, a new one is being elected).
        loses_writes: whether a write is answered and not kept.
    """

    unavailable_until: float = 0.0
    loses_writes: bool = False


class SimulatedCluster:
    """A `nova_ha.ports.ClusterPort`.

    Attributes:
        nodes: entries of the CIB by name; what `record` describes is permanent and survives everything,
            the old agents' attribute ``evacuate`` is transient and does not.
        history: successful fencing actions.
        quorate: whether this partition has quorum.
        trouble: what is wrong with it.
        watchers: called after each change of the configuration.
        restarters: called to restart a node's nova-compute.
        wedged_watchers: called with a node whose attribute was published: its NovaCompute's monitor.
        fencers: called to fence a node on request.
    """

    def __init__(self, clock: VirtualClock, log: EventLog) -> None:
        self._clock = clock
        self._log = log
        self._version = 0
        self.nodes: dict[str, ClusterNode] = {}
        self.history: list[FencingEvent] = []
        self.quorate = True
        self.trouble = Trouble()
        self.watchers: list[Callable[[], object]] = []
        self.restarters: list[Callable[[str], object]] = []
        self.wedged_watchers: list[Callable[[str], object]] = []
        self.fencers: list[Callable[[str], object]] = []

    # --- the port -----------------------------------------------------------------------------------------

    def view(self) -> ClusterView:
        """Return nodes, records, membership and fencing history."""
        self._ask()
        return ClusterView(self.quorate, tuple(self.nodes.values()), tuple(self.history))

    def change_token(self) -> object:
        """Return a value that differs when the configuration has changed; membership does not change it."""
        return self._version

    def write_record(self, node: str, fenced_at: str) -> None:
        """Write the record of a fencing and read it back."""
        before = self._entry(node).evacuated
        mark = before if before == fenced_at else None
        self._write(node, fenced=record.record_value(fenced_at), evacuated=mark)
        if self.nodes[node].fenced_at != fenced_at:
            raise ClusterError(f"node {node!r}: attribute {record.FENCED} was not kept")

    def mark_evacuated(self, node: str, fenced_at: str) -> None:
        """Write that a recovery is complete, and read it back."""
        self._write(node, evacuated=fenced_at)
        if self.nodes[node].evacuated != fenced_at:
            raise ClusterError(f"node {node!r}: attribute {record.EVACUATED} was not kept")
        if self.nodes[node].fenced and self.nodes[node].fenced_at != fenced_at:
            self._write(node, evacuated=None)

    def clear_record(self, node: str, fenced_at: str) -> bool:
        """Remove record and mark, if the record is still of that fencing."""
        self._ask()
        if self._entry(node).fenced_at != fenced_at:
            return False
        self._write(node, fenced=None, evacuated=None, servers=None)
        return self.nodes[node].fenced_at != fenced_at

    def remember(self, node: str, fenced_at: str, facts: frozenset[str]) -> None:
        """Write facts about single servers."""
        self._write(node, servers=record.servers_value(fenced_at, facts))

    def restart_compute(self, node: str) -> None:
        """Have the node's nova-compute restarted, if the world knows how."""
        self._ask()
        self._log.add("cluster", f"node {node}: nova-compute is restarted")
        for restart in self.restarters:
            restart(node)

    def publish_wedged(self, node: str, value: str | None) -> None:
        """Write or remove the transient attribute; it changes no configuration."""
        self._ask()
        if self._entry(node).wedged != value:
            self._log.add("cluster", f"node {node}: {record.WEDGED} = {value or '(removed)'}")
        # A node that is not there keeps no transient attribute.
        self.nodes[node] = replace(self.nodes[node], wedged=value if self.nodes[node].online else None)
        if value:
            for watcher in self.wedged_watchers:
                watcher(node)

    def fence(self, node: str) -> None:
        """Have a node fenced, and wait until that has come to its end."""
        self._ask()
        self._log.add("cluster", f"node {node} is to be fenced on request")
        for fence in self.fencers:
            fence(node)

    def publish_state(self, node: str, text: str | None) -> None:
        """Write the sentence for people."""
        self._write(node, state=text)

    # --- the rest of Pacemaker ----------------------------------------------------------------------------

    def add_node(self, name: str, *, is_remote: bool) -> None:
        """Add a node, online."""
        self.nodes[name] = ClusterNode(name, is_remote, online=True)

    def set_online(self, name: str, *, online: bool, lost: bool = False) -> None:
        """Change a node's membership, in good order unless it is lost; transient attributes are purged."""
        if self.nodes[name].online != online:
            self._log.add("cluster", f"node {name} {_membership(online=online, lost=lost)}")
        fenced_since = None if online else self.nodes[name].fenced_since
        self.nodes[name] = replace(self.nodes[name], online=online, legacy=None, fenced_since=fenced_since)
        is_lost = lost and not online
        lost_since = self._clock.now() if is_lost else None
        self.nodes[name] = replace(self.nodes[name], lost=is_lost, lost_since=lost_since, wedged=None)

    def set_compute(self, name: str, since: float | None) -> None:
        """Change since when Pacemaker runs nova-compute on a node."""
        self.nodes[name] = replace(self.nodes[name], compute_since=since)

    def forget(self, name: str) -> None:
        """Lose what is known of a node that is away, the end of a full stop of the cluster included."""
        self._log.add("cluster", f"node {name}: its entry is lost")
        self.nodes[name] = ClusterNode(name, self.nodes[name].is_remote, online=False)
        self._version += 1
        for watcher in self.watchers:
            watcher()

    def set_legacy(self, name: str, value: str | None) -> None:
        """Set the old agents' attribute, as they would."""
        self.nodes[name] = replace(self.nodes[name], legacy=value)
        self._log.add("cluster", f"node {name}: evacuate = {value}")

    def add_fencing(self, target: str, by: str) -> None:
        """Add a successful fencing to the history; Pacemaker 3.0.2 purges transient attributes then, too."""
        now = float(int(self._clock.now()))
        self.history.append(FencingEvent(target, "reboot", now, by))
        self.nodes[target] = replace(
            self.nodes[target], legacy=None, fenced_since=now, lost=False, lost_since=None
        )
        self._log.add("cluster", f"node {target} was fenced by {by}")

    def forget_fencings(self, *, with_state: bool = False) -> None:
        """Lose the fencing history, which is in memory only, and the transient state of all nodes with it."""
        self.history.clear()
        self._log.add("cluster", "the fencing history is lost")
        if with_state:
            self.nodes = {name: replace(node, fenced_since=None) for name, node in self.nodes.items()}

    def set_quorum(self, *, quorate: bool) -> None:
        """Lose or regain quorum."""
        self.quorate = quorate
        self._log.add("cluster", "quorum regained" if quorate else "quorum lost")

    def change_dc(self, seconds: float) -> None:
        """Let the cluster be without a DC for some time: its tools time out."""
        self.trouble.unavailable_until = self._clock.monotonic() + seconds
        self._log.add("cluster", f"no DC for {seconds:g} s")

    def _ask(self) -> None:
        self._clock.sleep(_TOOL_SECONDS)
        if self._clock.monotonic() < self.trouble.unavailable_until:
            raise ClusterUnavailable("cibadmin failed with exit status 124: the cluster has no DC")

    def _entry(self, node: str) -> ClusterNode:
        if node not in self.nodes:
            raise ClusterError(f"Pacemaker knows no node {node!r}")
        return self.nodes[node]

    def _write(self, node: str, **values: str | None) -> None:
        self._ask()
        before = self._entry(node)
        if not self.quorate:
            raise ClusterUnavailable("crm_attribute failed with exit status 113: no quorum")
        if self.trouble.loses_writes:
            return
        self.nodes[node] = replace(before, **values)  # type: ignore[arg-type]
        self._version += 1
        for watcher in self.watchers:
            watcher()
        for name, value in values.items():
            if getattr(before, name) != value:
                self._log.add("cluster", f"node {node}: nova-ha-{name} = {value or '(removed)'}")


def _membership(*, online: bool, lost: bool) -> str:
    if online:
        return "online"
    return "lost" if lost else "left"
