# SPDX-License-Identifier: Apache-2.0
"""What the evacuator sees in one look, and what it decides to do about it: the two borders of its decisions.

An `Observation` goes in, a `Plan` comes out; the modules `decide*` and `admission` between them know neither
Nova's client nor Pacemaker's tools nor the time of day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from nova_ha.model import (
    Attempt,
    ClusterNode,
    ClusterView,
    Evacuation,
    HostState,
    Server,
    ServerGroup,
    Service,
)
from nova_ha.notes import ServerNotes

# --- what is seen -------------------------------------------------------------------------------------------


#: Moves of ``updated_at`` that prove a heartbeat: one may be anybody's PUT.
PROOF = 2


@dataclass(frozen=True)
class Heartbeat:
    """What successive looks at a service's ``updated_at`` say about its nova-compute (nova.md 1.2).

    Attributes:
        advances: how often the value moved without a request of ours, since ours or since it was silent.
        last_advance: when it moved last; epoch seconds by our clock.
        watched_since: when the first of these looks was; epoch seconds by our clock.
    """

    advances: int = 0
    last_advance: float = 0.0
    watched_since: float = 0.0

    @property
    def is_proven(self) -> bool:
        """Say whether nova-compute is alive for sure: one move may be anybody's PUT, two are heartbeats."""
        return self.advances >= PROOF

    @property
    def silent_since(self) -> float:
        """Return since when nothing moved, as far as was watched; epoch seconds."""
        return max(self.last_advance, self.watched_since)


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
    """

    now: float
    cluster: ClusterView
    hosts: tuple[HostView, ...] = ()
    services: tuple[Service, ...] | None = None
    groups: Mapping[str, ServerGroup] = field(default_factory=dict)
    conductors_since: float | None = None
    fencings: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    problem: str | None = None


# --- what is decided ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WriteRecord:
    """Record a fencing that no record device has recorded."""

    node: str
    fenced_at: str
    proof: str


@dataclass(frozen=True)
class TellDown:
    """Force the service down and, with a reason, disable it."""

    service: Service
    reason: str | None


@dataclass(frozen=True)
class Claim:
    """Name this evacuator on the node's entry before it sends the first request."""

    node: str


@dataclass(frozen=True)
class Evacuate:
    """Send one evacuate request."""

    server: Server
    destination: str | None
    known_records: tuple[str, ...]


@dataclass(frozen=True)
class ResetToError:
    """Reset a server to ERROR so that Nova accepts to evacuate it."""

    server: Server


@dataclass(frozen=True)
class StopServer:
    """Shut a server off that was off before and came back running."""

    server_id: str


@dataclass(frozen=True)
class LookCloser:
    """Ask Nova for a server by name, and for its evacuate actions, at the next look."""

    server_id: str


@dataclass(frozen=True)
class NoteFailure:
    """Write down an attempt that ended without success."""

    server_id: str
    record: Evacuation
    fault: str | None


@dataclass(frozen=True)
class MarkEvacuated:
    """Write that the recovery is complete."""

    node: str
    fenced_at: str


@dataclass(frozen=True)
class RestartCompute:
    """Have Pacemaker restart the node's nova-compute."""

    node: str
    reason: str


@dataclass(frozen=True)
class ClearForcedDown:
    """Let Nova see the host as up again."""

    service: Service


@dataclass(frozen=True)
class Enable:
    """Let the scheduler use the host again."""

    service: Service


@dataclass(frozen=True)
class ClearRecord:
    """Remove the record: the host is back in service."""

    node: str
    fenced_at: str


Step = Union[
    WriteRecord,
    TellDown,
    Claim,
    Evacuate,
    ResetToError,
    StopServer,
    LookCloser,
    NoteFailure,
    MarkEvacuated,
    RestartCompute,
    ClearForcedDown,
    Enable,
    ClearRecord,
]


class Fate(Enum):
    """Where a server of a failed host stands; the meaning is beside the word."""

    WAITING = "waiting", "its turn has not come"
    READY = "ready", "may be asked for now"
    ASKED = "asked", "its request is on the way"
    SETTLING = "settling", "a request's answer was lost; its trace is awaited"
    EVACUATING = "evacuating", "Nova is at it"
    STOPPING = "stopping", "it runs elsewhere, but was shut off before"
    RETRYING = "retrying", "an attempt failed; another follows"
    VERIFIED = "verified", "it is on another host, and its evacuation is done"
    IMMOVABLE = "immovable", "it cannot be evacuated as it is"
    IGNORED = "ignored", "it needs no recovery"
    GONE = "gone", "its owner deleted it"

    def __init__(self, word: str, meaning: str) -> None:
        self.word = word
        self.meaning = meaning

    @property
    def is_final(self) -> bool:
        """Say whether the recovery need not wait for it any more."""
        return self in (Fate.VERIFIED, Fate.IMMOVABLE, Fate.IGNORED, Fate.GONE)

    @property
    def is_in_flight(self) -> bool:
        """Say whether an evacuation of it may be running."""
        return self in (Fate.ASKED, Fate.SETTLING, Fate.EVACUATING)


@dataclass(frozen=True)
class Verdict:
    """What is decided about one server.

    Attributes:
        view: the server.
        fate: where it stands.
        reason: why, in words for an admin; empty when the fate says it all.
        steps: what to do now.
        at: when it is due again, epoch seconds; None when the next look will tell.
        is_stuck: whether it takes so long that an admin should know.
    """

    view: ServerView
    fate: Fate
    reason: str = ""
    steps: tuple[Step, ...] = ()
    at: float | None = None
    is_stuck: bool = False

    @property
    def sentence(self) -> str:
        """Return one line for people."""
        why = f" ({self.reason})" if self.reason else ""
        return f"server {self.view.name}: {self.fate.word}{why}"


@dataclass(frozen=True)
class HostPlan:
    """What is decided about one host."""

    view: HostView
    state: HostState
    reason: str = ""
    verdicts: tuple[Verdict, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def progress(self) -> str:
        """Return ``done/all`` of the servers that this recovery is about."""
        counted = [v for v in self.verdicts if v.fate not in (Fate.IGNORED, Fate.GONE)]
        done = sum(1 for v in counted if v.fate.is_final)
        return f"{done}/{len(counted)}"

    @property
    def troubles(self) -> tuple[str, ...]:
        """Return what an admin should know: why it is held, and each server that does not get on."""
        held = (f"host {self.view.host}: held ({self.reason})",) if self.state is HostState.HELD else ()
        stuck = tuple(
            v.sentence for v in self.verdicts if v.is_stuck or v.fate in (Fate.RETRYING, Fate.IMMOVABLE)
        )
        return held + stuck


@dataclass(frozen=True)
class Plan:
    """What is decided about everything that was seen."""

    hosts: tuple[HostPlan, ...]

    @property
    def unlisted(self) -> frozenset[str]:
        """Return the nodes whose servers would be asked for, had they been listed in this look."""
        return frozenset(
            host.view.node.name
            for host in self.hosts
            for verdict in host.verdicts
            if verdict.fate is Fate.READY and not host.view.is_fresh
        )

    @property
    def in_flight(self) -> int:
        """Return how many evacuations may be running."""
        return sum(1 for host in self.hosts for verdict in host.verdicts if verdict.fate.is_in_flight)
