# SPDX-License-Identifier: Apache-2.0
"""Gather what ``nova-ha doctor`` judges: the only one of its modules that has to do with the world.

Nothing is changed. Whether the credentials have a right is tried on a server and a service that do not exist:
Nova then answers 404 to those who may, and 403 to those who may not. For all that is done to one server Nova
looks for the server before it looks at its policy (api/openstack/compute/evacuate.py, seen in Nova 34), so
there only the access rules of an application credential, which Keystone's middleware applies first, can
refuse. So the policies of evacuating, stopping, rebooting, resetting, and of instance actions, go untried.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from shutil import which
from typing import TypeVar
from xml.etree import ElementTree as ET

from nova_ha import __version__
from nova_ha.clock import Clock
from nova_ha.commands.account import Account, OpenAccount
from nova_ha.commands.configuration import FENCE_AGENT, Configuration
from nova_ha.commands.facts import AccessFacts, ClusterFacts, Facts, NovaFacts, Program
from nova_ha.commands.sources import Source, with_secrets
from nova_ha.decisions.policy import Policy
from nova_ha.errors import AccessDenied, ClusterError, ConfigurationError, NovaHaError, NovaUnavailable
from nova_ha.model import ClusterNode, Server, Service
from nova_ha.openstack.host_names import HostNames
from nova_ha.pacemaker import cib
from nova_ha.pacemaker.cib_secrets import plain_secrets
from nova_ha.pacemaker.standalone_cluster import StandaloneCluster
from nova_ha.ports import NovaPort
from nova_ha.runner import CommandFailed, Runner
from nova_ha.settings.options import EVACUATE, FENCE, Value, resolve

_T = TypeVar("_T")

#: The agents, and how each is asked for its metadata.
PROGRAMS = (
    ("/usr/lib/ocf/resource.d/openstack/NovaEvacuate", ("meta-data",)),
    ("/usr/lib/ocf/resource.d/openstack/NovaCompute", ("meta-data",)),
    ("/usr/sbin/fence_compute", ("-o", "metadata")),
)


class Gatherer:
    """Gathers facts.

    Args:
        runner: runs Pacemaker's tools and the agents.
        clock: time.
        open_account: opens the cloud that settings describe.
        settings: returns the command's own settings, or raises what is wrong with them.
        sources: the settings of the cluster's resources; of the command line where there is no cluster.
        ledger: of recoveries without Pacemaker on this machine; None where nobody is to look at it.
    """

    def __init__(
        self,
        runner: Runner,
        clock: Clock,
        open_account: OpenAccount,
        settings: Callable[[], Mapping[str, Value]],
        sources: tuple[Source, ...],
        ledger: StandaloneCluster | None = None,
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._open_account = open_account
        self._settings = settings
        self._sources = sources
        self._ledger = ledger

    def facts(
        self, cluster: tuple[cib.Cib, Configuration] | None, cluster_problem: str | None = None
    ) -> Facts:
        """Return everything; whatever could not be learned says why."""
        nova, problem = self._nova()
        ledger, ledger_problem = self._entries()
        return Facts(
            now=self._clock.now(),
            cluster=self._cluster(cluster, nova),
            cluster_problem=cluster_problem,
            nova=nova,
            nova_problem=problem,
            access=tuple(self._access(source) for source in self._sources),
            programs=tuple(self._program(*item) for item in PROGRAMS) if cluster is not None else (),
            policy=self._policy(),
            ledger=ledger,
            ledger_problem=ledger_problem,
        )

    # --- Pacemaker ------------------------------------------------------------------------------------------

    def _cluster(
        self, found: tuple[cib.Cib, Configuration] | None, nova: NovaFacts | None
    ) -> ClusterFacts | None:
        if found is None:
            return None
        names = HostNames((one.host for one in nova.services), nova.domain) if nova is not None else None
        cluster = ClusterFacts(found[0], found[1], found[0].nodes(), names)
        is_lost = any(node.lost and not node.fenced for node in cluster.compute_nodes)
        return replace(cluster, failed_fencings=self._failed_fencings()) if is_lost else cluster

    def _failed_fencings(self) -> Mapping[str, str]:
        """Return why fencings have failed, if Pacemaker tells: it forgets that when it is restarted."""
        try:
            answer = self._runner.run("stonith_admin", "--history", "*", "--verbose", "--output-as=xml")
            return cib.failed_fencings(answer.stdout)
        except (CommandFailed, ClusterError):
            return {}

    # --- credentials ----------------------------------------------------------------------------------------

    def _access(self, source: Source) -> AccessFacts:
        """Try the credentials of a resource."""
        plain = plain_secrets(source.given) if source.agent else ()
        known = AccessFacts(source.subject, source.agent, plain=plain, file=_file(source.given))
        try:
            account = self._open_account(self._settings_of(source))
            roles, uncovered = account.roles(), account.uncovered_calls()
            if uncovered:
                return replace(known, roles=roles, uncovered=uncovered)
            account.nova.services()
        except NovaUnavailable:
            # Says nothing about the credentials, and is reported as what it is.
            return known
        except NovaHaError as error:
            return replace(known, problem=str(error))
        return replace(known, refused=tuple(_refused(account.nova)), roles=roles)

    def _settings_of(self, source: Source) -> Mapping[str, Value]:
        if not source.agent:
            return self._settings()
        program = FENCE if source.agent == FENCE_AGENT else EVACUATE
        return resolve(program, with_secrets(source.given, source.subject, self._runner), {})

    # --- Nova -----------------------------------------------------------------------------------------------

    def _nova(self) -> tuple[NovaFacts | None, str | None]:
        """Return what Nova shows, or why it shows nothing."""
        try:
            account = self._open_account(self._settings())
            services = account.nova.services()
        except NovaHaError as error:
            return None, str(error)
        return self._shown(account, services), None

    def _shown(self, account: Account, services: tuple[Service, ...]) -> NovaFacts:
        servers: dict[str, tuple[Server, ...]] = {}
        unlisted: dict[str, str] = {}
        for host in (service.host for service in services if service.is_known):
            try:
                servers[host] = account.nova.servers(host)
            except NovaHaError as error:
                unlisted[host] = str(error)
        return NovaFacts(
            services=services,
            servers=servers,
            groups=_or_none(account.nova.server_groups),
            has_conductor=_or_none(account.nova.conductors_up),
            microversion=_or_none(account.newest_microversion),
            clock_offset=_or_none(account.clock_offset),
            unlisted=unlisted,
            domain=self._policy().domain,
        )

    def _policy(self) -> Policy:
        """Return the evacuator's settings; the defaults when what is written means nothing."""
        try:
            return Policy.from_settings(self._settings())
        except ConfigurationError:
            return Policy()

    # --- this machine ---------------------------------------------------------------------------------------

    def _entries(self) -> tuple[tuple[ClusterNode, ...], str | None]:
        """Return the hosts in the ledger, or why it cannot be read."""
        try:
            return self._ledger.entries() if self._ledger is not None else (), None
        except ClusterError as error:
            return (), str(error)

    def _program(self, path: str, arguments: tuple[str, ...]) -> Program:
        """Ask an agent for its metadata."""
        found = Program(path, reinstall=reinstall(sys.prefix, sys.base_prefix, which("apt-get")))
        if not os.access(path, os.X_OK):
            return replace(found, problem="it is not there, or not executable")
        try:
            answer = self._runner.run(path, *arguments)
        except CommandFailed as error:
            return replace(found, problem=str(error))
        return replace(found, problem=_metadata_problem(answer.stdout), is_ours=_is_ours(path))


