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
from nova_ha.decisions.decide_start import is_starting, to_be_started
from nova_ha.decisions.notes import ServerNotes
from nova_ha.decisions.observation import HostView, ServerView
from nova_ha.decisions.plan import Fate, HostPlan, Plan, Verdict
from nova_ha.errors import NovaUnavailable, UntrustworthyAnswer
from nova_ha.evacuation.closer import CloserLooks
from nova_ha.evacuation.journal import Journal
from nova_ha.model import ClusterNode, Evacuation, Server
from nova_ha.ports import NovaPort
from nova_ha.record import owner_of

#: How long a list is believed while every server on it only waits for its turn, and while all are at their
#: ends, so that only the confirmation is due.
KEPT_FOR = 60.0
KEPT_AT_THE_END = 1.0

#: How long a long list of servers is believed while no evacuation record of their host has changed: whatever
#: Nova does with them shows there first. An owner's request may show so much later. A short list costs Nova
#: no more than its records do.
KEPT_WITH_RECORDS = 3.0
LONG = 10

#: A list that did not come after so long has held up all other hosts.
SLOW = 5.0


@dataclass
class _Kept:
    """What was listed, when that was, until when it need not be asked for, and what it was made of."""

    servers: tuple[ServerView, ...]
    at: float
    good_until: float
    records: tuple[Evacuation, ...] = ()
    here: tuple[Server, ...] = ()
    are_final: bool = False


class Outages:
    """Keeps lists that never come from holding up the recoveries of other hosts.

    One is waited for in a pass; hosts whose lists were in vain then wait as long as that one took, and come
    last. An answer that fails at once holds up nobody, and may be asked for again at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[float, str]] = {}
        self._retry_at = float("-inf")
        self._in_this_pass: str | None = None

    def order(self, host: str) -> float:
        """Return a key by which those come first whose lists came, then those that wait longest."""
        return self._failures.get(host, (float("-inf"), ""))[0]

    def begin_pass(self) -> None:
        """Begin a new pass."""
        self._in_this_pass = None

    def check(self, host: str) -> None:
        """Raise `NovaUnavailable` when the host's turn has not come."""
        _, failure = self._failures.get(host, (0.0, ""))
        if failure and self._clock.monotonic() < self._retry_at:
            raise NovaUnavailable(failure)
        if self._in_this_pass is not None:
            raise NovaUnavailable(
                failure or f"not asked yet, another host's list did not come: {self._in_this_pass}"
            )

    def note(self, host: str, began: float, failure: str) -> None:
        """Remember how a list that was asked for at that monotonic time has failed; empty: it came."""
        now = self._clock.monotonic()
        self._failures.pop(host, None)
        if failure and now - began >= SLOW:
            self._failures[host] = now, failure
            self._in_this_pass = failure
            self._retry_at = now + (now - began)


