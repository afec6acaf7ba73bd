# SPDX-License-Identifier: Apache-2.0
"""Which guests could not be evacuated if their host failed now, and why. Pure functions.

By the same rules as the evacuator's (`decisions.immovable`). It is no fault of the deployment: notes only.
"""

from __future__ import annotations

from collections.abc import Iterator

from nova_ha.commands.facts import Facts, NovaFacts
from nova_ha.commands.finding import NOTE, Finding
from nova_ha.decisions.immovable import reason_it_cannot_move, reason_to_ignore
from nova_ha.decisions.policy import Policy
from nova_ha.evacuation.hard_groups import hard_groups_by_member
from nova_ha.model import Server, ServerGroup

#: Servers that are named in one finding.
_NAMED = 5


def guests(facts: Facts) -> Iterator[Finding]:
    """Every server could be evacuated as it is."""
    if facts.nova is None:
        return
    by_reason: dict[str, list[Server]] = {}
    groups = hard_groups_by_member(facts.nova.groups or ())
    for server in _servers(facts.nova):
        reason = reason_it_stays(server, groups.get(server.id), facts.policy)
        if reason:
            by_reason.setdefault(reason, []).append(server)
    for reason, servers in sorted(by_reason.items()):
        names = ", ".join(f"{server.name} ({server.id})" for server in servers[:_NAMED])
        more = f" and {len(servers) - _NAMED} more" if len(servers) > _NAMED else ""
        problem = f"could not be evacuated today: {reason.partition('; ')[0]}"
        fix = reason.partition("; ")[2] or "tell the owner"
        yield Finding("guests", names + more, NOTE, problem, fix)
    yield from _crowded_groups(facts.nova)
    yield from _own_disks(facts.nova, facts.policy)


def reason_it_stays(server: Server, group: ServerGroup | None, policy: Policy) -> str | None:
    """Return why a server would not be evacuated, or None when it would, or need not be."""
    if reason_to_ignore(server):
        return None
    if server.has_vtpm:
        return "Nova does not evacuate a server with an emulated TPM; start it when its host is back"
    return reason_it_cannot_move(server, group, policy, has_history=False)


def _crowded_groups(nova: NovaFacts) -> Iterator[Finding]:
    """A hard anti-affinity group needs one host more than it has members."""
    ready = sum(1 for service in nova.services if service.takes_servers)
    here = {server.id for server in _servers(nova)}
    for group in nova.groups or ():
        members = len(group.members & here)
        if group.policy == "anti-affinity" and members >= ready > 0:
            problem = f"{members} members in {ready} hosts: no host is left for one of them"
            yield Finding(
                "guests", f"server group {group.id}", NOTE, problem, "use soft-anti-affinity, or add a host"
            )


def _own_disks(nova: NovaFacts, policy: Policy) -> Iterator[Finding]:
    """Nova does not tell whether hosts share their instances path, so an admin is told what hangs on it."""
    if not policy.shared_storage:
        return
    movable = (server for server in _servers(nova) if reason_to_ignore(server) is None)
    count = sum(1 for server in movable if not server.is_volume_backed or server.local_disk)
    if count:
        problem = (
            f"{count} servers with a disk that is no volume count on it: shared_storage=1 says that every "
            "host reaches those disks; if not, Nova rebuilds servers from their images, without their data"
        )
        fix = "none where they are shared (Ceph, NFS); otherwise set shared_storage=0 for nova-evacuate"
        yield Finding("guests", "shared storage", NOTE, problem, fix)


def _servers(nova: NovaFacts) -> Iterator[Server]:
    for host in sorted(nova.servers):
        yield from nova.servers[host]
