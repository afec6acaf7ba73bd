# SPDX-License-Identifier: Apache-2.0
"""Decide whether ``nova-ha evacuate`` may begin, go on, or must refuse. Pure functions.

An operator's word is worth as much as a fencing, and no more: evidence that the host is alive outweighs it
(rule R1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from nova_ha import record
from nova_ha.clock import format_time, parse_time
from nova_ha.decisions.decide_proof import has_our_marker
from nova_ha.errors import NovaHaError
from nova_ha.model import ClusterNode, Service

#: ``Ann`` alone says who, and not how.
_FEWEST_WORDS = 2


@dataclass(frozen=True)
class Circumstances:
    """What the decision depends on.

    Attributes:
        host: Nova's name of the host.
        service: its service in Nova.
        entry: Pacemaker's entry, or that of the ledger; None when neither has one.
        is_pacemaker: whether the host is a node of a Pacemaker cluster; otherwise the ledger counts.
        is_quorate: whether this partition of the cluster has quorum.
        has_evacuator: whether the cluster has a resource NovaEvacuate.
        is_heard: whether Nova has just heard of the host's nova-compute.
        statement: who has made sure that the host is off, and how; empty when nobody has said so.
        take_over: whether somebody says that whoever else has begun is dead.
        me: the name that stands for this evacuator on an entry.
        now: epoch seconds.
    """

    host: str
    service: Service
    entry: ClusterNode | None
    is_pacemaker: bool
    is_quorate: bool
    has_evacuator: bool
    is_heard: bool
    statement: str
    take_over: bool
    me: str
    now: float


class Way(Enum):
    """What is to be done."""

    BEGIN = "write a record, then recover"
    GO_ON = "recover on the record that is there"
    COMPLETE = "nothing: every server has been recovered"


@dataclass(frozen=True)
class Decision:
    """What is to be done, and for a new record what it stands on.

    Attributes:
        way: what is to be done.
        fenced_at: time of the new record.
        proof: what says that the host is off.
        is_foreign: whether another evacuator has begun, whose requests may still show.
    """

    way: Way
    fenced_at: str = ""
    proof: str = ""
    is_foreign: bool = False


def must_listen(situation: Circumstances) -> bool:
    """Say whether it takes a while to tell if the host is silent.

    Nova shows a dead host as up for a minute; one that is forced down, as down also while its nova-compute
    runs.
    """
    entry, service = situation.entry, situation.service
    is_settled = entry is not None and (
        entry.recovery_is_open or entry.online or entry.fenced_since is not None
    )
    if situation.is_pacemaker and is_settled:
        return False
    return service.is_known and (service.state == "up" or service.forced_down)


def decide(situation: Circumstances) -> Decision:
    """Return what is to be done.

    Raises:
        NovaHaError: it must not be done; the text says why, and what would help.
    """
    host, entry = situation.host, situation.entry
    if not situation.is_quorate:
        raise NovaHaError(f"{host}: this partition of the cluster has no quorum")
    if not situation.service.is_known:
        raise NovaHaError(
            f"{host}: its cell is down, so that Nova cannot tell what runs there; try again later"
        )
    if entry is not None and entry.recovery_is_open:
        _refuse_foreign(situation, record.owner_of(entry.state))
        return Decision(Way.GO_ON)
    if entry is not None and entry.fenced and has_our_marker(situation.service):
        return Decision(Way.COMPLETE)
    _refuse_alive(situation)
    return _from_proof(situation)


def _refuse_foreign(situation: Circumstances, owner: str | None) -> None:
    """Never two evacuators for one host: neither would know of the other's requests."""
    if situation.has_evacuator or situation.take_over or owner in (None, situation.me):
        return
    raise NovaHaError(
        f"{situation.host}: {owner} has begun its recovery; let it go on, or, if that process is dead for "
        "sure, add --take-over"
    )


def _refuse_alive(situation: Circumstances) -> None:
    """Refuse on evidence that the host is alive, whatever anybody says."""
    entry = situation.entry
    if situation.is_pacemaker and entry is not None and entry.online:
        raise NovaHaError(
            f"{situation.host}: the node {entry.name} is online in Pacemaker; if it is broken, have it "
            f"fenced: pcs stonith fence {entry.name}"
        )
    if situation.is_heard:
        raise NovaHaError(
            f"{situation.host}: its nova-compute reports to Nova at this moment, so it is not off; switch "
            "its power off first"
        )


def _from_proof(situation: Circumstances) -> Decision:
    """Return the decision for a host without a record."""
    entry, statement = situation.entry, " ".join(situation.statement.split())
    if situation.is_pacemaker and entry is not None and entry.fenced_since is not None:
        return Decision(Way.BEGIN, format_time(entry.fenced_since), "Pacemaker's fencing history")
    marked = _marked_at(situation.service)
    if marked is not None:
        _refuse_marked(situation, marked)
        return Decision(Way.BEGIN, marked, "the marker in Nova", is_foreign=not situation.is_pacemaker)
    if not statement:
        raise NovaHaError(
            f"{situation.host}: nothing proves that it is off; have it fenced, or make sure yourself and "
            'say so: --confirm-host-is-off "who and how"'
        )
    if len(statement.split()) < _FEWEST_WORDS:
        raise NovaHaError(
            f"--confirm-host-is-off={statement!r}: say who has made sure, and how, such as "
            '"Ann has pulled both power cords"'
        )
    return Decision(Way.BEGIN, format_time(situation.now), statement)


def _refuse_marked(situation: Circumstances, marked: str) -> None:
    """Without Pacemaker the marker may be that of a nova-ha on another machine, which is still at it."""
    if situation.is_pacemaker or situation.take_over:
        return
    raise NovaHaError(
        f"{situation.host}: another machine's nova-ha has begun its recovery (marker in Nova: fenced "
        f"{marked}); go on there, or, if that one is dead for sure, add --take-over"
    )


def _marked_at(service: Service) -> str | None:
    """Return the time in nova-ha's marker in Nova; None without one that has a time."""
    if not has_our_marker(service):
        return None
    time = service.marked_at or ""
    return time if parse_time(time) is not None else None