def reinstall(prefix: str, base_prefix: str, apt: str | None) -> str:
    """Return the command that installs nova-ha's agents anew.

    Args:
        prefix: where this Python's packages are.
        base_prefix: where they would be without a virtual environment.
        apt: path of apt-get; None on machines with dnf.
    """
    if prefix != base_prefix:
        return f"{prefix}/bin/nova-ha install-agents"
    return "apt-get install --reinstall nova-ha" if apt else "dnf reinstall nova-ha"


def _file(given: Mapping[str, str]) -> str | None:
    """Return the file with credentials that parameters name; a cloud is one of clouds.yaml."""
    named = {name.replace("-", "_"): text for name, text in given.items() if text}
    if "cloud" in named:
        return named.get("clouds_yaml", "clouds.yaml")
    return named.get("credentials_file")


def _refused(nova: NovaPort) -> Iterator[str]:
    """Yield what these credentials may not do, as far as Nova says so."""
    nobody, nothing = str(uuid.uuid4()), Service(str(uuid.uuid4()), "nova-ha-doctor", "enabled", "down")
    probes: tuple[tuple[str, Callable[[], object]], ...] = (
        ("list servers of all projects", lambda: nova.servers(nothing.host)),
        ("list migrations of all projects", lambda: nova.evacuations(nothing.host)),
        ("list server groups of all projects", nova.server_groups),
        ("force services down and disable them", lambda: nova.tell_down(nothing, None)),
        ("evacuate servers", lambda: nova.evacuate(nobody, None)),
    )
    for what, probe in probes:
        try:
            probe()
        except AccessDenied as error:
            yield f"may not {what}: {error}"
        except NovaHaError:
            continue


def _or_none(question: Callable[[], _T]) -> _T | None:
    try:
        return question()
    except NovaHaError:
        return None


def _metadata_problem(text: str) -> str | None:
    """Return what is wrong with an agent's metadata."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - written by an agent of this machine
    except ET.ParseError as error:
        return f"its metadata cannot be read: {error}"
    version = root.get("version")
    if root.tag != "resource-agent":
        return f"its metadata is no <resource-agent> but <{root.tag}>"
    if version is not None and version != __version__:
        return f"it is of version {version}, and the library of {__version__}"
    return None


def _is_ours(path: str) -> bool:
    with open(path, encoding="utf-8", errors="replace") as file:
        return "nova_ha" in file.read()
