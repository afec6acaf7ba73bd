# SPDX-License-Identifier: Apache-2.0
"""From the logs' lines to dated stages of a recovery.

Nothing here is estimated: a stage has a time because a program wrote a line when it was reached. Pure; the
lines come from `tests.lab.demo.watch`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum


class Stage(Enum):
    """The stages of a recovery, in the order of the table; what is read as each one's proof is beside it."""

    LOST = "lost", "Pacemaker gave up the connection"
    FENCED = "fenced", "the power device confirmed that the node is off"
    RECORDED = "recorded", "the record of the fencing is in Pacemaker's configuration"
    TOLD = "Nova told", "Nova answered to the request to force the host down and disable it"
    EVACUATING = "evacuating", "Nova accepted the first evacuate request"
    VERIFIED = "all verified", "the evacuator has verified every server"
    REJOINED = "node rejoined", "Pacemaker has its connection to the node again"
    BACK = "host back", "the record is removed: up, enabled, not forced down"

    def __init__(self, word: str, proof: str) -> None:
        self.word = word
        self.proof = proof


@dataclass(frozen=True)
class Line:
    """A line of a log.

    Attributes:
        at: when it was written, epoch seconds.
        source: where it was read, such as ``controller-1: pacemaker.log``.
        text: what follows the date.
    """

    at: float
    source: str
    text: str


@dataclass(frozen=True)
class Event:
    """A stage that was reached.

    Attributes:
        at: epoch seconds.
        node: the compute node.
        stage: the stage.
        source: the log that says so.
    """

    at: float
    node: str
    stage: Stage
    source: str


_NODE = r"(?P<node>[\w.-]+)"
_POWER = r"(?:ipmi|redfish)-\S+"
# Pacemaker 2.1 writes these; each controller's log may have them, or only the one that did it.
_PACEMAKER = (
    (Stage.LOST, re.compile(rf"error: Lost connection to Pacemaker Remote node {_NODE}")),
    # When the controller that had the connection died as well, only the scheduler says that it is lost.
    (Stage.LOST, re.compile(rf"warning: Remote node {_NODE} will be fenced")),
    (Stage.FENCED, re.compile(rf"Operation 'off' \[\d+\] targeting {_NODE} using {_POWER} returned 0\b")),
    (Stage.FENCED, re.compile(rf"Peer {_NODE} was terminated \((?:off|reboot)\) by .*: OK")),
    # A new attribute shows as an element, one that had a value as a change of it.
    (Stage.RECORDED, re.compile(rf"info: \+\+ .*<nvpair id=\"nodes-{_NODE}-nova-ha-fenced\"")),
    (Stage.RECORDED, re.compile(rf"info: \+ .*/nvpair\[@id='nodes-{_NODE}-nova-ha-fenced'\]: @value=")),
    (Stage.RECORDED, re.compile(rf"Operation 'off' \[\d+\] targeting {_NODE} using fence-nova returned 0\b")),
    (Stage.REJOINED, re.compile(rf"info: Announcing Pacemaker Remote node {_NODE}")),
    (Stage.BACK, re.compile(rf"info: -- .*/nvpair\[@id='nodes-{_NODE}-nova-ha-fenced'\]")),
)  # fmt: skip
_EVACUATOR = (
    (Stage.TOLD, re.compile(rf"host '{_NODE}': forced down in Nova in ")),
    (Stage.VERIFIED, re.compile(rf"host '{_NODE}': [\w ]+ -> evacuated\b")),
)
# oslo.log's line about a request, by which Nova itself says when it was told.
_SERVICE_PUT = re.compile(r'"PUT /v2\.1/os-services/(?P<service>[0-9a-f-]{36})" status: 200\b')
_ACCEPTED = re.compile(r"server (?P<server>[0-9a-f-]{36}): Nova accepted to evacuate it")
_VERIFIED = re.compile(r"server .*?(?P<server>[0-9a-f-]{36})\)?: verified")
_PACEMAKER_DATE = re.compile(r"(?P<date>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)\.(?P<ms>\d{3}) +(?P<text>.*)")
_ISO_DATE = re.compile(r"(?P<date>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)[.,](?P<ms>\d{3})Z? +(?P<text>.*)")