class Listings:
    """Lists servers, and keeps the lists while nothing on them is due."""

    def __init__(self, nova: NovaPort, clock: Clock, journal: Journal) -> None:
        self._nova = nova
        self._clock = clock
        self._journal = journal
        self._kept: dict[tuple[str, str | None, bool], _Kept] = {}
        self._seen: dict[str, dict[str, str]] = {}
        self.closer = CloserLooks(nova, clock)
        self.outages = Outages(clock)

    def kept(self, view: HostView) -> tuple[ServerView, ...] | None:
        """Return the last list if nothing on it is due."""
        kept = None if is_starting(view) else self._kept.get(_key(view.node))
        return kept.servers if kept is not None and self._clock.now() < kept.good_until else None

    def ask(
        self, view: HostView, outstanding: frozenset[str], *, anew: bool
    ) -> tuple[tuple[ServerView, ...], bool]:
        """Ask Nova for a host's evacuation records, then for its servers (rule 12).

        Args:
            view: the host.
            outstanding: servers whose requests are on their way.
            anew: whether to ask for the servers even when no record has changed.

        Returns:
            The servers, and whether they were asked for.

        Raises:
            NovaError: Nova did not answer, or not so that anything could be concluded.
        """
        self.outages.check(view.host)
        began = self._clock.monotonic()
        try:
            answer = self._ask(view, outstanding, anew=anew)
        except NovaUnavailable as error:
            self.outages.note(view.host, began, str(error))
            raise
        self.outages.note(view.host, began, "")
        return answer

    def _ask(
        self, view: HostView, outstanding: frozenset[str], *, anew: bool
    ) -> tuple[tuple[ServerView, ...], bool]:
        if is_starting(view):
            return self._at_home(view), True
        records, now = self._nova.evacuations(view.host), self._clock.now()
        kept = self._kept.get(_key(view.node))
        if kept is not None and not anew and _is_still_true(kept, records, now):
            kept.servers = self._views(view, records, kept.here, outstanding)
            return kept.servers, False
        here = self._nova.servers(view.host) if view.node.recovery_is_open else ()
        if kept is None and owner_of(view.node.state) is not None:
            self._must_say_it_again(view.host, records)
        self._must_have_all(view.host, records, here)
        servers = self._views(view, records, here, outstanding)
        listed_at = self._clock.now()
        self._kept[_key(view.node)] = _Kept(servers, listed_at, listed_at, records, here)
        return servers, True

    def _at_home(self, view: HostView) -> tuple[ServerView, ...]:
        """Return the servers that are started on their own host; one that is not listed there by its name."""
        here = {server.id: server for server in self._nova.servers(view.host)}
        notes = self._journal.notes(view.node.name, view.node.fenced_at or "")
        found = {i: here.get(i) or self._nova.server(i) for i in to_be_started(view.node)}
        return tuple(
            ServerView(i, server, is_here=i in here, is_gone=server is None, notes=notes.of(i))
            for i, server in found.items()
        )

    def plan_next(self, plan: Plan) -> None:
        """Decide from the plan how long each list is good."""
        self.outages.begin_pass()
        nodes = {_key(host.view.node) for host in plan.hosts}
        self._kept = {key: kept for key, kept in self._kept.items() if key in nodes}
        for host in plan.hosts:
            kept = self._kept.get(_key(host.view.node))
            if kept is not None:
                kept.good_until = _good_until(host, kept.at)
                kept.are_final = all(verdict.fate.is_final for verdict in host.verdicts)

    def _must_have_all(self, host: str, records: tuple[Evacuation, ...], here: tuple[Server, ...]) -> None:
        """Raise `UntrustworthyAnswer` when a record is missing that was there before.

        Nova never removes one while its server exists. Without it an evacuation that runs would seem to have
        left no trace, and be asked for again.
        """
        listed = {record.uuid: record.server_id for record in records}
        existing = {server.id for server in here}
        # Kept also of servers that this list does not show: it may be the one that is not true.
        seen = self._seen.setdefault(host, {})
        missing = [server for uuid, server in seen.items() if server in existing and uuid not in listed]
        if missing:
            raise UntrustworthyAnswer(f"Nova lists no evacuation of server {missing[0]}, and did before")
        seen.update(listed)

    def _must_say_it_again(self, host: str, records: tuple[Evacuation, ...]) -> None:
        """Raise `UntrustworthyAnswer` when a second list has evacuations that the first one lacks.

        What an evacuator before this one has asked for cannot be missed by `_must_have_all`.
        """
        listed = {record.uuid for record in records}
        missing = [again for again in self._nova.evacuations(host) if again.uuid not in listed]
        if missing:
            raise UntrustworthyAnswer(f"Nova lists an evacuation of server {missing[0].server_id} only now")

    def _views(
        self,
        view: HostView,
        listed: tuple[Evacuation, ...],
        servers: tuple[Server, ...],
        outstanding: frozenset[str],
    ) -> tuple[ServerView, ...]:
        """Return each server with what belongs to it; of a host that is to return only the records matter."""
        records = _by_server(listed)
        if not view.node.recovery_is_open:
            return tuple(
                ServerView(i, None, is_here=False, records=tuple(found)) for i, found in records.items()
            )
        here = {server.id: server for server in servers}
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


def _is_still_true(kept: _Kept, records: tuple[Evacuation, ...], now: float) -> bool:
    """Say whether a list may be used again with these records; not to close a recovery."""
    is_young = now - kept.at < KEPT_WITH_RECORDS
    return len(kept.here) >= LONG and is_young and not kept.are_final and kept.records == records


def _good_until(host: HostPlan, listed_at: float) -> float:
    """Return until when a list may be used again; the time it was made when something on it is on its way."""
    if any(_is_on_its_way(v) for v in host.verdicts):
        return listed_at
    if all(v.fate.is_final for v in host.verdicts):
        return listed_at + KEPT_AT_THE_END
    due = [verdict.at for verdict in host.verdicts if verdict.at is not None]
    return min([listed_at + KEPT_FOR, *due])


def _is_on_its_way(verdict: Verdict) -> bool:
    return bool(verdict.steps) or verdict.fate.is_in_flight or verdict.fate is Fate.STOPPING
