# SPDX-License-Identifier: Apache-2.0
"""Simulated compute nodes: power, hangs, cables, and what starts when one boots."""

from __future__ import annotations

from dataclasses import dataclass, field

from nova_ha import record
from nova_ha.clock import parse_time
from nova_ha.testing.clock import Actor
from nova_ha.testing.cloud import Cloud
from nova_ha.testing.cluster import SimulatedCluster
from nova_ha.testing.fencing import Fencing
from nova_ha.testing.startup import freeze_compute, start_compute, stop_compute, thaw_compute


@dataclass
class Machine:
    """A compute node.

    Attributes:
        name: Pacemaker's name of it.
        host: Nova's name of it.
        boot: grows with each power cut; what an earlier boot had begun is void.
        resources: what runs on it, or is about to.
    """

    name: str
    host: str
    is_on: bool = True
    is_reachable: bool = True
    boot: int = 0
    resources: list[Actor] = field(default_factory=list)


@dataclass
class Times:
    """How long a node takes for things; seconds, from measurements on a real cluster."""

    detect: float = 5.0
    boot: float = 30.0
    nova_compute: float = 3.0
    gate_poll: float = 1.0
    monitor: float = 60.0


class Machines:
    """All compute nodes; the `Power` of the simulated fencer.

    Attributes:
        fencing: set by the world, which needs this first.
        gate: whether nova-compute waits for the end of its host's recovery, as NovaCompute does; an operator
            who starts it by hand does not.
    """

    fencing: Fencing

    def __init__(self, cloud: Cloud, cluster: SimulatedCluster) -> None:
        self._cloud = cloud
        self._cluster = cluster
        self.all: dict[str, Machine] = {}
        self.times = Times()
        self.gate = True
        cluster.restarters.append(self.restart_compute)
        cluster.wedged_watchers.append(self._monitor_soon)

    def add(self, name: str, host: str) -> None:
        """Add a node that is on and in service; `host` is Nova's name of it."""
        self.all[name] = Machine(name, host)
        self._cluster.add_node(name, is_remote=True)
        self._cluster.set_compute(name, self._cloud.clock.now())

    # --- power --------------------------------------------------------------------------------------------

    def switch_off(self, node: str, cause: str) -> None:
        """Cut a node's power: everything on it ends; Pacemaker notices a little later."""
        machine = self.all[node]
        if not machine.is_on:
            return
        machine.is_on, machine.is_reachable = False, False
        machine.boot += 1
        for actor in machine.resources:
            actor.kill()
        machine.resources.clear()
        stop_compute(self._cloud, machine.host)
        self._cluster.set_compute(node, None)
        ended = self._cloud.hypervisors.power_cut(machine.host)
        self._cloud.log.add(node, f"power off ({cause}), {ended} guests ended")
        self._lose_soon(node)

    def switch_on(self, node: str) -> None:
        """Give a node power; it boots and joins the cluster."""
        machine = self.all[node]
        if machine.is_on:
            return
        machine.is_on = True
        boot = machine.boot
        self._cloud.log.add(node, "power on")
        self._cloud.clock.after(self.times.boot, lambda: self._booted(machine, boot))

    def restart_compute(self, node: str) -> None:
        """Restart a node's nova-compute, as Pacemaker does when its resource failed."""
        machine = self.all[node]
        if machine.is_on and machine.is_reachable:
            stop_compute(self._cloud, machine.host)
            self._cluster.set_compute(node, None)
            self.start_resources(node)

    def reset(self, node: str, cause: str) -> None:
        """Reboot a node by itself, without fencing."""
        self.switch_off(node, cause)
        self.switch_on(node)

    def _booted(self, machine: Machine, boot: int) -> None:
        if machine.boot == boot and machine.is_on:
            machine.is_reachable = True
            self._cloud.log.add(machine.name, "booted")
            machine.resources.append(self.fencing.unfence(machine.name))

    # --- hangs and cables ---------------------------------------------------------------------------------

    def hang(self, node: str, why: str) -> None:
        """Let a node hang or lose its network: its guests live on, nobody hears of it."""
        self._cloud.log.add(node, why)
        self.all[node].is_reachable = False
        freeze_compute(self._cloud, self.all[node].host)
        self._lose_soon(node)

    def recover(self, node: str, why: str) -> None:
        """End a hang: the node goes on where it was, if nobody has switched it off."""
        if self.all[node].is_on:
            self._cloud.log.add(node, why)
            self.all[node].is_reachable = True
            thaw_compute(self._cloud, self.all[node].host)
            self._cloud.clock.after(1.0, lambda: self._rejoin_alive(node))

    def _rejoin_alive(self, node: str) -> None:
        if self.all[node].is_reachable and not self._cluster.nodes[node].online:
            self._cluster.set_online(node, online=True)

    def _lose_soon(self, node: str) -> None:
        self._cloud.clock.after(self.times.detect, lambda: self._lose(node))

    def _lose(self, node: str) -> None:
        """Lose a node's connection, if it is still not there; then Pacemaker fences it."""
        if not self.all[node].is_reachable and self._cluster.nodes[node].online:
            self._cluster.set_online(node, online=False, lost=True)
            self.fencing.begin(node)

    # --- nova-compute -------------------------------------------------------------------------------------

    def start_resources(self, node: str) -> None:
        """Start nova-compute as NovaCompute does: not while a recovery of the host is open."""
        actor = self._cloud.clock.spawn(lambda: self._start_behind_gate(node))
        self.all[node].resources.append(actor)

    def _start_behind_gate(self, node: str) -> None:
        waited = False
        while self.gate and self._cluster.nodes[node].recovery_is_open:
            if not waited:
                self._cloud.log.add(node, "nova-compute waits: the recovery of this host is open")
            waited = True
            self._cloud.clock.sleep(self.times.gate_poll)
        self._cloud.clock.sleep(self.times.nova_compute)
        self._cluster.set_compute(node, self._cloud.clock.now())
        start_compute(self._cloud, self.all[node].host)

    def wedge(self, node: str, starts: int) -> None:
        """Let nova-compute hang while its node is well, and as many of its next starts too."""
        self._cloud.log.add(node, "nova-compute hangs")
        freeze_compute(self._cloud, self.all[node].host)
        self._cloud.computes[self.all[node].host].hangs = starts

    def unwedge(self, node: str) -> None:
        """Let a hung nova-compute go on by itself, if its node is well, and its next starts be well."""
        compute = self._cloud.computes[self.all[node].host]
        compute.hangs = 0
        if self.all[node].is_reachable and compute.frozen:
            self._cloud.log.add(node, "nova-compute goes on")
            thaw_compute(self._cloud, self.all[node].host)

    def _monitor_soon(self, node: str) -> None:
        """Let NovaCompute's monitor look at the attribute when it is due."""
        self._cloud.clock.after(self.times.monitor, lambda: self._monitor(node))

    def _monitor(self, node: str) -> None:
        """Fail when the node's nova-compute was started before the attribute says that it was wedged."""
        entry = self._cluster.nodes[node]
        told_at = parse_time(record.wedged_at(entry.wedged) or "")
        if entry.compute_since is not None and told_at is not None and told_at > entry.compute_since:
            self._cloud.log.add(node, "NovaCompute's monitor has failed: nova-compute is wedged")
            self.restart_compute(node)
