# SPDX-License-Identifier: Apache-2.0
"""The simulated scheduler: where an evacuated server may go (nova.md 2.3 and 4)."""

from __future__ import annotations

from nova_ha.testing.cloud import Cloud, Compute, Group, Server


def select_host(cloud: Cloud, server: Server, requested: str | None) -> Compute | None:
    """Return the fitting host with the most room; None is Nova's NoValidHost."""
    group = cloud.group_of(server.id)
    fitting = [
        compute
        for compute in cloud.computes.values()
        if requested in (None, compute.host)
        and _fits(cloud, server, compute)
        and _group_allows(cloud, server, group, compute)
    ]
    return max(fitting, key=lambda compute: _room(cloud, compute), default=None)


def breaks_group(cloud: Cloud, server: Server, host: str) -> bool:
    """Say whether the destination's own late check finds another member of a hard anti-affinity group there.

    It counts members that are on the host and members on their way to it; so of two that were sent there at
    the same time each finds the other, and both fail.
    """
    group = cloud.group_of(server.id)
    if group is None or group.policy != "anti-affinity":
        return False
    others = group.members - {server.id}
    coming = {
        record.server_id
        for record in cloud.records
        if record.destination == host and record.status == "pre-migrating"
    }
    return any(member in coming or cloud.servers[member].host == host for member in others)


def _fits(cloud: Cloud, server: Server, compute: Compute) -> bool:
    source = cloud.computes[server.host] if server.host else None
    return (
        compute.host != server.host
        and not compute.disabled
        and cloud.is_up(compute)
        and (source is None or compute.cell == source.cell)
        and server.zone in (None, compute.zone)
        and _room(cloud, compute) > 0
    )


def _room(cloud: Cloud, compute: Compute) -> int:
    return compute.capacity - len(cloud.allocations.get(compute.host, ()))


def _group_allows(cloud: Cloud, server: Server, group: Group | None, compute: Compute) -> bool:
    """Look at the members' hosts only, as Nova's filters do: what is on its way is not seen."""
    if group is None or group.policy not in ("affinity", "anti-affinity"):
        return True
    hosts = {cloud.servers[member].host for member in group.members if not cloud.servers[member].deleted}
    if group.policy == "affinity":
        return compute.host in hosts
    others = {cloud.servers[m].host for m in group.members - {server.id} if not cloud.servers[m].deleted}
    return compute.host not in others