def pacemaker_line(source: str, raw: str, year: int) -> Line | None:
    """Read a line of pacemaker.log; None if it has no date. Its dates have no year and are local time."""
    found = _PACEMAKER_DATE.match(raw)
    if found is None:
        return None
    moment = datetime.strptime(f"{year} {found['date']}", "%Y %b %d %H:%M:%S").astimezone()
    return Line(moment.timestamp() + int(found["ms"]) / 1000, source, " ".join(found["text"].split()))


def iso_line(source: str, raw: str) -> Line | None:
    """Read a line that begins with a date in UTC, as the evacuator's do; None if it does not."""
    found = _ISO_DATE.match(raw)
    if found is None:
        return None
    moment = datetime.fromisoformat(found["date"]).replace(tzinfo=timezone.utc)
    return Line(moment.timestamp() + int(found["ms"]) / 1000, source, found["text"])


def pacemaker_event(line: Line) -> Event | None:
    """Return the stage that a line of pacemaker.log proves; None if it proves none."""
    return _first_match(_PACEMAKER, line)


def evacuator_event(line: Line, homes: dict[str, str]) -> Event | None:
    """Return the stage that a line of the evacuator's log proves; None if it proves none.

    Args:
        line: the line.
        homes: server id to the node it was on before.
    """
    accepted = _ACCEPTED.search(line.text)
    if accepted is not None and accepted["server"] in homes:
        return Event(line.at, homes[accepted["server"]], Stage.EVACUATING, line.source)
    return _first_match(_EVACUATOR, line)


def nova_api_event(line: Line, services: dict[str, str]) -> Event | None:
    """Return the stage that a line of nova-api's log proves; None if it proves none.

    Args:
        line: the line.
        services: id of a nova-compute service to its host.
    """
    found = _SERVICE_PUT.search(line.text)
    if found is None or found["service"] not in services:
        return None
    return Event(line.at, services[found["service"]], Stage.TOLD, line.source)


def verified_server(line: Line) -> str | None:
    """Return the id of the server that the evacuator says it has verified in this line."""
    found = _VERIFIED.search(line.text)
    return found["server"] if found else None


def _first_match(patterns: Iterable[tuple[Stage, re.Pattern[str]]], line: Line) -> Event | None:
    for stage, pattern in patterns:
        if found := pattern.search(line.text):
            return Event(line.at, found["node"], stage, line.source)
    return None


class Timeline:
    """The stages of the recoveries that began at one moment.

    Args:
        zero: when the nodes were hit, epoch seconds; older lines belong to earlier recoveries.
        nodes: the nodes that were hit.
    """

    def __init__(self, zero: float, nodes: Iterable[str]) -> None:
        self.zero = zero
        self.nodes = tuple(nodes)
        self._events: dict[tuple[str, Stage], Event] = {}

    def add(self, event: Event) -> bool:
        """Take an event; return whether it is the first of its stage, and not of another recovery."""
        if event.at < self.zero or event.node not in self.nodes:
            return False
        known = self._events.get((event.node, event.stage))
        # Several controllers log the same; they are read one after the other, so a later one may be older.
        if known is None or event.at < known.at:
            self._events[event.node, event.stage] = event
        return known is None

    def event(self, node: str, stage: Stage) -> Event | None:
        """Return what is known about a stage."""
        return self._events.get((node, stage))

    def seconds(self, node: str, stage: Stage) -> float | None:
        """Return the seconds from the hit to the stage; None if it was not reached."""
        event = self.event(node, stage)
        return None if event is None else event.at - self.zero

    def missing(self, node: str) -> list[Stage]:
        """Return the stages of which no log tells."""
        return [stage for stage in Stage if self.event(node, stage) is None]

    def table(self, node: str) -> list[tuple[Stage, float, float, str]]:
        """Return stage, seconds since the hit and since the stage before, and source, in order of time."""
        events = sorted((e for e in self._events.values() if e.node == node), key=lambda event: event.at)
        starts = [self.zero, *(event.at for event in events)]
        return [
            (event.stage, event.at - self.zero, event.at - before, event.source)
            for before, event in zip(starts, events)
        ]
