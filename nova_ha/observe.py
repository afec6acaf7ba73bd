# SPDX-License-Identifier: Apache-2.0
"""Look at Pacemaker and Nova, in the order and with the care that makes what is seen fit to act on.

For every host: services first, then its evacuation records, then its servers (rule 12 of nova.md: records
before servers, or an evacuation that ends in between is seen by neither), then the services again: a host
whose cell went down on the way shows an empty list that means nothing (rule 7).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from nova_ha import record
from nova_ha.clock import Clock
from nova_ha.closer import CloserLooks
from nova_ha.errors import AccessDenied, HostNameError, NovaHaError
from nova_ha.heartbeat import HeartbeatWatch
from nova_ha.host_names import nova_host
from nova_ha.journal import Journal
from nova_ha.model import ClusterNode, ClusterView, Evacuation, Server, ServerGroup, Service
from nova_ha.notes import Notes
from nova_ha.observation import HostView, Observation, ServerView
from nova_ha.policy import Policy
from nova_ha.ports import ClusterPort, NovaPort

_log = logging.getLogger(__name__)

#: How long the list of server groups is believed; a member that joins meanwhile costs a retry, nothing else.
GROUPS_KEPT = 60.0


@dataclass
class _Groups:
    by_server: dict[str, ServerGroup]
    at: float = float("-inf")


class Observer:
    """Makes observations; keeps between them only what no single look can tell."""

    def __init__(
        self, nova: NovaPort, cluster: ClusterPort, clock: Clock, journal: Journal, policy: Policy, owner: str
    ) -> None:
        self._nova = nova
        self._cluster = cluster
        self._clock = clock
        self._journal = journal
        self._policy = policy
        self._owner = owner
        self._groups = _Groups({})
        self._takeovers: dict[tuple[str, str], float] = {}
        self.heartbeats = HeartbeatWatch()
        self.closer = CloserLooks(nova, clock)

    def observe(self, outstanding: frozenset[str] = frozenset()) -> Observation:
        """Take one look; raise `ClusterUnavailable` when Pacemaker does not answer."""
        cluster = self._cluster.view()
        nodes = [node for node in cluster.nodes if node.fenced]
        if not any(_concerns_nova(node) for node in nodes):
            return Observation(self._clock.now(), cluster, tuple(HostView(n.name, n) for n in nodes))
        try:
            services = self._nova.services()
        except NovaHaError as error:
            return self._blind(cluster, nodes, f"Nova does not answer: {error}")
        views = [self._look_at(node, services, outstanding) for node in nodes]
        return Observation(
            now=self._clock.now(),
            cluster=cluster,
            hosts=tuple(self._checked_again(views)),
            services=services,
            groups=self._hard_groups(views),
        )

    def _blind(self, cluster: ClusterView, nodes: Iterable[ClusterNode], problem: str) -> Observation:
        views = tuple(replace(self._with_history(HostView(n.name, n)), problem=problem) for n in nodes)
        return Observation(self._clock.now(), cluster, views)

    # --- one host -----------------------------------------------------------------------------------------

    def _look_at(
        self, node: ClusterNode, services: tuple[Service, ...], outstanding: frozenset[str]
    ) -> HostView:
        try:
            host = nova_host(node.name, [service.host for service in services])
        except HostNameError as error:
            return replace(self._with_history(HostView(node.name, node)), problem=str(error))
        service = next(service for service in services if service.host == host)
        heartbeat = self.heartbeats.look(service, self._clock.now())
        view = self._with_history(HostView(host, node, service, heartbeat=heartbeat))
        if not _is_to_be_listed(view):
            return view
        try:
            return replace(view, servers=self._list(view, outstanding))
        except NovaHaError as error:
            return replace(view, problem=f"Nova does not say what runs there: {error}")

    def _with_history(self, view: HostView) -> HostView:
        """Add what the node's entry and the journal say of who sent requests before."""
        key = (view.node.name, view.node.fenced_at or "")
        if key not in self._takeovers:
            self._takeovers[key] = self._takeover_until(view.node)
        is_claimed = record.owner_of(view.node.state) == self._owner
        return replace(view, takeover_until=self._takeovers[key], is_claimed=is_claimed)

    def _takeover_until(self, node: ClusterNode) -> float:
        """Return, at the first look at a recovery, until when an earlier evacuator's requests may show."""
        owner = record.owner_of(node.state)
        is_known = owner == self._owner and self._notes(node).begun
        return 0.0 if owner is None or is_known else self._clock.now() + self._policy.settle_time

    def _notes(self, node: ClusterNode) -> Notes:
        return self._journal.notes(node.name, node.fenced_at or "")

    # --- its servers --------------------------------------------------------------------------------------

    def _list(self, view: HostView, outstanding: frozenset[str]) -> tuple[ServerView, ...]:
        records = self._nova.evacuations(view.host)
        if not view.node.recovery_is_open:
            return tuple(
                _view_of_records(server_id, found) for server_id, found in _by_server(records).items()
            )
        here = {server.id: server for server in self._nova.servers(view.host)}
        found = _by_server(records)
        notes = self._notes(view.node)
        absent = [
            i for i in found if i not in here and _is_of_interest(found[i], has_notes=i in notes.servers)
        ]
        for server_id in [*here, *absent]:
            self.closer.see(server_id, tuple(found.get(server_id, ())))
        return tuple(
            self._server_view(i, here.get(i), found.get(i, []), notes, outstanding=i in outstanding)
            for i in [*here, *absent]
        )

    def _server_view(
        self,
        server_id: str,
        here: Server | None,
        records: list[Evacuation],
        notes: Notes,
        *,
        outstanding: bool,
    ) -> ServerView:
        look = self.closer.look(server_id, with_server=here is None)
        return ServerView(
            id=server_id,
            server=here or look.server,
            is_here=here is not None,
            is_gone=here is None and look.is_gone,
            records=tuple(records),
            attempts=look.attempts,
            notes=notes.of(server_id),
            outstanding=outstanding,
        )

    # --- after the listings -------------------------------------------------------------------------------

    def _checked_again(self, views: list[HostView]) -> list[HostView]:
        """Take back what was listed of hosts whose cell Nova cannot see any more."""
        if not any(view.servers is not None for view in views):
            return views
        try:
            known = {service.id for service in self._nova.services() if service.is_known}
        except NovaHaError as error:
            return [replace(view, servers=None, problem=f"Nova does not answer: {error}") for view in views]
        return [view if _is_confirmed(view, known) else _with_cell_down(view) for view in views]

    def _hard_groups(self, views: list[HostView]) -> dict[str, ServerGroup]:
        """Return the hard server groups by member, asked for only while a recovery is open."""
        now = self._clock.now()
        if not any(view.node.recovery_is_open for view in views) or now - self._groups.at < GROUPS_KEPT:
            return self._groups.by_server
        try:
            groups = self._nova.server_groups()
        except AccessDenied as error:
            _log.warning("server groups cannot be read, members may need a second attempt: %s", error)
            groups = ()
        except NovaHaError as error:
            _log.info("server groups cannot be read now: %s", error)
            return self._groups.by_server
        hard = [group for group in groups if group.policy in ("affinity", "anti-affinity")]
        self._groups = _Groups({member: group for group in hard for member in group.members}, now)
        return self._groups.by_server


