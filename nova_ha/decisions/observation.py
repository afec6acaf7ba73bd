# SPDX-License-Identifier: Apache-2.0
"""What the evacuator sees in one look: what goes into its decisions.

An `Observation` goes in, a `plan.Plan` comes out; the modules `decide*` and `admission` between them
know neither Nova's client nor Pacemaker's tools nor the time of day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nova_ha.decisions.notes import ServerNotes
from nova_ha.model import (
    Attempt,
    ClusterNode,
    ClusterView,
    Evacuation,
    Server,
    ServerGroup,
    Service,
)

#: Moves of ``updated_at`` that prove a heartbeat: one may be anybody's PUT.
PROOF = 2


@dataclass(frozen=True)
class Heartbeat:
    """What successive looks at a service's ``updated_at`` say about its nova-compute (nova.md 1.2).

    Attributes:
        advances: how often the value moved without a request of ours, since ours or since it was silent.
        last_advance: when it moved last; epoch seconds by our clock.
    """

    advances: int = 0
    last_advance: float = 0.0

    @property
    def is_proven(self) -> bool:
        """Say whether nova-compute is alive for sure: one move may be anybody's PUT, two are heartbeats."""
        return self.advances >= PROOF


@dataclass(frozen=True)
class ServerView:
    """A server of a failed host, with all that is known about its evacuation.

    Attributes:
        id: its UUID.
        server: what Nova says; None when it was not on the host and was not asked for by name.
        is_here: whether Nova still lists it on the failed host.
        is_gone: whether Nova, asked by name, knows no such server.
        records: its evacuation records with this source, oldest first.
        attempts: its evacuate actions; None when they were not asked for.
        notes: what the journal says.
        outstanding: whether a request for it is on its way at this moment.
    """

    id: str
    server: Server | None
    is_here: bool
    is_gone: bool = False
    records: tuple[Evacuation, ...] = ()
    attempts: tuple[Attempt, ...] | None = None
    notes: ServerNotes = field(default_factory=ServerNotes)
    outstanding: bool = False

    @property
    def name(self) -> str:
        """Return what to call it in a line for people."""
        return f"{self.server.name} ({self.id})" if self.server else self.id

    @property
    def is_untouched(self) -> bool:
        """Say whether it is where it was, and nobody has asked for it."""
        return self.is_here and not (
            self.records or self.outstanding or self.notes.asks or self.notes.failures
        )

    @property
    def open_records(self) -> tuple[Evacuation, ...]:
        """Return the records whose evacuation may still be running."""
        return tuple(record for record in self.records if record.is_open)


@dataclass(frozen=True)
class HostView:
    """A compute node that has a record, as Pacemaker and Nova see it.

    Attributes:
        host: Nova's name of it; Pacemaker's when Nova's is unknown.
        node: Pacemaker's entry.
        service: Nova's; None when Nova does not show it.
        problem: why nothing may be concluded about it now; None when all is well.
        servers: its servers; None when they were not listed.
        is_fresh: whether they were listed in this very look; only then may requests be sent.
        heartbeat: signs of life of its nova-compute.
        takeover_until: until when requests of another evacuator may still show (epoch seconds); 0 when
            none can.
        is_claimed: whether Pacemaker's entry names this evacuator as the one that sends requests.
        final_since: since when every look found every server at its end; epoch seconds, None if one was not.
        restarts: when this evacuator had its nova-compute restarted; epoch seconds.
        silent_since: since when every look found that its nova-compute does not report though it ought to,
            epoch seconds; None when it reports, need not, or nothing is known.
    """

    host: str
    node: ClusterNode
    service: Service | None = None
    problem: str | None = None
    servers: tuple[ServerView, ...] | None = None
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    takeover_until: float = 0.0
    is_claimed: bool = False
    final_since: float | None = None
    restarts: tuple[float, ...] = ()
    is_fresh: bool = True
    silent_since: float | None = None


@dataclass(frozen=True)
class NovaHealth:
    """Whether Nova itself is well, so that a host may be blamed for its silence.

    Attributes:
        conductors_up: whether every nova-conductor is up; they write the heartbeats into the database.
        reporting: how many nova-compute are up.
        silent: how many nova-compute of nodes that are online do not report though they ought to.
    """

    conductors_up: bool
    reporting: int
    silent: int

    @property
    def is_well(self) -> bool:
        """Say whether silence is a host's own fault: not when most are silent."""
        return self.conductors_up and self.reporting > 0 and self.silent <= self.reporting


@dataclass(frozen=True)
class Observation:
    """Everything that one look saw.

    Attributes:
        now: time of the look, epoch seconds.
        cluster: Pacemaker's view.
        hosts: every node with a record, and every one that ought to have one.
        services: every nova-compute service; None when Nova was not asked or did not answer.
        groups: hard server groups by member.
        conductors_since: since when every look found Nova's conductors up, epoch seconds; None when one did
            not, or that was not asked for.
        fencings: when Pacemaker remembers to have fenced Nova's hosts, epoch seconds.
        problem: why Nova could not be asked; None when it answered, or was not asked.
        health: whether Nova itself is well; None when nothing depends on it, or it is unknown.
    """

    now: float
    cluster: ClusterView
    hosts: tuple[HostView, ...] = ()
    services: tuple[Service, ...] | None = None
    groups: Mapping[str, ServerGroup] = field(default_factory=dict)
    conductors_since: float | None = None
    fencings: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    problem: str | None = None
    health: NovaHealth | None = None
