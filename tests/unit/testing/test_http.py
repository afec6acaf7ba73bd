# SPDX-License-Identifier: Apache-2.0
"""The real client, over HTTP without a network, sees what the simulated port shows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nova_ha import errors
from nova_ha.openstack.credentials import open_session
from nova_ha.openstack.nova import NovaClient
from nova_ha.testing.http_nova import CREDENTIALS, KEYSTONE, mount

READS = ("services", "server_groups")


@pytest.fixture
def real(host, monkeypatch):
    """Hand out the real client on the simulated Nova, with pages of two items, waiting in virtual time."""
    virtual = SimpleNamespace(sleep=host.world.clock.sleep, time=host.world.clock.now)
    monkeypatch.setattr("keystoneauth1.session.time", virtual)
    user, password = CREDENTIALS
    given = {"auth_url": KEYSTONE, "username": user, "password": password, "project_name": "admin"}
    access = open_session(given)
    client = NovaClient(access)
    client.transport = mount(host.nova, access.session.session, page=2)
    client.actions_transport = mount(host.nova, access.actions.session, page=2)
    return client


def test_every_read_agrees(host, real):
    """Both front ends show the same services, servers, records, actions and groups."""
    for number in range(5):
        host.world.cloud.add_server(f"more-{number}", "compute-0", local_disk=number == 3)
    host.world.cloud.add_group("anti-affinity", ["web", "more-1"])
    host.die()
    for server in host.nova.servers("compute-0"):
        host.nova.evacuate(server.id, None)
    for _ in range(4):
        host.run(1.0)
        assert real.services() == host.nova.services()
        assert real.servers("compute-0") == host.nova.servers("compute-0")
        assert real.evacuations("compute-0") == host.nova.evacuations("compute-0")
        assert real.attempts(host.server.id) == host.nova.attempts(host.server.id)
        assert real.server(host.server.id) == host.now
    assert real.server_groups() == host.nova.server_groups()


def test_every_action_agrees(host, real):
    """The real client's actions have the effects of the port's."""
    service = real.services()[0]
    real.disable(service, "a reason")
    assert host.service.disabled_reason == "a reason"
    real.enable(service)
    assert host.service.status == "enabled"
    host.die()
    request_id = real.evacuate(host.server.id, "compute-2")
    host.run(10.0)
    assert [attempt.request_id for attempt in host.nova.attempts(host.server.id)] == [request_id]
    assert host.now.host == "compute-2"
    real.stop(host.server.id)
    real.stop(host.server.id)
    assert host.now.status == "SHUTOFF"
    real.reset_to_error(host.server.id)
    assert host.now.status == "ERROR"
    with pytest.raises(errors.StillInUse):
        real.clear_forced_down(service)
    assert real.server("8a0e6a0e-0000-4000-8000-000000000000") is None


def test_down_cell_agrees(host, real):
    """A down cell looks the same through both front ends."""
    host.world.cloud.cells_down.add("cell1")
    assert real.services() == host.nova.services()
    assert real.servers("compute-0") == ()
    with pytest.raises(errors.UntrustworthyAnswer):
        real.server(host.server.id)
    with pytest.raises(errors.UntrustworthyAnswer):
        host.nova.server(host.server.id)


KINDS = [
    "unreachable",
    "timeout",
    "timeout-after",
    "http-500",
    "http-500-after",
    "http-503",
    "http-409",
    "http-404",
    "http-403",
    "http-400",
    "in-use",
    "ok-nothing",
]


def outcome(call):
    """Return the type of what a call raises, or None."""
    try:
        call()
    except errors.NovaHaError as error:
        return type(error)
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_failed_evacuate_agrees(host, real, kind):
    """Each fault of an evacuate request becomes the same error through both front ends, after one POST."""
    host.die()
    host.fault("evacuate", kind, last=2, seconds=0.5)
    posts = len(real.actions_transport.requests)
    through_http = outcome(lambda: real.evacuate(host.server.id, None))
    assert len(real.actions_transport.requests) == posts + 1
    assert through_http is outcome(host.evacuate)


@pytest.mark.parametrize(
    "kind", ["unreachable", "timeout", "http-500", "http-503", "http-403", "no-host", "empty"]
)
def test_failed_list_agrees(host, real, kind):
    """Each fault of a list becomes the same error through both front ends."""
    host.fault("servers", kind)
    assert outcome(lambda: real.servers("compute-0")) is outcome(lambda: host.nova.servers("compute-0"))


def test_dropped_filter_agrees(host, real):
    """Servers of other hosts do not get through."""
    host.world.cloud.add_server("other", "compute-1")
    host.fault("servers", "unfiltered")
    assert [server.name for server in real.servers("compute-0")] == ["web"]


def test_wrong_password(host):
    """A wrong password is refused by the simulated Keystone."""
    given = {"auth_url": KEYSTONE, "username": "admin", "password": "wrong", "project_name": "admin"}
    access = open_session(given)
    mount(host.nova, access.session.session)
    with pytest.raises(errors.AccessDenied):
        NovaClient(access).services()