def _concerns_nova(node: ClusterNode) -> bool:
    """Say whether Nova must be asked because of a node: not while one only waits for it to return."""
    return node.recovery_is_open or node.online


def _is_to_be_listed(view: HostView) -> bool:
    """Say whether its servers or records matter now: only when Nova sees the host as down."""
    service = view.service
    if service is None or not service.is_known or not service.forced_down or service.state != "down":
        return False
    return view.node.recovery_is_open or view.heartbeat.is_proven


def _by_server(records: Iterable[Evacuation]) -> dict[str, list[Evacuation]]:
    found: dict[str, list[Evacuation]] = {}
    for evacuation in records:
        found.setdefault(evacuation.server_id, []).append(evacuation)
    return found


def _is_of_interest(records: list[Evacuation], *, has_notes: bool) -> bool:
    """Say whether a server that left the host belongs to this recovery: its records are not cleaned up."""
    return has_notes or any(evacuation.is_open or evacuation.status == "done" for evacuation in records)


def _view_of_records(server_id: str, records: list[Evacuation]) -> ServerView:
    return ServerView(server_id, None, is_here=False, records=tuple(records))


def _is_confirmed(view: HostView, known: set[str]) -> bool:
    return view.servers is None or (view.service is not None and view.service.id in known)


def _with_cell_down(view: HostView) -> HostView:
    return replace(view, servers=None, problem="its cell went down while its servers were listed")
