# SPDX-License-Identifier: Apache-2.0
"""What Nova and Pacemaker say, parsed once and passed on as values."""

from __future__ import annotations

from dataclasses import dataclass

from nova_ha import record
from nova_ha.clock import parse_time

#: States in which an evacuation record has come to an end (nova.md 2.5). Every other word, also one that
#: a later Nova may invent, counts as open: unknown is not "nothing to do" (rule R3).
FINISHED = frozenset({"done", "completed", "error", "failed"})

#: How long a nova-compute may be silent before it counts as gone, although nobody has forced it down.
SILENCE_FORGIVEN = 300.0


@dataclass(frozen=True)
class Service:
    """A nova-compute service as ``GET /os-services`` shows it at microversion 2.69 or later.

    Attributes:
        id: UUID of the service.
        host: Nova's name of the host.
        status: ``enabled``, ``disabled``, or ``UNKNOWN`` when the host's cell is down.
        state: ``up`` or ``down``; None when the host's cell is down.
        forced_down: whether somebody told Nova that the host is down.
        disabled_reason: why it is disabled.
        updated_at: when the row last changed: a heartbeat, or a PUT (nova.md 1.2).
        zone: availability zone.
    """

    id: str
    host: str
    status: str
    state: str | None
    forced_down: bool = False
    disabled_reason: str | None = None
    updated_at: str | None = None
    zone: str | None = None

    @property
    def is_known(self) -> bool:
        """Say whether Nova can see the host's cell; if not, nothing may be concluded about it."""
        return self.state is not None and self.status in ("enabled", "disabled")

    @property
    def is_ours(self) -> bool:
        """Say whether nova-ha disabled it."""
        return self.status == "disabled" and record.is_ours(self.disabled_reason)

    @property
    def is_lost(self) -> bool:
        """Say whether nova-ha disabled it because Pacemaker had lost its host: that proves no fencing."""
        return self.status == "disabled" and record.is_lost(self.disabled_reason)

    @property
    def marked_at(self) -> str | None:
        """Return the time of the fencing that our marker tells of, also beside a person's words."""
        return record.marked_at(self.disabled_reason) if self.status == "disabled" else None

    def reason_when_fenced(self, fenced_at: str) -> str | None:
        """Return the ``disabled_reason`` to write for a fencing; None keeps a person's own (rule R5)."""
        if self.status != "disabled" or self.is_ours:
            return record.marker_reason(fenced_at)
        words = record.words_beside_marker(self.disabled_reason)
        return None if words is None else record.beside_marker(words, fenced_at)

    @property
    def takes_servers(self) -> bool:
        """Say whether the scheduler may send servers to it."""
        return self.status == "enabled" and self.state == "up" and not self.forced_down

    def may_take_servers_soon(self, now: float) -> bool:
        """Say whether it would take servers, had its heartbeats not stopped a short while ago.

        They stop for all hosts at once when RabbitMQ or the database is away. A host that is really dead
        will be fenced, and is forced down then.
        """
        beat = parse_time(self.updated_at or "")
        is_silent = self.status == "enabled" and self.state == "down" and not self.forced_down
        return is_silent and beat is not None and now - beat < SILENCE_FORGIVEN


@dataclass(frozen=True)
class Server:
    """A server as ``GET /servers/detail`` shows it to an admin.

    Attributes:
        id: UUID.
        name: its owner's name for it.
        status: ``ACTIVE``, ``SHUTOFF``, ``ERROR``, ``PAUSED``, ...
        vm_state: ``active``, ``stopped``, ``error``, ``paused``, ...
        task_state: what Nova is doing with it now; None when nothing.
        power_state: 1 running, 3 paused, 4 shut down; the last word of the hypervisor, kept in ERROR.
        host: the host that Nova says it is on; None when on none.
        launched: whether it ever ran.
        is_volume_backed: whether its root disk is a volume (sufficient, not necessary: nova.md 5).
        local_disk: whether its flavor has ephemeral or swap disk.
        fault: message of its last fault.
        has_vtpm: whether its flavor asks for an emulated TPM, whose state Nova keeps on the host.
        metadata: its owner's metadata.
    """

    id: str
    name: str
    status: str
    vm_state: str
    task_state: str | None
    power_state: int | None
    host: str | None
    launched: bool = True
    is_volume_backed: bool = False
    local_disk: bool = False
    fault: str | None = None
    has_vtpm: bool = False
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Evacuation:
    """An evacuation record of ``GET /os-migrations?migration_type=evacuation``.

    Attributes:
        uuid: UUID of the record.
        server_id: the server.
        source: the host it leaves.
        destination: the host that has claimed it; None until then.
        status: ``accepted``, ``pre-migrating``, ``done``, ``completed``, ``error``, ``failed``.
        created_at: epoch seconds by Nova's clock.
        updated_at: epoch seconds by Nova's clock.
    """

    uuid: str
    server_id: str
    source: str
    destination: str | None
    status: str
    created_at: float
    updated_at: float

    @property
    def is_open(self) -> bool:
        """Say whether the evacuation may still be running."""
        return self.status not in FINISHED

    @property
    def succeeded(self) -> bool:
        """Say whether the server reached its destination."""
        return self.status in ("done", "completed")


