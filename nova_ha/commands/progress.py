# SPDX-License-Identifier: Apache-2.0
"""How far each server of a failed host has come, from what Nova says alone. No effects.

Whoever evacuates, and wherever: Nova's records tell it to everybody who may read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nova_ha.clock import format_time, parse_time
from nova_ha.decisions.immovable import reason_to_ignore
from nova_ha.decisions.situation import CLOCK_SKEW
from nova_ha.model import Evacuation, Server

WAITING, EVACUATING, DONE, FAILED, IGNORED = "waiting", "evacuating", "done", "failed", "ignored"


@dataclass(frozen=True)
class ServerProgress:
    """One server.

    Attributes:
        id: its UUID.
        name: its owner's name for it; empty when Nova was not asked.
        phase: ``waiting``, ``evacuating``, ``done``, ``failed`` (another attempt may follow) or ``ignored``.
        destination: the host that it is on its way to, or has reached; None until one is chosen.
        since: when the phase began, ISO; None for what waits.
        attempts: how many evacuations of this recovery Nova knows.
        fault: why the last attempt failed, as far as Nova shows it.
    """

    id: str
    name: str
    phase: str
    destination: str | None = None
    since: str | None = None
    attempts: int = 0
    fault: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return it with the keys that ``--json`` promises."""
        return dict(vars(self))


def progress(
    here: Iterable[Server], records: Iterable[Evacuation], names: Mapping[str, str], fenced_at: str
) -> tuple[ServerProgress, ...]:
    """Return how far each server is.

    Args:
        here: servers that Nova lists on the failed host.
        records: evacuations from it, oldest first.
        names: names of servers that have left it, as far as they are known.
        fenced_at: the fencing that the recovery is about; records of earlier ones do not count.
    """
    begin = (parse_time(fenced_at) or 0.0) - CLOCK_SKEW
    by_server: dict[str, list[Evacuation]] = {}
    for record in records:
        if record.created_at >= begin:
            by_server.setdefault(record.server_id, []).append(record)
    listed = {server.id: server for server in here}
    found = [_on_the_host(server, by_server.get(server.id, [])) for server in listed.values()]
    found += [_elsewhere(i, names.get(i, ""), r) for i, r in by_server.items() if i not in listed]
    return tuple(sorted(found, key=lambda one: (one.name, one.id)))


def _on_the_host(server: Server, records: list[Evacuation]) -> ServerProgress:
    """Return how far a server is that Nova still shows on the failed host."""
    if not records:
        phase = IGNORED if reason_to_ignore(server) else WAITING
        return ServerProgress(server.id, server.name, phase, fault=server.fault)
    last = records[-1]
    # Nova moves a server to its destination shortly before it calls the record done.
    phase = EVACUATING if last.is_open or last.succeeded else FAILED
    fault = server.fault if phase is FAILED else None
    return _of_record(server.id, server.name, phase, last, len(records), fault)


def _elsewhere(server_id: str, name: str, records: list[Evacuation]) -> ServerProgress:
    """Return how far a server is that has left the failed host."""
    last = records[-1]
    phase = EVACUATING if last.is_open else DONE
    return _of_record(server_id, name, phase, last, len(records), None)


def _of_record(
    server_id: str, name: str, phase: str, record: Evacuation, attempts: int, fault: str | None
) -> ServerProgress:
    since = format_time(record.updated_at)
    return ServerProgress(server_id, name, phase, record.destination, since, attempts, fault)


def summary(servers: Iterable[ServerProgress]) -> str:
    """Return how many servers are in which phase."""
    phases = [server.phase for server in servers]
    counts = ((phase, phases.count(phase)) for phase in (DONE, EVACUATING, WAITING, FAILED, IGNORED))
    return ", ".join(f"{count} {phase}" for phase, count in counts if count) or "no servers"
