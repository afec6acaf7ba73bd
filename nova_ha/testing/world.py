# SPDX-License-Identifier: Apache-2.0
"""A whole simulated data centre: cloud, cluster, nodes, fencing, and an evacuator that can be killed."""

from __future__ import annotations

from typing import Callable, Protocol

from nova_ha.model import ClusterNode
from nova_ha.testing.clock import Actor, VirtualClock
from nova_ha.testing.cloud import Cloud
from nova_ha.testing.cluster import SimulatedCluster
from nova_ha.testing.event_log import EventLog
from nova_ha.testing.faults import FaultPlan
from nova_ha.testing.fence import VirtualFenceActions
from nova_ha.testing.fencing import FenceActions, Fencing
from nova_ha.testing.hypervisors import Hypervisors, Violation
from nova_ha.testing.machines import Machines
from nova_ha.testing.nova import SimulatedNova, show_service

#: How often a waiting evacuator looks whether a record has changed (`nova_ha.evacuator_main.GLANCE`).
_WATCH_SECONDS = 0.2


class Evacuating(Protocol):
    """What the world needs of an evacuator."""

    def cycle(self) -> float:
        """Make one pass; return the seconds until the next is due."""


class SimulatedWorld:
    """Everything; see the attributes.

    Args:
        fence_actions: the record device; the product's own by default.
        limit: the latest second that the world may reach.

    Attributes:
        clock: virtual time; `run` lets it pass.
        log: what happened.
        cloud: Nova's database, with the hypervisors that count every guest.
        nova: Nova as a port; `nova.faults` is what goes wrong with it.
        cluster: Pacemaker as a port.
        fencing: Pacemaker's fencer.
        machines: the compute nodes.
        evacuator: the process that is at work now.
    """

    def __init__(self, fence_actions: FenceActions | None = None, limit: float = 7 * 86400.0) -> None:
        self.clock = VirtualClock(limit)
        self.log = EventLog(self.clock)
        self.cloud = Cloud(self.clock, self.log, Hypervisors(self.clock, self.log))
        self.nova = SimulatedNova(self.cloud, FaultPlan(self.clock))
        self.cluster = SimulatedCluster(self.clock, self.log)
        self.machines = Machines(self.cloud, self.cluster)
        actions = fence_actions or VirtualFenceActions(self.nova, self.cluster, self.clock, {})
        self.fencing = Fencing(self.clock, self.cluster, self.log, self.machines, actions)
        self.machines.fencing = self.fencing
        self.cluster.fencers.append(self.fencing.fence_on_request)
        self.evacuator: EvacuatorProcess | None = None

    @property
    def violations(self) -> list[Violation]:
        """Return what must never have happened."""
        return self.cloud.hypervisors.violations

    def add_host(self, host: str, node: str = "", **properties: object) -> None:
        """Add a compute node with its nova-compute; `node` is Pacemaker's name, by default the short one."""
        self.cloud.add_compute(host, **properties)
        self.machines.add(node or host.partition(".")[0], host)

    def node_of(self, host: str) -> ClusterNode:
        """Return Pacemaker's entry of a host of Nova."""
        machine = next(machine for machine in self.machines.all.values() if machine.host == host)
        return self.cluster.nodes[machine.name]

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.sleep(seconds)

    def close(self) -> None:
        """End everything that is still under way."""
        self.clock.close()

    def delete_server(self, name: str) -> None:
        """Delete a server as its owner; a guest elsewhere than on its host is reaped after 1800 s."""
        server = self.cloud.by_name(name)
        server.deleted, server.task_state = True, None
        self.log.add("operator", f"server {name} deleted")
        for host in self.cloud.hypervisors.hosts_of(server.id):
            reaped = 0.0 if host == server.host else 1800.0
            self.clock.after(reaped, lambda host=host: self._reap(host, server.id))  # type: ignore[misc]

    def _reap(self, host: str, server_id: str) -> None:
        self.cloud.hypervisors.destroy(host, server_id, "its server was deleted")

    def summary(self) -> list[str]:
        """Return where every server ended, the services, the records, and what must not have happened."""
        lines = [self._server_line(server_id) for server_id in self.cloud.servers]
        lines += [self._host_line(host) for host in self.cloud.computes]
        lines += [f"data lost: {name}" for name in self.cloud.data_lost]
        lines.append(f"evacuate requests that reached Nova: {self.nova.api.posts}")
        lines += [f"violation: {violation}" for violation in self.violations] or ["violations: none"]
        return [self.log.readable(line) for line in lines]

    def _server_line(self, server_id: str) -> str:
        server = self.cloud.servers[server_id]
        guests = ", ".join(self.cloud.hypervisors.hosts_of(server_id)) or "nowhere"
        if server.deleted:
            return f"server {server.name}: deleted, guest {guests}"
        task = f"/{server.task_state}" if server.task_state else ""
        return f"server {server.name}: {server.status}{task} on {server.host}, guest {guests}"

    def _host_line(self, host: str) -> str:
        service = show_service(self.cloud, self.cloud.computes[host])
        down = ", forced down" if service.forced_down else ""
        reason = f" ({service.disabled_reason})" if service.disabled_reason else ""
        node = self.node_of(host)
        entry = f"; recorded {node.fenced}" if node.fenced else ""
        mark = " and evacuated" if node.fenced and not node.recovery_is_open else ""
        said = f"; {node.state}" if node.state else ""
        return f"host {host}: {service.status}, {service.state}{down}{reason}{entry}{mark}{said}"


class EvacuatorProcess:
    """An evacuator at work on a controller, as an actor of the world.

    Args:
        world: the world.
        create: makes the evacuator; called inside the actor.
        helpers: returns other actors that belong to the process and die with it.
    """

    def __init__(
        self,
        world: SimulatedWorld,
        create: Callable[[], Evacuating],
        helpers: Callable[[], list[Actor]] = list,
        delay: float = 0.0,
    ) -> None:
        self._world = world
        self._create = create
        self._helpers = helpers
        self._is_waiting = False
        self._actor = world.clock.spawn(self._run, delay)

    def kill(self) -> None:
        """End the process and all that belongs to it, as SIGKILL would."""
        if self._notice in self._world.cluster.watchers:
            self._world.cluster.watchers.remove(self._notice)
        actors = [*self._helpers(), self._actor]
        current = self._world.clock.current
        for actor in sorted(actors, key=lambda one: one is current):
            actor.kill()

    def _run(self) -> None:
        evacuator = self._create()
        self._world.cluster.watchers.append(self._notice)
        while True:
            token = self._world.cluster.change_token()
            pause = evacuator.cycle()
            is_news = token != self._world.cluster.change_token()
            self._is_waiting = True
            self._world.clock.sleep(0.0 if is_news else pause)
            self._is_waiting = False

    def _notice(self) -> None:
        """Wake the evacuator a little after a record has changed, if it is waiting then."""
        self._world.clock.after(_WATCH_SECONDS, self._wake)

    def _wake(self) -> None:
        if self._is_waiting:
            self._actor.wake()
