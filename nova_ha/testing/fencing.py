# SPDX-License-Identifier: Apache-2.0
"""Pacemaker's fencing of a compute node, and the node's way back, as measured on a real cluster.

A level is ``power, record``: the power device switches the node off, the record device (`fence_compute`) is
called with ``off``; then power is switched on. Ten failures, and Pacemaker gives up until its next recheck.
Unfencing calls ``on`` of the record device twice for each return: before the node's connection is started,
and after it joined.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from nova_ha.errors import ClusterError, NovaHaError, RecoveryOpen
from nova_ha.testing.clock import Actor, VirtualClock
from nova_ha.testing.cluster import SimulatedCluster
from nova_ha.testing.event_log import EventLog

#: The fencing levels that a world can have, with their meaning.
LEVELS = {
    "power+record": "the power device, then fence_compute",
    "power": "only the power device: nothing writes a record",
    "watchdog": "only the node's own watchdog: nothing writes a record",
    "none": "no device can fence the node",
}


class FenceActions(Protocol):
    """The two actions of the record device; both raise `NovaHaError` when they fail."""

    def off(self, node: str) -> object:
        """Record that the node was fenced, and tell Nova."""

    def on(self, node: str) -> object:
        """Succeed when no recovery of the node is open."""


class Power(Protocol):
    """The power supply of the nodes."""

    def switch_off(self, node: str, cause: str) -> None:
        """Cut the power of a node."""

    def switch_on(self, node: str) -> None:
        """Give a node power."""

    def start_resources(self, node: str) -> None:
        """Start what Pacemaker runs on a node that joined and is unfenced."""


@dataclass
class FencingTimes:
    """How long things take; seconds, from measurements."""

    power: float = 1.0
    bmc_timeout: float = 20.0
    watchdog: float = 10.0
    retry: float = 1.0
    recheck: float = 60.0
    unfence_retry: float = 5.0


@dataclass
class Fencing:
    """The fencer.

    Attributes:
        level: one of `LEVELS`.
        bmc_dead: nodes whose power device does not answer.
        attempts: failures after which Pacemaker gives up until the next recheck.
        reboots: whether a fenced node gets power again.
    """

    clock: VirtualClock
    cluster: SimulatedCluster
    log: EventLog
    power: Power
    actions: FenceActions
    level: str = "power+record"
    bmc_dead: set[str] = field(default_factory=set)
    attempts: int = 10
    reboots: bool = True
    times: FencingTimes = field(default_factory=FencingTimes)
    _busy: set[str] = field(default_factory=set)

    def begin(self, node: str) -> None:
        """Fence a lost node, unless that is under way."""
        if node not in self._busy and self.level != "none":
            self._busy.add(node)
            self.clock.spawn(lambda: self._fence(node))

    def fence_on_request(self, node: str) -> None:
        """Fence a node that is online (``stonith_admin --reboot``): tried once, and waited for.

        Raises:
            ClusterError: it could not be fenced.
        """
        if node not in self._busy:
            self._busy.add(node)
            self.clock.spawn(lambda: self._fence_once(node))
        while node in self._busy:
            self.clock.sleep(self.times.retry)
        if self.cluster.nodes[node].online:
            raise ClusterError(f"node {node!r} could not be fenced: No data available")

    def _fence_once(self, node: str) -> None:
        if self._try(node):
            self.cluster.set_online(node, online=False)
            self._finish(node)
        self._busy.discard(node)

    def confirm(self, node: str) -> None:
        """Let an operator say that the node is off (``pcs stonith confirm``): no device is called."""
        self._busy.discard(node)
        self.cluster.add_fencing(node, "a human")

    def unfence(self, node: str) -> Actor:
        """Let a booted node come back: ``on``, connection, ``on`` again, resources."""
        return self.clock.spawn(lambda: self._rejoin(node))

    def _fence(self, node: str) -> None:
        while node in self._busy:
            for _ in range(self.attempts):
                if self._try(node):
                    self._finish(node)
                    return
                self.clock.sleep(self.times.retry)
                if node not in self._busy:
                    return
            self.log.add("cluster", f"too many failures ({self.attempts}) to fence {node}, giving up")
            self.clock.sleep(self.times.recheck)

    def _try(self, node: str) -> bool:
        if not self.cluster.quorate:
            return False
        if self.level == "watchdog":
            self.clock.sleep(self.times.watchdog)
            self.power.switch_off(node, "its watchdog")
            return True
        return self._switch_off(node) and (self.level != "power+record" or self._record(node))

    def _switch_off(self, node: str) -> bool:
        if node in self.bmc_dead:
            self.clock.sleep(self.times.bmc_timeout)
            self.log.add("cluster", f"fencing of {node} failed: its power device does not answer")
            return False
        self.clock.sleep(self.times.power)
        self.power.switch_off(node, "fenced")
        return True

    def _record(self, node: str) -> bool:
        try:
            self.actions.off(node)
        except NovaHaError as error:
            self.log.add("cluster", f"fencing of {node} failed: fence_compute off: {error}")
            return False
        return True

    def _finish(self, node: str) -> None:
        if node not in self._busy:
            return
        self._busy.discard(node)
        self.cluster.add_fencing(node, self.level)
        if self.reboots:
            self.power.switch_on(node)

    def _rejoin(self, node: str) -> None:
        while node in self._busy:  # switched on by hand: Pacemaker starts nothing there before it is fenced
            self.clock.sleep(self.times.retry)
        self._on(node)
        self.cluster.set_online(node, online=True)
        while not self._on(node):
            self.clock.sleep(self.times.unfence_retry)
        self.power.start_resources(node)

    def _on(self, node: str) -> bool:
        try:
            self.actions.on(node)
        except RecoveryOpen:
            return False
        except NovaHaError as error:
            self.log.add("cluster", f"unfencing of {node} failed: {error}")
            return False
        return True
