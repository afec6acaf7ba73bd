# SPDX-License-Identifier: Apache-2.0
"""Servers as Nova lists and shows them, and the two small actions on them."""

from __future__ import annotations

import pytest

from nova_ha.errors import NotFound
from tests.contract.cloud import HOSTS

pytestmark = pytest.mark.contract

SOURCE, OTHER = HOSTS[:2]
NOBODY = "6f1c2b1e-2222-4000-8000-6e6f76612d68"


def test_servers_of_a_host(cloud):
    """All servers of the host are listed, over several pages, and none of another host."""
    here = cloud.add_servers(SOURCE, ["active"] * 5)
    cloud.add_server(OTHER)
    listed = cloud.nova.servers(SOURCE)
    assert sorted(server.id for server in listed) == sorted(here)
    assert {server.host for server in listed} == {SOURCE}


def test_a_host_without_servers(cloud):
    """Of a host without servers, and of a host that Nova does not know, the list is empty."""
    cloud.add_server(OTHER)
    assert cloud.nova.servers(SOURCE) == ()
    assert cloud.nova.servers("no-such-host") == ()


def test_a_dropped_filter_does_no_harm(cloud):
    """A user who may not filter by host is given the whole cloud; only the host's servers come out."""
    mine = cloud.add_server(SOURCE)
    cloud.add_server(OTHER)
    assert [server.id for server in cloud.unprivileged().servers(SOURCE)] == [mine]


@pytest.mark.parametrize(
    ("state", "status", "vm_state", "power_state"),
    [
        ("active", "ACTIVE", "active", 1),
        ("stopped", "SHUTOFF", "stopped", 4),
        ("error", "ERROR", "error", 1),
        ("paused", "PAUSED", "paused", 3),
    ],
)
def test_states(cloud, state, status, vm_state, power_state):
    """A server's status, vm_state and power state tell the same in the list and when it is shown."""
    server_id = cloud.add_server(SOURCE, state)
    (listed,) = cloud.nova.servers(SOURCE)
    shown = cloud.server(server_id)
    for server in (listed, shown):
        assert (server.status, server.vm_state, server.power_state) == (status, vm_state, power_state)
        assert (server.task_state, server.host, server.launched) == (None, SOURCE, True)
        assert (server.is_volume_backed, server.local_disk, server.fault) == (False, False, None)
    assert ("owner", "tests") in shown.metadata


def test_a_deleted_server_is_gone(cloud):
    """A server that was deleted, or that never was, is None, and nothing can be done to it."""
    server_id = cloud.add_server(SOURCE)
    cloud.delete_server(server_id)
    for missing in (server_id, NOBODY):
        assert cloud.nova.server(missing) is None
        for action in (cloud.nova.stop, cloud.nova.reset_to_error):
            with pytest.raises(NotFound):
                action(missing)
    assert cloud.nova.servers(SOURCE) == ()


def test_stop(cloud):
    """A server that is stopped becomes SHUTOFF and its guest ends; to stop it again is no error."""
    server_id = cloud.add_server(SOURCE)
    cloud.nova.stop(server_id)
    cloud.until(lambda: cloud.where(server_id) == ("SHUTOFF", None, SOURCE))
    assert cloud.running_on(server_id) == []
    assert cloud.server(server_id).power_state == 4
    cloud.nova.stop(server_id)
    assert cloud.where(server_id) == ("SHUTOFF", None, SOURCE)


def test_reset_to_error(cloud):
    """Reset-state makes a paused server ERROR, which may be evacuated, and leaves its power state."""
    server_id = cloud.add_server(SOURCE, "paused")
    cloud.nova.reset_to_error(server_id)
    assert cloud.where(server_id) == ("ERROR", None, SOURCE)
    assert cloud.server(server_id).power_state == 3


def test_server_groups(cloud):
    """Every group is listed, over several pages, with its policy and its members."""
    policies = ["anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity"]
    groups = {policy: cloud.add_group(policy) for policy in policies}
    member = cloud.add_server(SOURCE, group=groups["anti-affinity"])
    listed = {group.policy: group for group in cloud.nova.server_groups()}
    assert {policy: group.id for policy, group in listed.items()} == groups
    assert listed["anti-affinity"].members == {member}
    assert listed["affinity"].members == frozenset()
