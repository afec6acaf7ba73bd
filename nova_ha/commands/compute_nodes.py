# SPDX-License-Identifier: Apache-2.0
"""Say which nodes of a cluster are compute nodes. No effects.

Pacemaker's entry of a node only says that pacemaker_remoted runs there. So it does in the containers of a
bundle, in guests (the meta attribute ``remote-node``), and on Pacemaker Remote nodes of another kind, such as
network nodes: none of them needs a fencing level with a record. A compute node is a connection of
``ocf:pacemaker:remote`` that is a host of Nova, or on which nova-compute may run.
"""

from __future__ import annotations

from nova_ha import record
from nova_ha.commands.configuration import COMPUTE_AGENT, Configuration
from nova_ha.commands.places import is_banned
from nova_ha.errors import HostNameError
from nova_ha.model import ClusterNode
from nova_ha.openstack.host_names import HostNames

_CONNECTION = "ocf:pacemaker:remote"
#: An open record keeps nova-compute off a node for a while (the gate); that makes it no other kind of node.
_NO_RECORD = {record.FENCED: None, record.EVACUATED: None}


def compute_nodes(
    configuration: Configuration, nodes: tuple[ClusterNode, ...], names: HostNames | None
) -> tuple[ClusterNode, ...]:
    """Return the compute nodes among some nodes.

    Args:
        configuration: the cluster's.
        nodes: the nodes.
        names: Nova's hosts; None when Nova does not answer. Then, and without a resource that says where
            nova-compute runs, every connection counts: one node too many does less harm than one too few.
    """
    connections = {resource.id for resource in configuration.running(_CONNECTION)}
    remote = (node for node in nodes if node.is_remote and node.name in connections)
    return tuple(node for node in remote if _is_compute_node(configuration, node.name, names))


def why_no_host(names: HostNames, node: str) -> str | None:
    """Return why a node is none of Nova's hosts, or not for sure which; None when it is one."""
    try:
        names.host_of(node)
    except HostNameError as error:
        return str(error)
    return None


def can_run_compute(configuration: Configuration, node: str) -> bool:
    """Say whether a resource of NovaCompute may run on a remote node, once no recovery of it is open."""
    return any(
        not is_banned(configuration, resource, node, is_remote=True, extra=_NO_RECORD)
        for resource in configuration.running(COMPUTE_AGENT)
    )


def _is_compute_node(configuration: Configuration, node: str, names: HostNames | None) -> bool:
    if names is not None and why_no_host(names, node) is None:
        return True
    if not configuration.running(COMPUTE_AGENT):
        return names is None
    return can_run_compute(configuration, node)
