# SPDX-License-Identifier: Apache-2.0
"""What the evacuator decides to do: what comes out of its decisions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Union

from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView, ServerView
from nova_ha.decisions.plan_unfenced import UnfencedStep
from nova_ha.model import Evacuation, Server, Service


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
class RememberProof:
    """Write down that Pacemaker remembers the fencing that the record is about."""


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
class KeepDisabled:
    """Take our marker out of the reason of a host that a person has disabled during its recovery."""

    service: Service
    reason: str


@dataclass(frozen=True)
class StartAtHome:
    """Start servers on the host that they could not leave and that is back in service.

    Attributes:
        server_ids: those to be started now.
        taken: those that Nova is starting.
        over: those about which nothing is left to be done.
    """

    server_ids: tuple[str, ...]
    taken: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClearRecord:
    """Remove the record: the host is back in service."""

    node: str
    fenced_at: str


Step = Union[
    WriteRecord,
    TellDown,
    Claim,
    RememberProof,
    Evacuate,
    ResetToError,
    StopServer,
    LookCloser,
    NoteFailure,
    MarkEvacuated,
    RestartCompute,
    ClearForcedDown,
    Enable,
    KeepDisabled,
    StartAtHome,
    ClearRecord,
    UnfencedStep,
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
        is_overdue: whether it shows no progress for so long that others need not wait for its place.
        starts_at_home: whether it stays on its host, which is back, and is to be started there.
    """

    view: ServerView
    fate: Fate
    reason: str = ""
    steps: tuple[Step, ...] = ()
    at: float | None = None
    is_stuck: bool = False
    is_overdue: bool = False
    starts_at_home: bool = False

    @property
    def takes_a_place(self) -> bool:
        """Say whether it counts against the evacuations that may be under way at once.

        Nova never ends an evacuation whose destination could not reach the database at its end. A few of
        them must not keep all other servers waiting.
        """
        return self.fate.is_in_flight and not self.is_overdue

    @property
    def sentence(self) -> str:
        """Return one line for people."""
        why = f" ({self.reason})" if self.reason else ""
        return f"server {self.view.name}: {self.fate.word}{why}"


@dataclass(frozen=True)
class HostPlan:
    """What is decided about one host.

    Attributes:
        view: the host.
        state: where it stands.
        reason: why, in words for an admin.
        verdicts: what is decided about its servers.
        steps: what to do now.
        is_stuck: whether an admin should know although the state is one that passes by itself.
    """

    view: HostView
    state: HostState
    reason: str = ""
    verdicts: tuple[Verdict, ...] = ()
    steps: tuple[Step, ...] = ()
    is_stuck: bool = False

    @property
    def progress(self) -> str:
        """Return ``done/all`` of the servers that this recovery is about."""
        counted = [v for v in self.verdicts if v.fate not in (Fate.IGNORED, Fate.GONE)]
        done = sum(1 for v in counted if v.fate.is_final)
        return f"{done}/{len(counted)}"

    @property
    def troubles(self) -> tuple[str, ...]:
        """Return what an admin should know: why it does not get on, and each server that does not."""
        is_bad = self.is_stuck or self.state in (HostState.HELD, HostState.WEDGED)
        held = (f"host {self.view.host}: {self.state.word} ({self.reason})",) if is_bad else ()
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
        """Return how many evacuations may be running; not counting those that show no progress."""
        return sum(1 for host in self.hosts for verdict in host.verdicts if verdict.takes_a_place)
