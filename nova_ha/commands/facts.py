# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` knows when it judges: everything that its checks may look at, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nova_ha.commands.compute_nodes import compute_nodes
from nova_ha.commands.configuration import Configuration
from nova_ha.decisions.policy import Policy
from nova_ha.model import ClusterNode, Server, ServerGroup, Service
from nova_ha.openstack.host_names import HostNames
from nova_ha.pacemaker.cib import Cib


@dataclass(frozen=True)
class ClusterFacts:
    """Pacemaker, as its CIB shows it.

    Attributes:
        cib: the whole of it.
        configuration: what an admin has decided.
        nodes: every node with its records.
        names: Nova's hosts; None when Nova did not answer.
        failed_fencings: why the last fencing of a lost node failed.
    """

    cib: Cib
    configuration: Configuration
    nodes: tuple[ClusterNode, ...]
    names: HostNames | None = None
    failed_fencings: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def compute_nodes(self) -> tuple[ClusterNode, ...]:
        """Return the Pacemaker Remote nodes that are compute nodes; there may be others."""
        return compute_nodes(self.configuration, self.nodes, self.names)

    @property
    def members(self) -> tuple[ClusterNode, ...]:
        """Return the full members: the controllers."""
        return tuple(node for node in self.nodes if not node.is_remote)


@dataclass(frozen=True)
class AccessFacts:
    """How it went with the credentials of one resource, or of the command line.

    Attributes:
        subject: the resource's name, or ``command line``.
        agent: the resource's agent; empty for the command line.
        problem: why they cannot be used; None when they can.
        refused: what Keystone or Nova refuses to these credentials, each as a sentence.
        roles: names of the token's roles; None when unknown.
        plain: parameters with a secret that stands in the cluster's configuration.
        uncovered: Nova's calls that the access rules of an application credential do not cover.
        file: the file that the resource's parameters name for credentials; None when they name none.
    """

    subject: str
    agent: str = ""
    problem: str | None = None
    refused: tuple[str, ...] = ()
    roles: frozenset[str] | None = None
    plain: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    file: str | None = None


@dataclass(frozen=True)
class NovaFacts:
    """Nova, as one set of credentials shows it.

    Attributes:
        services: every nova-compute service.
        servers: the servers of each host; a host that is left out could not be listed.
        groups: server groups; None when they could not be read.
        has_conductor: whether a nova-conductor is up and none is down; None when unknown.
        microversion: the newest that the API offers, such as ``(2, 96)``; None when unknown.
        clock_offset: how far its clock is ahead of this machine's, seconds; None when unknown.
        unlisted: hosts whose servers could not be listed, with the reason.
        domain: DNS suffix of the hosts, for nodes with short names; see the option of that name.
    """

    services: tuple[Service, ...]
    servers: Mapping[str, tuple[Server, ...]] = field(default_factory=dict)
    groups: tuple[ServerGroup, ...] | None = None
    has_conductor: bool | None = None
    microversion: tuple[int, int] | None = None
    clock_offset: float | None = None
    unlisted: Mapping[str, str] = field(default_factory=dict)
    domain: str = ""


@dataclass(frozen=True)
class Program:
    """An agent on this machine.

    Attributes:
        path: where it belongs.
        problem: what is wrong with it; None when its metadata can be read.
        is_ours: whether it is nova-ha's; another package may have put its own there.
        reinstall: the command that puts nova-ha's own there, in the way in which nova-ha is installed here.
    """

    path: str
    problem: str | None = None
    is_ours: bool = True
    reinstall: str = "apt-get install --reinstall nova-ha"


@dataclass(frozen=True)
class Facts:
    """Everything.

    Attributes:
        now: epoch seconds.
        cluster: Pacemaker; None when it did not answer, or there is none.
        cluster_problem: why it did not answer; None when there is none on this machine.
        nova: Nova; None when it did not answer.
        nova_problem: why not.
        access: how it went with each set of credentials.
        programs: the agents on this machine.
        policy: the settings that the evacuator has.
        ledger: hosts without Pacemaker whose recovery this machine has begun.
        ledger_problem: why the ledger cannot be read; None when it can, or there is none.
    """

    now: float
    cluster: ClusterFacts | None = None
    cluster_problem: str | None = None
    nova: NovaFacts | None = None
    nova_problem: str | None = None
    access: tuple[AccessFacts, ...] = ()
    programs: tuple[Program, ...] = ()
    policy: Policy = field(default_factory=Policy)
    ledger: tuple[ClusterNode, ...] = ()
    ledger_problem: str | None = None
