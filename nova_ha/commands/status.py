# SPDX-License-Identifier: Apache-2.0
"""``nova-ha status``: hosts, records, each server of a recovery under way, and the last recoveries.

Works on any controller, from Pacemaker's records and Nova alone, and shows what it can when one of them does
not answer. Exit status: 0 shown, 3 neither Pacemaker nor Nova answers.

``--json`` prints one object: ``time``; ``pacemaker`` and ``nova`` (words, see `Report`); ``controllers``
(``name``, ``online``); ``evacuators`` (``resource``, ``node``, ``complaint``); ``hosts`` (``host``,
``state``, ``sentence``, ``node``, ``nova``, ``record``, ``servers``, see `HostStatus` and `ServerProgress`);
``recoveries`` (``host``, ``fenced_at``, ``began``, ``ended``, ``summary``, ``by``) in this machine's journal;
``unreadable`` (sentences about files of this machine's ledger: their hosts are missing above).
Times are ISO, or epoch seconds where the journal has them.
"""

from __future__ import annotations

from collections.abc import Mapping

from nova_ha.commands.compute_nodes import compute_nodes
from nova_ha.commands.configuration import EVACUATE_AGENT, Configuration
from nova_ha.commands.past import past_recoveries
from nova_ha.commands.progress import ServerProgress, progress
from nova_ha.commands.resource_state import running_on
from nova_ha.commands.status_report import EvacuatorStatus, HostStatus, Report
from nova_ha.commands.surroundings import Surroundings
from nova_ha.errors import ClusterError, HostNameError, NovaHaError
from nova_ha.model import ClusterNode, Service
from nova_ha.openstack.host_names import HostNames
from nova_ha.pacemaker.cib import Cib
from nova_ha.pacemaker.cluster import CONFIRMED
from nova_ha.pacemaker.standalone_cluster import StandaloneCluster
from nova_ha.ports import NovaPort

BLIND = 3


class StatusGatherer:
    """Looks again and again; remembers only the names of servers that have left their host."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._names: dict[str, str] = {}

    def look(self) -> Report:
        """Return what is the case now."""
        here = self._surroundings
        state, pacemaker = _pacemaker(here)
        nova, services, problem = self._nova()
        ledger = StandaloneCluster(here.storage / "hosts")
        names = HostNames((one.host for one in services), self._domain) if problem is None else None
        entries, unreadable = ledger.readable()
        view = _with_ledger(_nodes(state, names), entries)
        statements = {node.name: ledger.statement(node.name) for node in entries if node.fenced}
        words = {name: f"{found.text} ({found.by})" for name, found in statements.items() if found}
        words.update(_confirmations(state) if state is not None else {})
        configuration = Configuration(state.root) if state is not None else None
        return Report(
            now=here.clock.now(),
            pacemaker=pacemaker,
            controllers=tuple(node for node in view if not node.is_remote),
            nova=problem or "answers",
            evacuators=_evacuators(state, configuration),
            hosts=tuple(self._host(nova, item, words) for item in _paired(view, services, self._domain)),
            past=past_recoveries(here.storage),
            unreadable=unreadable,
            is_blind=state is None and problem is not None,
        )

    @property
    def _domain(self) -> str:
        """Return the DNS suffix of the hosts, for nodes with short names; empty when settings are wrong."""
        try:
            return str(self._surroundings.settings.get("domain") or "")
        except NovaHaError:
            return ""

    def _nova(self) -> tuple[NovaPort | None, tuple[Service, ...], str | None]:
        """Return Nova and its services, or why there are none."""
        try:
            nova = self._surroundings.nova
            return nova, nova.services(), None
        except NovaHaError as error:
            return None, (), f"does not answer: {error}"

    def _host(self, nova: NovaPort | None, host: HostStatus, words: Mapping[str, str]) -> HostStatus:
        """Add to a host whose recovery is open how far its servers are."""
        node = host.node
        if node is None or not node.fenced:
            return host
        servers = self._servers(nova, host.host, node) if nova is not None and node.recovery_is_open else None
        return HostStatus(host.host, node, host.service, servers, words.get(node.name))

    def _servers(self, nova: NovaPort, host: str, node: ClusterNode) -> tuple[ServerProgress, ...] | None:
        try:
            records, here = nova.evacuations(host), nova.servers(host)
            self._names.update((server.id, server.name) for server in here)
            found = progress(here, records, self._names, node.fenced_at or "")
            unnamed = [server.id for server in found if not server.name]
            if unnamed:
                self._ask_names(nova, unnamed)
                found = progress(here, records, self._names, node.fenced_at or "")
            return found
        except NovaHaError:
            return None

    def _ask_names(self, nova: NovaPort, ids: list[str]) -> None:
        for server_id in ids:
            server = nova.server(server_id)
            self._names[server_id] = server.name if server is not None else "(deleted)"


def _pacemaker(here: Surroundings) -> tuple[Cib | None, str]:
    """Return the cluster's state now, and a word about it."""
    here.look_again()
    if here.configuration is None:
        return None, here.cluster_problem or "none"
    try:
        state = Cib(here.pacemaker.query())
    except ClusterError as error:
        return None, str(error)
    return state, "quorate" if state.is_quorate else "no quorum"


def _confirmations(state: Cib) -> dict[str, str]:
    """Return on whose word the cluster's nodes count as off: of those to whose record that belongs."""
    found = {}
    for node in state.nodes():
        stored = state.stored(node.name, CONFIRMED)
        time, _, words = (stored.value if stored is not None else "").partition(" ")
        if node.fenced and time == node.fenced_at:
            found[node.name] = words
    return found


def _with_ledger(nodes: tuple[ClusterNode, ...], ledger: tuple[ClusterNode, ...]) -> tuple[ClusterNode, ...]:
    known = {node.name for node in nodes}
    return (*nodes, *(node for node in ledger if node.name not in known))


def _nodes(state: Cib | None, names: HostNames | None) -> tuple[ClusterNode, ...]:
    """Return Pacemaker's nodes, without those that run pacemaker_remoted and have nothing to do with Nova."""
    if state is None:
        return ()
    computes = set(compute_nodes(Configuration(state.root), state.nodes(), names))
    return tuple(node for node in state.nodes() if not node.is_remote or node.fenced or node in computes)


def _paired(nodes: tuple[ClusterNode, ...], services: tuple[Service, ...], domain: str) -> list[HostStatus]:
    """Return every host that Pacemaker, the ledger or Nova knows, by name."""
    by_host = {service.host: service for service in services}
    names = HostNames(by_host, domain)
    found: dict[str, HostStatus] = {
        host: HostStatus(host, None, service) for host, service in by_host.items()
    }
    for node in nodes:
        if node.is_remote or node.fenced:
            try:
                host = names.host_of(node.name)
            except HostNameError:
                host = node.name
            found[host] = HostStatus(host, node, by_host.get(host))
    return [found[host] for host in sorted(found)]


def _evacuators(state: Cib | None, configuration: Configuration | None) -> tuple[EvacuatorStatus, ...]:
    """Return the evacuators that Pacemaker runs, or ought to run."""
    if state is None or configuration is None:
        return ()
    found = []
    for resource in configuration.running(EVACUATE_AGENT):
        where = running_on(state.root, resource)
        complaint = where.reason if where is not None and where.is_degraded else ""
        found.append(EvacuatorStatus(resource.id, where.node if where else None, complaint))
    return tuple(found)
