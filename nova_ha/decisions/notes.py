# SPDX-License-Identifier: Apache-2.0
"""What only the evacuator knows of a recovery, folded from the journal's events.

Nova's answers are the truth about every server; notes add what Nova cannot say: that a request was sent
and not answered, how a server's power stood before the first request, how often and why an attempt
failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nova_ha import record

#: Outcomes of a request. ``None``: it was about to be sent, and nothing is known since (the evacuator died).
ACCEPTED, REFUSED, NOT_SENT, AMBIGUOUS, IN_USE = "accepted", "refused", "not-sent", "ambiguous", "in-use"


@dataclass(frozen=True)
class Ask:
    """One evacuate request.

    Attributes:
        at: when it was about to be sent, or when its answer came; epoch seconds.
        destination: the host that was asked for; None leaves it to the scheduler.
        known: records of the server that existed before; any other is this request's trace.
        vm_state: the server's state before.
        outcome: see above.
        request_id: Nova's id of the request.
        text: what Nova said, or what became of the connection.
        status: HTTP status of an answer that is an error; None when Nova said nothing.
    """

    at: float
    destination: str | None = None
    known: frozenset[str] = frozenset()
    vm_state: str = ""
    outcome: str | None = None
    request_id: str | None = None
    text: str = ""
    status: int | None = None

    @property
    def may_have_effect(self) -> bool:
        """Say whether Nova may have begun an evacuation because of it."""
        return self.outcome in (None, ACCEPTED, AMBIGUOUS)


@dataclass(frozen=True)
class Failure:
    """A record that ended in ``error`` or ``failed``, as it was first seen."""

    record: str
    destination: str | None
    fault: str | None


@dataclass(frozen=True)
class ServerNotes:
    """What is known about one server in one recovery; `starts`: when it was started on its own host."""

    was_off: bool | None = None
    asks: tuple[Ask, ...] = ()
    failures: tuple[Failure, ...] = ()
    stopped_again: bool = False
    reset: bool = False
    off_in_error: bool = False
    starts: tuple[float, ...] = ()

    @property
    def last_ask(self) -> Ask | None:
        """Return the latest request."""
        return self.asks[-1] if self.asks else None

    @property
    def must_be_stopped(self) -> bool:
        """Say whether it comes back running though it was off: Nova forgets that in ERROR (rule 19)."""
        through_error = self.off_in_error or any(ask.vm_state == "error" for ask in self.asks)
        return bool(self.was_off) and not self.stopped_again and through_error

    def with_facts(self, server_id: str, facts: frozenset[str]) -> ServerNotes:
        """Return the notes with what the node's entry remembers of this server."""
        if record.OFF + server_id in facts:
            return replace(
                self, was_off=True, off_in_error=True, reset=self.reset or record.RESET + server_id in facts
            )
        return replace(self, reset=True) if record.RESET + server_id in facts else self


@dataclass(frozen=True)
class Notes:
    """What is known about one recovery."""

    servers: Mapping[str, ServerNotes] = field(default_factory=dict)
    begun: bool = False
    restarts: tuple[float, ...] = ()

    def of(self, server_id: str) -> ServerNotes:
        """Return the notes about a server; empty ones when there are none."""
        return self.servers.get(server_id, ServerNotes())


Event = Mapping[str, Any]


def fold(notes: Notes, event: Event) -> Notes:
    """Return the notes after one journal event; events of unknown kinds change nothing."""
    kind = event.get("event")
    if kind == "begun":
        return replace(notes, begun=True)
    if kind == "restarted":
        return replace(notes, restarts=(*notes.restarts, float(event["t"])))
    handler = _HANDLERS.get(str(kind))
    if handler is None or "server" not in event:
        return notes
    server_id = str(event["server"])
    return replace(notes, servers={**notes.servers, server_id: handler(notes.of(server_id), event)})


def _asking(notes: ServerNotes, event: Event) -> ServerNotes:
    ask = Ask(
        at=float(event["t"]),
        destination=event.get("destination"),
        known=frozenset(event.get("known", ())),
        vm_state=str(event.get("vm_state", "")),
    )
    was_off = notes.was_off if notes.was_off is not None else event.get("was_off")
    return replace(notes, was_off=was_off, asks=(*notes.asks, ask))


def _answered(notes: ServerNotes, event: Event) -> ServerNotes:
    if not notes.asks:
        return notes
    ask = replace(
        notes.asks[-1],
        at=float(event["t"]),
        outcome=event.get("outcome"),
        request_id=event.get("request_id"),
        text=str(event.get("text", "")),
        status=event.get("status"),
    )
    return replace(notes, asks=(*notes.asks[:-1], ask))


def _failed(notes: ServerNotes, event: Event) -> ServerNotes:
    if any(failure.record == event.get("record") for failure in notes.failures):
        return notes
    failure = Failure(str(event.get("record")), event.get("destination"), event.get("fault"))
    return replace(notes, failures=(*notes.failures, failure))


def _stopped(notes: ServerNotes, _event: Event) -> ServerNotes:
    return replace(notes, stopped_again=True)


def _starting(notes: ServerNotes, event: Event) -> ServerNotes:
    return replace(notes, starts=(*notes.starts, float(event["t"])))


def _reset(notes: ServerNotes, event: Event) -> ServerNotes:
    return replace(notes, reset=True, was_off=event.get("was_off", notes.was_off))


_HANDLERS = {
    "asking": _asking,
    "answered": _answered,
    "failed": _failed,
    "stopped": _stopped,
    "starting": _starting,
    "reset": _reset,
}
