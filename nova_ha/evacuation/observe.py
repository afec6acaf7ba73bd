# SPDX-License-Identifier: Apache-2.0
"""Look at Pacemaker and Nova, in the order and with the care that makes what is seen fit to act on.

Services first, then each host's evacuation records and servers (`listing`), then the services
again: a host whose cell went down on the way shows an empty list that means nothing (rule 7 of nova.md).
"""

from __future__ import annotations

import contextlib
import logging
import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nova_ha import record
from nova_ha.clock import Clock
from nova_ha.decisions.decide_proof import has_our_marker
from nova_ha.decisions.decide_start import is_starting
from nova_ha.decisions.heartbeat import HeartbeatWatch
from nova_ha.decisions.notes import AMBIGUOUS
from nova_ha.decisions.observation import HostView, Observation
from nova_ha.decisions.plan import HostPlan, Plan
from nova_ha.decisions.policy import Policy
from nova_ha.errors import HostNameError, NovaHaError
from nova_ha.evacuation.hard_groups import HardGroups
from nova_ha.evacuation.journal import Journal
from nova_ha.evacuation.listing import Listings
from nova_ha.evacuation.silence import SilenceWatch
from nova_ha.model import ClusterNode, ClusterView, Service
from nova_ha.openstack.host_names import HostNames
from nova_ha.ports import ClusterPort, NovaPort

_log = logging.getLogger(__name__)

