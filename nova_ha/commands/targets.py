# SPDX-License-Identifier: Apache-2.0
"""Which host of Nova, and which node of Pacemaker, an admin means. No effects."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from nova_ha.errors import HostNameError
from nova_ha.model import ClusterNode, Service
from nova_ha.openstack.host_names import HostNames


@dataclass(frozen=True)
class Target:
    """A host that an admin has named.

    Attributes:
        host: Nova's name of it.
        service: its nova-compute service.
        node: Pacemaker's entry; None when Pacemaker does not know it.
    """

    host: str
    service: Service
    node: ClusterNode | None


def find(name: str, services: Iterable[Service], nodes: Iterable[ClusterNode], domain: str = "") -> Target:
    """Return the host of that name, be it Nova's or Pacemaker's.

    Args:
        name: what the admin wrote.
        services: Nova's.
        nodes: Pacemaker's.
        domain: DNS suffix of the hosts, if nodes have short names.

    Raises:
        HostNameError: no host of Nova fits, or more than one, or more than one node is that host.
    """
    by_host = {service.host: service for service in services}
    names = HostNames(by_host, domain)
    host = names.host_of(name)
    found = [node for node in nodes if node.is_remote and _is(names, node, host)]
    if len(found) > 1:
        several = " and ".join(node.name for node in found)
        raise HostNameError(
            f"the nodes {several} of Pacemaker are both Nova's host {host}: rename one of them"
        )
    return Target(host, by_host[host], found[0] if found else None)


def _is(names: HostNames, node: ClusterNode, host: str) -> bool:
    with suppress(HostNameError):
        return names.host_of(node.name) == host
    return False
