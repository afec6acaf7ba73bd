# SPDX-License-Identifier: Apache-2.0
"""Nova behind its port: what is sent, and what is made of the answers."""

from __future__ import annotations

import os

import pytest

from nova_ha.errors import NovaUnavailable, UntrustworthyAnswer
from nova_ha.openstack.nova import MICROVERSION
from tests.unit.openstack import fake_cloud
from tests.unit.openstack.samples import EVACUATE, NEXT, RECORD, SERVER, SERVICE, UP, error

# --- what is sent -----------------------------------------------------------------------------------------


def test_services_are_read(nova, cloud):
    """One request at one microversion tells of every compute service."""
    cloud.on("GET", "/os-services", (200, {"services": [UP]}))
    (service,) = nova.services()
    (request,) = cloud.sent("GET", "/os-services")
    assert ("compute-0", "enabled", "up", False) == (
        service.host,
        service.status,
        service.state,
        service.forced_down,
    )
    assert {"binary": "nova-compute"} == request.query
    assert f"compute {MICROVERSION}" == request.headers["OpenStack-API-Version"]


def test_down_cell_is_unknown(nova, cloud):
    """A host whose cell is down has a service of which nothing is known, and is not taken for down."""
    item = {"binary": "nova-compute", "host": "compute-0", "status": "UNKNOWN"}
    cloud.on("GET", "/os-services", (200, {"services": [item]}))
    (service,) = nova.services()
    assert not service.is_known
    with pytest.raises(NovaUnavailable, match="cell"):
        nova.tell_down(service, "nova-ha: x")


def test_service_without_forced_down_is_untrustworthy(nova, cloud):
    """A service whose forced_down is not shown says nothing that may be relied on."""
    item = {name: value for name, value in UP.items() if name != "forced_down"}
    cloud.on("GET", "/os-services", (200, {"services": [item]}))
    with pytest.raises(UntrustworthyAnswer, match="forced_down"):
        nova.services()


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (
            lambda nova: nova.tell_down(SERVICE, "nova-ha: fenced x"),
            {"forced_down": True, "status": "disabled", "disabled_reason": "nova-ha: fenced x"},
        ),
        (lambda nova: nova.tell_down(SERVICE, None), {"forced_down": True}),
        (lambda nova: nova.clear_forced_down(SERVICE), {"forced_down": False}),
        (lambda nova: nova.disable(SERVICE, "why"), {"status": "disabled", "disabled_reason": "why"}),
        (lambda nova: nova.enable(SERVICE), {"status": "enabled"}),
    ],
)
def test_service_changes_are_one_request(nova, cloud, call, body):
    """Each change of a service is exactly one PUT, force-down and disable together included."""
    cloud.on("PUT", f"/os-services/{SERVICE.id}", (200, {"service": UP}))
    call(nova)
    assert [body] == [request.body for request in cloud.sent("PUT", f"/os-services/{SERVICE.id}")]


def test_evacuate_is_sent_once(nova, cloud):
    """An evacuate request carries the destination only when there is one, and returns its request id."""
    cloud.on(*EVACUATE, (200, b"", {"x-openstack-request-id": "req-1", "x-compute-request-id": "req-1"}))
    assert "req-1" == nova.evacuate("s1", None)
    assert "req-1" == nova.evacuate("s1", "compute-1")
    assert [{"evacuate": {}}, {"evacuate": {"host": "compute-1"}}] == [r.body for r in cloud.sent(*EVACUATE)]


@pytest.mark.parametrize(
    "change", [lambda nova: nova.disable(SERVICE, "why"), lambda nova: nova.enable(SERVICE)]
)
@pytest.mark.parametrize("failure", [fake_cloud.read_timeout(), error("later", 503)], ids=["timeout", "503"])
def test_change_that_waits_for_the_host_is_not_repeated(nova, cloud, waits, change, failure):
    """Sent again it would undo what somebody else has done while the host was waited for."""
    put = ("PUT", f"/os-services/{UP['id']}")
    cloud.on(*put, failure)
    with pytest.raises(NovaUnavailable):
        change(nova)
    assert (1, []) == (len(cloud.sent(*put)), waits)


def test_time_limits(nova, cloud):
    """Every request has a time limit; actions have their own, longer one."""
    cloud.on("GET", "/os-services", (200, {"services": []}))
    cloud.on(*EVACUATE, (200, b"", {"x-openstack-request-id": "req-1"}))
    nova.services()
    nova.evacuate("s1", None)
    limits = {(request.path): request.timeout for request in cloud.requests}
    assert {"/v3/auth/tokens": 7.0, "/os-services": 7.0, "/servers/s1/action": 99.0} == limits


def test_nothing_is_written_at_home(nova, cloud, tmp_path, monkeypatch):
    """The client library's list of UUIDs in the home folder is switched off."""
    monkeypatch.setenv("HOME", str(tmp_path))
    cloud.on("GET", "/servers/detail", (200, {"servers": [SERVER]}))
    nova.servers("compute-0")
    assert [] == list(tmp_path.iterdir())
    assert "/dev/null/nova-ha" == os.environ["NOVACLIENT_UUID_CACHE_DIR"]


# --- servers ----------------------------------------------------------------------------------------------