#: Age at which an evacuation waits so long for a conductor that it is looked at whether there is one.
LATE = 60.0


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
        self._takeovers: dict[tuple[str, str], float] = {}
        self._ledger_read_at = float("-inf")
        self._conductors_since: float | None = None
        self._final_since: dict[tuple[str, str], float] = {}
        self._silence = SilenceWatch(nova, policy)
        self._groups = HardGroups(nova, clock)
        self.heartbeats = HeartbeatWatch()
        self.listings = Listings(nova, clock, journal)

    def observe(self, outstanding: frozenset[str] = frozenset()) -> Observation:
        """Take one look; raise `ClusterUnavailable` when Pacemaker does not answer.

        Nothing of it may be acted on before it went through `confirm`.

        Args:
            outstanding: servers whose requests are on their way.
        """
        cluster = self._cluster.view()
        if not self._ledger_is_due() and not any(self._concerns_nova(node) for node in cluster.nodes):
            return self._without_nova(cluster)
        try:
            services = self._nova.services()
        except NovaHaError as error:
            self._silence.begin_anew()
            return self._without_nova(cluster, str(error))
        self._ledger_read_at = self._clock.now()
        hosts = tuple(self._hosts(cluster, services))
        now = self._clock.now()
        seen = Observation(now, cluster, hosts, services, health=self._silence.health(hosts, services, now))
        return self.look_again(seen, frozenset(), outstanding)

    def _ledger_is_due(self) -> bool:
        """Say whether Nova's services are to be looked at whatever Pacemaker says."""
        return self._clock.now() - self._ledger_read_at >= self._silence.pace

    def look_again(
        self, observation: Observation, nodes: frozenset[str], outstanding: frozenset[str]
    ) -> Observation:
        """List the servers of the hosts that need it, and of the named nodes in any case."""
        in_turn = sorted(observation.hosts, key=lambda view: self.listings.outages.order(view.host))
        listed = {id(view): self._with_servers(view, nodes, outstanding) for view in in_turn}
        hosts = tuple(listed[id(view)] for view in observation.hosts)
        groups = self._groups.by_member(is_needed=any(host.node.recovery_is_open for host in hosts))
        return replace(
            observation,
            hosts=hosts,
            groups=groups,
            conductors_since=self._conductors_up_since(hosts, observation.now),
            fencings=_fencings(observation, self._policy.domain),
        )

    def confirm(self, observation: Observation) -> Observation:
        """Return the same observation, or without what was listed of hosts whose cell is down after that."""
        if not any(view.servers is not None and view.is_fresh for view in observation.hosts):
            return observation
        hosts = tuple(self._checked_again(observation.hosts))
        return (
            observation
            if all(map(operator.is_, hosts, observation.hosts))
            else replace(observation, hosts=hosts)
        )

    def learn(self, plan: Plan, now: float) -> None:
        """Remember what a plan says about the next looks."""
        self.listings.plan_next(plan)
        final = {_recovery(p.view.node) for p in plan.hosts if p.view.servers is not None and _is_final(p)}
        self._final_since = {key: self._final_since.get(key, now) for key in final}

    def _without_nova(self, cluster: ClusterView, problem: str | None = None) -> Observation:
        """Return what can be seen without Nova."""
        nodes = [node for node in cluster.nodes if node.fenced]
        views = tuple(replace(self._with_history(HostView(n.name, n)), problem=problem) for n in nodes)
        return Observation(self._clock.now(), cluster, views, problem=problem)

    # --- hosts ----------------------------------------------------------------------------------------------

    def _hosts(self, cluster: ClusterView, services: tuple[Service, ...]) -> list[HostView]:
        """Return every host that has a record, or ought to have one."""
        by_host = {service.host: service for service in reversed(services)}
        names = HostNames(by_host, self._policy.domain)
        nodes = (node for node in cluster.nodes if node.is_remote or node.fenced)
        views = (self._look_at(node, names, by_host) for node in nodes)
        return [view for view in views if view is not None]

    def _look_at(
        self, node: ClusterNode, names: HostNames, services: Mapping[str, Service]
    ) -> HostView | None:
        """Return a node as Nova sees it; None when nothing is to be done about it."""
        try:
            host = names.host_of(node.name)
        except HostNameError as error:
            # A remote node may be no compute node at all; one that has a record must be explained.
            unknown = replace(self._with_history(HostView(node.name, node)), problem=str(error))
            return unknown if node.fenced else None
        service = services[host]
        silent_since = self._silence.look(node, service, self._clock.now())
        if not self._matters(node, service) and silent_since is None:
            return None
        heartbeat = self.heartbeats.look(service, self._clock.now())
        view = HostView(host, node, service, heartbeat=heartbeat, silent_since=silent_since)
        return self._with_history(view)

    def _matters(self, node: ClusterNode, service: Service) -> bool:
        """Say whether there may be something to do about a host."""
        is_fenced = bool(node.fenced) or node.fenced_since is not None or has_our_marker(service)
        return is_fenced or service.is_lost or self._concerns_nova(node)

    def _concerns_nova(self, node: ClusterNode) -> bool:
        """Say whether Nova must be asked because of a node: not while one only waits for it to return."""
        if node.fenced:
            return node.recovery_is_open or node.online
        is_told = node.wedged is not None or record.is_passing(node.state)
        is_lost = node.lost and self._policy.disable_lost
        return node.is_remote and (node.fenced_since is not None or is_told or is_lost)

    def _with_history(self, view: HostView) -> HostView:
        """Add what the node's entry and the journal say of who sent requests before."""
        key = _recovery(view.node)
        if key not in self._takeovers:
            self._takeovers[key] = self._takeover_until(view.node)
            self._give_up_answers(*key)
        return replace(
            view,
            takeover_until=self._takeovers[key],
            is_claimed=record.owner_of(view.node.state) == self._owner,
            final_since=self._final_since.get(key),
            restarts=self._journal.notes(*key).restarts,
        )

    def _takeover_until(self, node: ClusterNode) -> float:
        """Return, at the first look at a recovery, until when an earlier evacuator's requests may show."""
        owner = record.owner_of(node.state)
        is_known = owner == self._owner and self._journal.notes(node.name, node.fenced_at or "").begun
        return 0.0 if owner is None or is_known else self._clock.now() + self._policy.settle_time

    def _give_up_answers(self, node: str, fenced_at: str) -> None:
        """Write down that no answer comes to requests of the evacuator that was here before.

        They were lost when it died, not when it asked; that is as far back as the settle time may count
        (rule 14).
        """
        for server_id, notes in self._journal.notes(node, fenced_at).servers.items():
            if notes.last_ask is not None and notes.last_ask.outcome is None:
                self._journal.append(node, fenced_at, "answered", server=server_id, outcome=AMBIGUOUS)

    # --- their servers --------------------------------------------------------------------------------------

    def _with_servers(self, view: HostView, nodes: frozenset[str], outstanding: frozenset[str]) -> HostView:
        """Add a host's servers: listed now, or as they were listed last while nothing on that list is due."""
        is_wanted = view.node.name in nodes
        if view.problem or not _is_to_be_listed(view) or (view.servers is not None and not is_wanted):
            return view
        kept = None if is_wanted else self.listings.kept(view)
        if kept is not None:
            return replace(view, servers=kept, is_fresh=False)
        try:
            servers, is_fresh = self.listings.ask(view, outstanding, anew=is_wanted)
            return replace(view, servers=servers, is_fresh=is_fresh)
        except NovaHaError as error:
            return replace(view, problem=f"Nova does not say what runs there: {error}")

    def _checked_again(self, views: Sequence[HostView]) -> list[HostView]:
        """Take back what was listed of hosts whose cell Nova cannot see any more."""
        try:
            known = {service.id for service in self._nova.services() if service.is_known}
        except NovaHaError as error:
            return [replace(view, servers=None, problem=str(error)) for view in views]
        return [view if _is_confirmed(view, known) else _with_cell_down(view) for view in views]

    # --- the rest of the cloud ------------------------------------------------------------------------------

    def _conductors_up_since(self, views: tuple[HostView, ...], now: float) -> float | None:
        """Return since when every look found the conductors up, while an evacuation waits for one."""
        records = (r for view in views for server in view.servers or () for r in server.open_records)
        if not any(r.status == "accepted" and now - r.updated_at > LATE for r in records):
            self._conductors_since = None
            return None
        try:
            is_up = self._nova.conductors_up()
        except NovaHaError:
            is_up = False
        self._conductors_since = (self._conductors_since or now) if is_up else None
        return self._conductors_since


