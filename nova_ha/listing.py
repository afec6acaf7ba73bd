# SPDX-License-Identifier: Apache-2.0
"""List the servers of a failed host with all that is known about them, as often as something changes.

With many failed hosts most servers only wait for their turn. Listing them all in every look would cost
Nova more than their evacuation does, so a list is kept until something on it is due; a request is sent on
a fresh one only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nova_ha.clock import Clock
from nova_ha.closer import CloserLooks
from nova_ha.journal import Journal
from nova_ha.model import ClusterNode, Evacuation, Server
from nova_ha.notes import ServerNotes
from nova_ha.observation import HostView, ServerView
from nova_ha.plan import Fate, HostPlan, LookCloser, Plan, Verdict
from nova_ha.ports import NovaPort

#: How long a list is believed while every server on it only waits for its turn.
KEPT_FOR = 60.0


@dataclass
class _Kept:
    servers: tuple[ServerView, ...]
    at: float
    good_until: float


class Listings:
    """Lists servers, and keeps the lists while nothing on them is due."""

    def __init__(self, nova: NovaPort, clock: Clock, journal: Journal) -> None:
        self._nova = nova
        self._clock = clock
        self._journal = journal
        self._kept: dict[tuple[str, str | None, bool], _Kept] = {}
        self.closer = CloserLooks(nova, clock)

    def kept(self, view: HostView) -> tuple[ServerView, ...] | None:
        """Return the last list if nothing on it is due."""
        kept = self._kept.get(_key(view.node))
        return kept.servers if kept is not None and self._clock.now() < kept.good_until else None

    def ask(self, view: HostView, outstanding: frozenset[str]) -> tuple[ServerView, ...]:
        """Ask Nova for a host's servers and evacuation records, records first (rule 12).

        Raises:
            NovaError: Nova did not answer, or not so that anything could be concluded.
        """
        records = _by_server(self._nova.evacuations(view.host))
        if view.node.recovery_is_open:
            servers = self._with_servers(view, records, outstanding)
        else:
            servers = tuple(
                ServerView(i, None, is_here=False, records=tuple(found)) for i, found in records.items()
            )
        self._kept[_key(view.node)] = _Kept(servers, self._clock.now(), self._clock.now())
        return servers

    def plan_next(self, plan: Plan) -> None:
        """Decide from the plan how long each list is good."""
        nodes = {_key(host.view.node) for host in plan.hosts}
        self._kept = {key: kept for key, kept in self._kept.items() if key in nodes}
        for host in plan.hosts:
            kept = self._kept.get(_key(host.view.node))
            if kept is not None:
                kept.good_until = _good_until(host, kept.at)

    def _with_servers(
        self, view: HostView, records: dict[str, list[Evacuation]], outstanding: frozenset[str]
    ) -> tuple[ServerView, ...]:
        here = {server.id: server for server in self._nova.servers(view.host)}
        notes = self._journal.notes(view.node.name, view.node.fenced_at or "")
        absent = [
            i for i in records if i not in here and _is_of_interest(records[i], has_notes=i in notes.servers)
        ]
        return tuple(
            self._server_view(
                i,
                here.get(i),
                tuple(records.get(i, ())),
                notes.of(i).with_facts(i, view.node.facts),
                outstanding=i in outstanding,
            )
            for i in [*here, *absent]
        )

    def _server_view(
        self,
        server_id: str,
        here: Server | None,
        records: tuple[Evacuation, ...],
        notes: ServerNotes,
        *,
        outstanding: bool,
    ) -> ServerView:
        self.closer.see(server_id, records)
        look = self.closer.look(server_id, with_server=here is None)
        return ServerView(
            id=server_id,
            server=here or look.server,
            is_here=here is not None,
            is_gone=here is None and look.is_gone,
            records=records,
            attempts=look.attempts,
            notes=notes,
            outstanding=outstanding,
        )


def _key(node: ClusterNode) -> tuple[str, str | None, bool]:
    """Return what a list belongs to: one phase of one recovery of one node."""
    return node.name, node.fenced_at, node.recovery_is_open


def _by_server(records: Iterable[Evacuation]) -> dict[str, list[Evacuation]]:
    found: dict[str, list[Evacuation]] = {}
    for evacuation in records:
        found.setdefault(evacuation.server_id, []).append(evacuation)
    return found


def _is_of_interest(records: list[Evacuation], *, has_notes: bool) -> bool:
    """Say whether a server that left the host belongs to this recovery: its records are not cleaned up."""
    return has_notes or any(evacuation.is_open or evacuation.status == "done" for evacuation in records)


def _good_until(host: HostPlan, listed_at: float) -> float:
    """Return until when a list may be used again; the time it was made when something on it is on its way."""
    if any(_is_on_its_way(v) for v in host.verdicts) or all(v.fate.is_final for v in host.verdicts):
        return listed_at
    due = [verdict.at for verdict in host.verdicts if verdict.at is not None]
    return min([listed_at + KEPT_FOR, *due])


def _is_on_its_way(verdict: Verdict) -> bool:
    is_asked = verdict.fate is Fate.READY and bool(verdict.steps)
    wants_look = any(isinstance(step, LookCloser) for step in verdict.steps)
    return (
        verdict.fate.is_in_flight
        or verdict.fate is Fate.STOPPING
        or is_asked
        or wants_look
        or (verdict.fate is not Fate.READY and bool(verdict.steps))
    )
