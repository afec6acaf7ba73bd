# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the cloud's servers, judged from observations alone. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

Key = tuple["Kind", str]


class Kind(str, Enum):
    """Ways in which a server can be wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    MISPLACED = "misplaced"
    BROKEN = "broken"
    SHUTOFF_RUNS = "shutoff-runs"


# How long something may look wrong before it is: Nova's database follows reality with a delay, and a server
# of a dead host has no copy until it is evacuated. What is not here is wrong at the first sight.
GRACE = {Kind.LOST: 60.0, Kind.MISPLACED: 10.0, Kind.SHUTOFF_RUNS: 10.0}


@dataclass(frozen=True)
class Copy:
    """One live process that is a server's machine."""

    uuid: str
    host: str
    pid: int


@dataclass(frozen=True)
class NovaServer:
    """One server as Nova's database has it."""

    uuid: str
    name: str
    host: str | None
    vm_state: str
    task_state: str | None


@dataclass(frozen=True)
class NovaView:
    """Nova's database at one moment.

    Attributes:
        servers: all servers that are not deleted.
        evacuating: uuids of servers with an evacuation record that is accepted or pre-migrating.
    """

    servers: tuple[NovaServer, ...] = ()
    evacuating: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Trouble:
    """Something about a server that needs no judgement: an alarm of a guest, damage on a disk."""

    uuid: str
    text: str


@dataclass(frozen=True)
class Observation:
    """Everything that was seen in one round.

    Attributes:
        now: seconds since the epoch.
        copies: live guests; those of one server were seen alive at the same time.
        nova: None if its database could not be read, which is no statement about any server.
        alarms: new alarms of guests that found their disk locked.
        damage: new damage found on disks.
    """

    now: float
    copies: tuple[Copy, ...] = ()
    nova: NovaView | None = field(default_factory=NovaView)
    alarms: tuple[Trouble, ...] = ()
    damage: tuple[Trouble, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and since when."""

    kind: Kind
    uuid: str
    since: float
    text: str


@dataclass(frozen=True)
class Judgement:
    """The outcome of one round.

    Attributes:
        suspected: since when each thing that depends on Nova's view has looked wrong; for the next round.
        findings: what is wrong now.
    """

    suspected: Mapping[Key, float]
    findings: tuple[Finding, ...]


def judge(suspected: Mapping[Key, float], seen: Observation) -> Judgement:
    """Return what is wrong, given since when things have looked wrong in the rounds before."""
    findings = [Finding(kind, uuid, seen.now, text) for kind, uuid, text in _at_once(seen)]
    if seen.nova is None:
        return Judgement(suspected, tuple(findings))
    suspects = dict(_suspects(seen.copies, seen.nova))
    since = {key: suspected.get(key, seen.now) for key in suspects}
    findings += [
        Finding(*key, since[key], text)
        for key, text in suspects.items()
        if seen.now - since[key] >= GRACE[key[0]]
    ]
    return Judgement(since, tuple(findings))


def remember(kept: Mapping[Key, Finding], now: Judgement, seen: Observation) -> dict[Key, Finding]:
    """Return everything that was found so far, each as it was found first.

    A server that lives again is not lost any more; everything else that happened stays a fact.
    """
    found = {(finding.kind, finding.uuid): finding for finding in now.findings}
    facts = {
        key: old for key, old in kept.items() if key[0] is not Kind.LOST or key in found or seen.nova is None
    }
    return {**found, **facts}


def _at_once(seen: Observation) -> Iterator[tuple[Kind, str, str]]:
    by_uuid: dict[str, list[Copy]] = defaultdict(list)
    for copy in seen.copies:
        by_uuid[copy.uuid].append(copy)
    for uuid, copies in by_uuid.items():
        if len(copies) > 1:
            where = ", ".join(sorted(f"{copy.host} (pid {copy.pid})" for copy in copies))
            yield Kind.DOUBLED, uuid, f"{len(copies)} live copies: {where}"
    for alarm in seen.alarms:
        yield Kind.DOUBLED, alarm.uuid, alarm.text
    for damage in seen.damage:
        yield Kind.BROKEN, damage.uuid, damage.text


def _suspects(copies: tuple[Copy, ...], nova: NovaView) -> Iterator[tuple[Key, str]]:
    servers = {server.uuid: server for server in nova.servers}
    alive = {copy.uuid for copy in copies}
    for server in nova.servers:
        if server.vm_state == "active" and server.task_state is None and server.uuid not in alive:
            text = f"{server.name}: Nova says ACTIVE on {server.host}, and no process of it lives anywhere"
            yield (Kind.LOST, server.uuid), text
    for copy in copies:
        found = servers.get(copy.uuid)
        if found is None:
            yield (Kind.MISPLACED, copy.uuid), f"runs on {copy.host}, and Nova has no such server"
        elif found.task_state is None and copy.uuid not in nova.evacuating:
            yield from _where_and_whether(copy, found)


def _where_and_whether(copy: Copy, server: NovaServer) -> Iterator[tuple[Key, str]]:
    if copy.host != server.host:
        yield (Kind.MISPLACED, copy.uuid), f"{server.name} runs on {copy.host}, Nova says {server.host}"
    if server.vm_state == "stopped":
        yield (Kind.SHUTOFF_RUNS, copy.uuid), f"{server.name} runs on {copy.host}, Nova says SHUTOFF"