def test_servers_are_paged(nova, cloud):
    """Servers are read to the last page, of every project."""
    second = {**SERVER, "id": "s2", "image": "", "OS-EXT-STS:vm_state": "stopped"}
    cloud.on(
        "GET",
        "/servers/detail",
        (200, {"servers": [SERVER], "servers_links": NEXT}),
        (200, {"servers": [second]}),
    )
    servers = nova.servers("compute-0")
    queries = [request.query for request in cloud.sent("GET", "/servers/detail")]
    assert [("s1", False), ("s2", True)] == [(server.id, server.is_volume_backed) for server in servers]
    assert [
        {"host": "compute-0", "all_tenants": "1"},
        {"host": "compute-0", "all_tenants": "1", "marker": "s1"},
    ] == queries


def test_other_hosts_servers_are_dropped(nova, cloud):
    """When a policy ignores the filter by host, the servers of other hosts are not taken for this one's."""
    other = {**SERVER, "id": "s2", "OS-EXT-SRV-ATTR:host": "compute-1"}
    cloud.on("GET", "/servers/detail", (200, {"servers": [other, SERVER]}))
    assert ["s1"] == [server.id for server in nova.servers("compute-0")]


@pytest.mark.parametrize("key", ["OS-EXT-SRV-ATTR:host", "OS-EXT-STS:vm_state", "OS-EXT-STS:task_state"])
def test_server_without_attribute_is_untrustworthy(nova, cloud, key):
    """A server that lacks an attribute which only an admin sees makes the whole answer worthless."""
    cloud.on("GET", "/servers/detail", (200, {"servers": [{k: v for k, v in SERVER.items() if k != key}]}))
    with pytest.raises(UntrustworthyAnswer, match=f"server s1.*{key}"):
        nova.servers("compute-0")


def test_server_that_does_not_exist(nova, cloud):
    """A server that Nova does not know is None."""
    cloud.on("GET", "/servers/s1", (404, {"itemNotFound": {"message": "no", "code": 404}}))
    assert nova.server("s1") is None


def test_page_that_went_away_is_retriable(nova, cloud):
    """A server that is deleted while the list is read makes the list worth another try."""
    cloud.on("GET", "/servers/detail", error("marker [s1] not found", 400))
    with pytest.raises(NovaUnavailable):
        nova.servers("compute-0")


# --- evacuation records and actions -----------------------------------------------------------------------


def test_evacuations_are_paged_oldest_first(nova, cloud):
    """Records are read to the last page, others dropped, and the oldest comes first."""
    older = {**RECORD, "uuid": "m0", "created_at": "2026-11-22T06:00:00.000000", "dest_compute": "compute-2"}
    foreign = {**RECORD, "uuid": "m8", "source_compute": "compute-7"}
    live = {**RECORD, "uuid": "m9", "migration_type": "live-migration"}
    cloud.on(
        "GET",
        "/os-migrations",
        (200, {"migrations": [RECORD, foreign], "migrations_links": NEXT}),
        (200, {"migrations": [live, older]}),
    )
    records = nova.evacuations("compute-0")
    assert [("m0", "compute-2"), ("m1", None)] == [(record.uuid, record.destination) for record in records]
    assert "m8" == cloud.sent("GET", "/os-migrations")[1].query["marker"]


def test_hidden_hosts_are_untrustworthy(nova, cloud):
    """A record whose source a policy hides is not a record of another host."""
    cloud.on("GET", "/os-migrations", (200, {"migrations": [{**RECORD, "source_compute": None}]}))
    with pytest.raises(UntrustworthyAnswer, match="hides"):
        nova.evacuations("compute-0")


def test_attempts_with_their_events(nova, cloud):
    """Only evacuate actions are followed, and the oldest comes first."""
    path = "/servers/s1/os-instance-actions"
    actions = [{"request_id": f"req-{n}", "action": "evacuate"} for n in (2, 1)]
    cloud.on("GET", path, (200, {"instanceActions": [{"request_id": "req-3", "action": "stop"}, *actions]}))
    times = {"start_time": "1970-01-01T00:00:01.000000", "finish_time": "1970-01-01T00:00:02.500000"}
    event = {"event": "rebuild_server", "result": "Error", "traceback": "boom", **times}
    for number, events in ((1, [event]), (2, [])):
        detail = {
            "request_id": f"req-{number}",
            "start_time": "2026-11-22T06:40:00.000000",
            "events": events,
        }
        cloud.on("GET", f"{path}/req-{number}", (200, {"instanceAction": detail}))
    attempts = nova.attempts("s1")
    assert [("req-1", True), ("req-2", False)] == [(one.request_id, one.is_over) for one in attempts]
    assert [2.5] == [event.at for one in attempts for event in one.events]


def test_server_groups_are_paged(nova, cloud):
    """Server groups of every project are read until a page is empty."""
    group = {"id": "g", "policy": "anti-affinity", "members": ["s1"], "rules": {}}
    cloud.on("GET", "/os-server-groups", (200, {"server_groups": [group]}), (200, {"server_groups": []}))
    (found,) = nova.server_groups()
    assert ("anti-affinity", frozenset({"s1"})) == (found.policy, found.members)
    assert ["0", "1"] == [request.query["offset"] for request in cloud.sent("GET", "/os-server-groups")]
