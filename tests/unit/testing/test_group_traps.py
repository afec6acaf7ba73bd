# SPDX-License-Identifier: Apache-2.0
"""Server groups and capacity (nova.md 4)."""

from __future__ import annotations

import pytest


def two_members(host, policy):
    """Make two servers of a group on the dead host, and leave one host that both would be sent to."""
    host.world.cloud.add_server("web-2", "compute-0")
    host.world.cloud.add_group(policy, ["web", "web-2"])
    host.nova.disable(host.nova.services()[2], "only one host is left")
    host.die()
    return host.server.id, host.world.cloud.by_name("web-2").id


def test_anti_affinity_members_sent_together_both_fail(host):
    """Two members that are sent to the same host at the same time both end in ERROR."""
    for server_id in two_members(host, "anti-affinity"):
        host.nova.evacuate(server_id, None)
    host.run(10.0)
    servers = [host.nova.server(server_id) for server_id in two_ids(host)]
    assert [server.status for server in servers] == ["ERROR", "ERROR"]
    assert all("Anti-affinity" in server.fault for server in servers)


def test_anti_affinity_members_sent_one_by_one(host):
    """Sent one after the other the first one succeeds, and the second is refused by the scheduler."""
    first, second = two_members(host, "anti-affinity")
    host.nova.evacuate(first, None)
    host.run(10.0)
    host.nova.evacuate(second, None)
    host.run(10.0)
    assert [host.nova.server(i).status for i in (first, second)] == ["ACTIVE", "ERROR"]
    assert host.nova.server(second).fault == "No valid host was found."


def test_hard_affinity_has_nowhere_to_go(host):
    """A member of a hard affinity group fits on its dead host only."""
    first, _ = two_members(host, "affinity")
    host.nova.evacuate(first, None)
    host.run(10.0)
    assert host.nova.server(first).fault == "No valid host was found."


@pytest.mark.parametrize("policy", ["soft-affinity", "soft-anti-affinity"])
def test_soft_policies_do_not_bind(host, policy):
    """Members of soft groups go anywhere, together."""
    for server_id in two_members(host, policy):
        host.nova.evacuate(server_id, None)
    host.run(10.0)
    assert {host.nova.server(server_id).host for server_id in two_ids(host)} == {"compute-1"}


def test_allocations_are_held_twice_until_the_source_starts(host):
    """An evacuated server counts on both hosts until the source's nova-compute starts."""
    from nova_ha.testing.startup import start_compute

    host.die().evacuate()
    host.run(10.0)
    counted = [name for name, servers in host.world.cloud.allocations.items() if host.server.id in servers]
    assert counted == ["compute-0", "compute-1"]
    start_compute(host.world.cloud, "compute-0")
    assert host.world.cloud.allocations["compute-0"] == set()


def test_capacity(host):
    """A full host takes no more."""
    for compute in list(host.world.cloud.computes.values())[1:]:
        compute.capacity = 0
    host.die().evacuate()
    host.run(5.0)
    assert host.now.fault == "No valid host was found."


def test_availability_zone_pins(host):
    """A server that was created in a zone finds no host outside of it."""
    host.server.zone = "west"
    host.die().evacuate()
    host.run(5.0)
    assert host.now.fault == "No valid host was found."


def two_ids(host):
    """Return the ids of the two members."""
    return host.server.id, host.world.cloud.by_name("web-2").id
