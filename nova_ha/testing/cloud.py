# SPDX-License-Identifier: Apache-2.0
"""What the simulated Nova keeps in its database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Callable, Protocol

from nova_ha.testing.clock import VirtualClock
from nova_ha.testing.event_log import EventLog
from nova_ha.testing.hypervisors import Hypervisors

_NAMESPACE = uuid.UUID("6f1c2b1e-0000-4000-8000-6e6f76612d68")

#: What ``status`` shows for a vm_state, as long as no rebuild is under way.
STATUS = {
    "active": "ACTIVE",
    "stopped": "SHUTOFF",
    "error": "ERROR",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "rescued": "RESCUE",
    "resized": "VERIFY_RESIZE",
    "building": "BUILD",
    "shelved": "SHELVED",
    "shelved_offloaded": "SHELVED_OFFLOADED",
    "soft-delete": "SOFT_DELETED",
}
_POWER = {"active": 1, "rescued": 1, "resized": 1, "paused": 3, "building": 0}


def make_uuid(kind: str, name: str) -> str:
    """Return the same UUID for the same thing in every run."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


@dataclass
class Server:
    """A row of ``instances``; `refusal` is a reason for which Nova never evacuates it (nova.md 2.2)."""

    id: str
    name: str
    host: str | None
    vm_state: str = "active"
    task_state: str | None = None
    power_state: int = 1
    launched: bool = True
    volume_backed: bool = True
    local_disk: bool = False
    refusal: str | None = None
    zone: str | None = None
    fault: str | None = None
    deleted: bool = False
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Return what the API shows as its status."""
        if self.task_state and self.task_state.startswith("rebuild"):
            return "REBUILD"
        return STATUS[self.vm_state]


@dataclass
class Compute:
    """A row of ``services``, and what the scheduler and the simulation know of its host.

    Attributes:
        capacity: how many servers fit.
        spawn_seconds: how long a guest takes to start there.
        fails: what becomes of every evacuation to it; an outcome of `nova_ha.testing.evacuation`.
        alive_since: second at which its nova-compute reported first; None while it does not run.
        hangs: how many of its next starts end in a hang, before it has reported.
        frozen: it neither runs nor is gone: it goes on when the host thaws.
        incarnation: grows when nova-compute dies; what an earlier one was doing is lost.
        inbox: messages that RabbitMQ keeps until nova-compute starts.
        last_report: second of its last heartbeat while it ran.
        written_at: second at which a PUT last changed the row.
    """

    host: str
    id: str
    zone: str = "nova"
    cell: str = "cell1"
    capacity: int = 1000
    spawn_seconds: float = 2.0
    fails: str | None = None
    disabled: bool = False
    disabled_reason: str | None = None
    forced_down: bool = False
    alive_since: float | None = 0.0
    last_report: float = 0.0
    written_at: float = 0.0
    frozen: bool = False
    hangs: int = 0
    incarnation: int = 0
    inbox: list[Callable[[], object]] = field(default_factory=list)


@dataclass
class Record:
    """A row of ``migrations`` of type evacuation; `number` is for the log."""

    number: int
    uuid: str
    server_id: str
    source: str
    status: str
    created_at: float
    updated_at: float
    destination: str | None = None


@dataclass
class Event:
    """A row of ``instance_actions_events``."""

    name: str
    started_at: float
    result: str | None = None
    host: str | None = None
    details: str | None = None


@dataclass
class Action:
    """A row of ``instance_actions``."""

    request_id: str
    server_id: str
    started_at: float
    events: list[Event] = field(default_factory=list)


@dataclass
class Group:
    """A server group."""

    id: str
    policy: str
    members: set[str]


@dataclass
class Plan:
    """What will become of attempt number `attempt` to evacuate a server (0: of every attempt)."""

    outcome: str
    server_id: str
    attempt: int = 0
    seconds: float = 0.0


class Movement(Protocol):
    """An accepted request."""

    @property
    def may_have_effect(self) -> bool:
        """Say whether it may still start a guest."""


@dataclass
class Cloud:
    """The whole database, and the things that everything needs.

    Attributes:
        allocations: ids of the servers that Placement counts, by host.
        cells_down: cells whose database cannot be reached.
        conductors: which nova-conductors are up.
        data_lost: servers that were rebuilt from their image.
        moving: requests that were accepted, by server.
    """

    clock: VirtualClock
    log: EventLog
    hypervisors: Hypervisors
    report_interval: float = 10.0
    service_down_time: float = 60.0
    computes: dict[str, Compute] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    actions: dict[str, list[Action]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    cells_down: set[str] = field(default_factory=set)
    allocations: dict[str, set[str]] = field(default_factory=dict)
    shared_storage: bool = True
    conductors: list[bool] = field(default_factory=lambda: [True, True])
    data_lost: list[str] = field(default_factory=list)
    moving: dict[str, list[Movement]] = field(default_factory=dict)

    def add_compute(self, host: str, **properties: object) -> Compute:
        """Add a host with its nova-compute."""
        compute = Compute(host, make_uuid("service", host), **properties)  # type: ignore[arg-type]
        self.computes[host] = compute
        self.log.name(compute.id, f"nova-compute@{host}")
        return compute

    def add_server(
        self, name: str, host: str | None, vm_state: str = "active", **properties: object
    ) -> Server:
        """Add a server and its guest."""
        server = Server(make_uuid("server", name), name, host, vm_state, **properties)  # type: ignore[arg-type]
        if "power_state" not in properties:
            server.power_state = _POWER.get(vm_state, 4)
        self.servers[server.id] = server
        self.log.name(server.id, name)
        if host is not None:
            self.hypervisors.place(host, server.id, live=server.power_state in (1, 3))
            self.allocations.setdefault(host, set()).add(server.id)
        return server

    def add_group(self, policy: str, names: list[str]) -> Group:
        """Add a server group of the servers of those names."""
        members = {make_uuid("server", name) for name in names}
        group = Group(make_uuid("group", ",".join(names)), policy, members)
        self.groups.append(group)
        return group

    def by_name(self, name: str) -> Server:
        """Return the server of that name."""
        return self.servers[make_uuid("server", name)]

    def last_report(self, compute: Compute) -> float:
        """Return the second of a nova-compute's last heartbeat; the first comes 5 s after its start."""
        if compute.alive_since is None:
            return compute.last_report
        reports = max(0.0, self.clock.monotonic() - compute.alive_since) // self.report_interval
        return compute.alive_since + reports * self.report_interval

    def is_up(self, compute: Compute) -> bool:
        """Say what the service group API says: forced_down outranks the heartbeats."""
        age = self.clock.monotonic() - self.last_report(compute)
        return not compute.forced_down and abs(age) <= self.service_down_time

    def is_cell_down(self, host: str | None) -> bool:
        """Say whether a host's cell cannot be reached."""
        compute = self.computes.get(host or "")
        return compute is not None and compute.cell in self.cells_down

    def records_of(self, host: str) -> list[Record]:
        """Return the records of a source host, oldest first, those of deleted servers too."""
        return [record for record in self.records if record.source == host]

    def is_moving(self, server_id: str) -> bool:
        """Say whether a request for the server may still start a guest."""
        return any(movement.may_have_effect for movement in self.moving.get(server_id, ()))

    def group_of(self, server_id: str) -> Group | None:
        """Return a server's group."""
        return next((group for group in self.groups if server_id in group.members), None)

    def set_record(self, record: Record, status: str) -> None:
        """Change an evacuation record."""
        record.status = status
        record.updated_at = self.clock.now()
        place = f" (to {record.destination})" if record.destination else ""
        self.log.add("nova", f"record {record.number} of {record.server_id}: {status}{place}")