def _fencings(observation: Observation, domain: str) -> dict[str, tuple[float, ...]]:
    """Return when Pacemaker remembers to have fenced Nova's hosts, by host."""
    times: dict[str, list[float]] = {}
    for event in observation.cluster.fencing:
        times.setdefault(event.target, []).append(event.completed_at)
    for node in observation.cluster.nodes:
        if node.fenced_since is not None:
            times.setdefault(node.name, []).append(node.fenced_since)
    names = HostNames((service.host for service in observation.services or ()), domain)
    found: dict[str, tuple[float, ...]] = {}
    for name, moments in times.items():
        with contextlib.suppress(HostNameError):
            found[names.host_of(name)] = tuple(moments)
    return found


def _recovery(node: ClusterNode) -> tuple[str, str]:
    """Return what names a recovery."""
    return node.name, node.fenced_at or ""


def _is_final(plan: HostPlan) -> bool:
    """Say whether every server of a host has come to its end."""
    return all(verdict.fate.is_final for verdict in plan.verdicts)


def _is_to_be_listed(view: HostView) -> bool:
    """Say whether its servers or records matter now: when Nova sees the host as down, or they are started."""
    if is_starting(view):
        return True
    service = view.service
    if service is None or not service.is_known or not service.forced_down or service.state != "down":
        return False
    return view.node.recovery_is_open or (bool(view.node.fenced) and view.heartbeat.is_proven)


def _is_confirmed(view: HostView, known: set[str]) -> bool:
    return view.servers is None or (view.service is not None and view.service.id in known)


def _with_cell_down(view: HostView) -> HostView:
    return replace(view, servers=None, problem="its cell went down while its servers were listed")