@dataclass(frozen=True)
class ActionEvent:
    """One event of an instance action; `result` is None while it runs, else ``Success`` or ``Error``.

    It ended, or else began, `at` that time: epoch seconds by Nova's clock.
    """

    name: str
    result: str | None
    host: str | None = None
    details: str | None = None
    at: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """An ``evacuate`` instance action: what became of one request.

    Attributes:
        request_id: the id that the POST's answer had.
        started_at: epoch seconds by Nova's clock.
        events: its events so far; none means that no conductor has begun it.
    """

    request_id: str
    started_at: float
    events: tuple[ActionEvent, ...] = ()

    @property
    def is_over(self) -> bool:
        """Say whether this request can have no further effect.

        The conductor's event ``rebuild_server`` with Error means that nothing was sent to a destination;
        ``compute_rebuild_instance`` with any result means that the destination is through with it
        (nova.md 2.7, rule 15).
        """
        return any(
            (event.name == "rebuild_server" and event.result == "Error")
            or (event.name == "compute_rebuild_instance" and event.result is not None)
            for event in self.events
        )


@dataclass(frozen=True)
class ServerGroup:
    """A server group: `policy` is ``affinity``, ``anti-affinity`` or a soft form of them."""

    id: str
    policy: str
    members: frozenset[str]


@dataclass(frozen=True)
class ClusterNode:
    """A node as Pacemaker's CIB shows it.

    Attributes:
        name: Pacemaker's name.
        is_remote: whether it is a Pacemaker Remote node, not a full member.
        online: whether its connection is up.
        fenced: value of `record.FENCED`; None without a record.
        evacuated: value of `record.EVACUATED`.
        state: value of `record.STATE`.
        servers: value of `record.SERVERS`.
        fenced_since: when it was fenced, epoch seconds, if its connection has not been up since: Pacemaker's
            ``node_fenced``, set by every successful fencing (any device, watchdog, an operator's word) and
            cleared when the connection comes up. Seen on 2.1.5; transient: lost with a full cluster stop.
        legacy: value of the old agents' attribute ``evacuate``; None when unset.
        lost: whether its connection failed and is not up again (`pacemaker.lost_connection`); a fencing that
            succeeded is told by `fenced_since`, not by this.
        lost_since: when it failed, epoch seconds; None when that is unknown.
        wedged: value of `record.WEDGED`.
        compute_since: since when Pacemaker runs nova-compute there and may restart it, epoch seconds; None
            when it does not, or not now (`nova_ha.pacemaker.compute_history`).
    """

    name: str
    is_remote: bool
    online: bool
    fenced: str | None = None
    evacuated: str | None = None
    state: str | None = None
    legacy: str | None = None
    fenced_since: float | None = None
    servers: str | None = None
    lost: bool = False
    wedged: str | None = None
    compute_since: float | None = None
    lost_since: float | None = None

    @property
    def facts(self) -> frozenset[str]:
        """Return what the entry says about single servers of the recovery that it is about."""
        return record.facts_of(self.servers, self.fenced_at)

    @property
    def fenced_at(self) -> str | None:
        """Return the time of the recorded fencing: the identity of its recovery."""
        return record.fenced_at(self.fenced)

    @property
    def recovery_is_open(self) -> bool:
        """Say whether the node was fenced and its recovery is not complete."""
        return record.is_open(self.fenced, self.evacuated)


@dataclass(frozen=True)
class FencingEvent:
    """A successful fencing in Pacemaker's history, by any device, the watchdog, or an operator's word.

    Attributes:
        target: the node.
        action: ``off`` or ``reboot``.
        completed_at: epoch seconds.
        by: device, or who confirmed it.
    """

    target: str
    action: str
    completed_at: float
    by: str = ""


@dataclass(frozen=True)
class ClusterView:
    """The cluster at one moment, as one controller sees it."""

    quorate: bool
    nodes: tuple[ClusterNode, ...]
    fencing: tuple[FencingEvent, ...] = ()

    def node(self, name: str) -> ClusterNode | None:
        """Return the node of that name."""
        return next((node for node in self.nodes if node.name == name), None)
