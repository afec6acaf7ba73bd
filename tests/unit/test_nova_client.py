# SPDX-License-Identifier: Apache-2.0
"""Nova behind its port: what is sent, what is made of the answers, and what every kind of failure becomes."""

from __future__ import annotations

import os

import pytest
import requests

from nova_ha.credentials import open_session
from nova_ha.errors import (
    AccessDenied,
    AmbiguousAnswer,
    ConfigurationError,
    NotFound,
    NovaUnavailable,
    RequestRefused,
    Retriable,
    StillInUse,
    UntrustworthyAnswer,
)
from nova_ha.model import Service
from nova_ha.nova import MICROVERSION, NovaClient
from nova_ha.nova_errors import one_line
from tests.unit import fake_cloud
from tests.unit.fake_cloud import KEYSTONE, FakeCloud

SETTINGS = {
    "auth_url": KEYSTONE,
    "username": "admin",
    "password": "secret",
    "project_name": "admin",
    "api_timeout": 7.0,
    "action_timeout": 99.0,
}
EVACUATE = ("POST", "/servers/s1/action")
UP = {
    "id": "11111111-1111-1111-1111-111111111111",
    "binary": "nova-compute",
    "host": "compute-0",
    "zone": "nova",
    "status": "enabled",
    "state": "up",
    "forced_down": False,
    "disabled_reason": None,
    "updated_at": "2026-11-22T06:40:12.000000",
}
SERVICE = Service(id=UP["id"], host="compute-0", status="enabled", state="up")
SERVER = {
    "id": "s1",
    "name": "web",
    "status": "ACTIVE",
    "OS-EXT-STS:vm_state": "active",
    "OS-EXT-STS:task_state": None,
    "OS-EXT-STS:power_state": 1,
    "OS-EXT-SRV-ATTR:host": "compute-0",
    "OS-SRV-USG:launched_at": "2026-11-22T06:00:00.000000",
    "image": {"id": "i"},
    "flavor": {"ephemeral": 0, "swap": 0},
    "metadata": {},
}
RECORD = {
    "uuid": "m1",
    "migration_type": "evacuation",
    "instance_uuid": "s1",
    "source_compute": "compute-0",
    "dest_compute": None,
    "status": "accepted",
    "created_at": "2026-11-22T06:40:00.000000",
    "updated_at": None,
}
NEXT = [{"rel": "next", "href": "http://nova.example/next"}]


@pytest.fixture
def cloud():
    """Make a cloud that answers inside of the process."""
    return FakeCloud()


@pytest.fixture
def waits(monkeypatch):
    """Let no time pass when a client library waits; collect how long it would have."""
    found = []
    monkeypatch.setattr("time.sleep", found.append)
    return found


@pytest.fixture
def nova(cloud, monkeypatch):
    """Make a client of that cloud."""
    monkeypatch.delenv("NOVACLIENT_UUID_CACHE_DIR", raising=False)
    return make_client(cloud)


def make_client(cloud, **settings):
    """Make a client of a cloud, with further settings."""
    access = open_session({**SETTINGS, **settings})
    cloud.mount(access.session, access.actions)
    return NovaClient(access)


def error(message, status):
    """Return an error of Nova's API."""
    return status, {"error": {"message": message, "code": status}}


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
    event = {"event": "rebuild_server", "result": "Error", "traceback": "boom"}
    for number, events in ((1, [event]), (2, [])):
        detail = {
            "request_id": f"req-{number}",
            "start_time": "2026-11-22T06:40:00.000000",
            "events": events,
        }
        cloud.on("GET", f"{path}/req-{number}", (200, {"instanceAction": detail}))
    attempts = nova.attempts("s1")
    assert [("req-1", True), ("req-2", False)] == [(one.request_id, one.is_over) for one in attempts]


def test_server_groups_are_paged(nova, cloud):
    """Server groups of every project are read until a page is empty."""
    group = {"id": "g", "policy": "anti-affinity", "members": ["s1"], "rules": {}}
    cloud.on("GET", "/os-server-groups", (200, {"server_groups": [group]}), (200, {"server_groups": []}))
    (found,) = nova.server_groups()
    assert ("anti-affinity", frozenset({"s1"})) == (found.policy, found.members)
    assert ["0", "1"] == [request.query["offset"] for request in cloud.sent("GET", "/os-server-groups")]


# --- failures of actions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [fake_cloud.refused, fake_cloud.unknown_name, fake_cloud.connect_timeout])
def test_action_that_never_left(nova, cloud, waits, failure):
    """An action whose connection was never established has certainly done nothing."""
    cloud.on(*EVACUATE, failure())
    with pytest.raises(NovaUnavailable):
        nova.evacuate("s1", None)
    assert 1 == len(cloud.sent(*EVACUATE))
    assert [] == waits


@pytest.mark.parametrize(
    "failure",
    [
        fake_cloud.read_timeout(),
        fake_cloud.dropped(),
        error("boom", 500),
        error("bad gateway", 502),
        error("later", 503),
        error("slow", 504),
        error("busy", 409),
        (500, {"error": "a text where an object belongs"}),
        (302, b"", {"location": "http://elsewhere.example/"}),
    ],
)
def test_action_with_unknown_effect(nova, cloud, waits, failure):
    """An action that was sent and not refused may have taken effect, and is never sent a second time."""
    cloud.on(*EVACUATE, failure)
    with pytest.raises(AmbiguousAnswer):
        nova.evacuate("s1", None)
    assert ["/v3/auth/tokens", "/servers/s1/action"] == [request.path for request in cloud.requests]
    assert [] == waits


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (error("Compute service of compute-0 is still in use.", 400), StillInUse),
        (error("The target host can't be the same one.", 400), RequestRefused),
        (error("not allowed", 403), AccessDenied),
        (error("Instance s1 could not be found.", 404), NotFound),
        (error("too many", 429), NovaUnavailable),
        (error("too large", 413), NovaUnavailable),
        (error("version", 406), ConfigurationError),
    ],
)
def test_action_that_was_refused(nova, cloud, failure, kind):
    """An action that Nova refused has done nothing; the error says whether trying again makes sense."""
    cloud.on(*EVACUATE, failure)
    with pytest.raises(kind) as caught:
        nova.evacuate("s1", None)
    assert kind is type(caught.value)


def test_trouble_with_keystone_is_no_lost_answer(nova, cloud, waits):
    """When no token can be had, the action was never sent."""
    cloud.on("POST", "/v3/auth/tokens", fake_cloud.read_timeout())
    with pytest.raises(NovaUnavailable):
        nova.evacuate("s1", None)
    assert [] == cloud.sent(*EVACUATE)


def test_expired_token_is_renewed_once(nova, cloud):
    """A token that Nova refuses is renewed and the action repeated: the refused one did nothing."""
    cloud.on(*EVACUATE, (401, {}), (200, b"", {"x-openstack-request-id": "req-2"}))
    assert "req-2" == nova.evacuate("s1", None)
    assert 2 == len(cloud.sent("POST", "/v3/auth/tokens"))


def test_stop_of_a_stopped_server(nova, cloud):
    """To stop a server that is off already is no error."""
    conflict = "Cannot 'stop' instance s1 while it is in vm_state stopped"
    cloud.on(*EVACUATE, error(conflict, 409))
    cloud.on("GET", "/servers/s1", (200, {"server": {**SERVER, "OS-EXT-STS:vm_state": "stopped"}}))
    nova.stop("s1")
    assert [{"os-stop": None}] == [request.body for request in cloud.sent(*EVACUATE)]


def test_stop_of_a_busy_server(nova, cloud):
    """A server that refuses to stop and still runs is an error."""
    cloud.on(*EVACUATE, error("Cannot 'stop' instance s1 while it is in task_state rebuilding", 409))
    cloud.on("GET", "/servers/s1", (200, {"server": SERVER}))
    with pytest.raises(AmbiguousAnswer):
        nova.stop("s1")


def test_hard_reboot(nova, cloud):
    """A server is started on its host by one action that Nova takes in nearly every state."""
    cloud.on(*EVACUATE, (202, b""))
    nova.hard_reboot("s1")
    assert [{"reboot": {"type": "HARD"}}] == [request.body for request in cloud.sent(*EVACUATE)]


def test_reset_to_error(nova, cloud):
    """A server's state is set to ERROR by one action."""
    cloud.on(*EVACUATE, (202, b""))
    nova.reset_to_error("s1")
    assert [{"os-resetState": {"state": "error"}}] == [request.body for request in cloud.sent(*EVACUATE)]


def test_request_ids_are_left_out():
    """The same trouble reads the same each time, so that it is logged and published once."""
    assert "The server has either erred" == one_line("The server has either erred (Request-ID: req-1a2b)")


# --- failures of reads ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        fake_cloud.refused(),
        fake_cloud.unknown_name(),
        fake_cloud.connect_timeout(),
        fake_cloud.read_timeout(),
        fake_cloud.dropped(),
        error("boom", 500),
        error("later", 503),
        error("too many", 429),
        (500, {"error": "a text where an object belongs"}),
        (200, b"<html>a proxy's page</html>", {"Content-Type": "text/html"}),
    ],
)
def test_read_that_failed_is_retriable(nova, cloud, waits, failure):
    """A read that failed in any way may be tried again, and its message is one line."""
    cloud.on("GET", "/os-services", failure)
    with pytest.raises(NovaUnavailable) as caught:
        nova.services()
    assert isinstance(caught.value, Retriable)
    assert "\n" not in str(caught.value)
    assert "list the services" in str(caught.value) or "GET /os-services" in str(caught.value)


def test_read_is_repeated_by_the_client(nova, cloud, waits):
    """A connection that breaks during a read is tried once more without anybody noticing."""
    cloud.on("GET", "/os-services", fake_cloud.dropped(), (200, {"services": [UP]}))
    assert 1 == len(nova.services())
    assert 1 == len(waits)


def test_read_that_is_denied(nova, cloud):
    """A role that does not suffice is a matter for a person."""
    cloud.on("GET", "/os-services", error("no", 403))
    with pytest.raises(AccessDenied, match="role admin"):
        nova.services()


def test_call_that_access_rules_do_not_cover(nova, cloud):
    """A token that Nova refuses though Keystone has just given it names the rule that may be missing."""
    path = "/servers/11111111-1111-1111-1111-111111111111/os-instance-actions"
    cloud.on("GET", path, error("The request you have made requires authentication.", 401))
    with pytest.raises(AccessDenied, match=r"do not cover GET /servers/\*/os-instance-actions,"):
        nova.attempts("11111111-1111-1111-1111-111111111111")


@pytest.mark.parametrize("call", ["services", "evacuate"])
def test_certificate_that_is_not_accepted(nova, cloud, call):
    """A certificate that is not accepted is an error of the configuration, told in one line."""
    reason = (
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)"
    )
    failure = requests.exceptions.SSLError(f"HTTPSConnectionPool(host='nova.example', port=443): {reason}")
    cloud.on("POST" if call == "evacuate" else "GET", "/servers/s1/action", failure)
    cloud.on("GET", "/os-services", failure)
    with pytest.raises(ConfigurationError) as caught:
        nova.services() if call == "services" else nova.evacuate("s1", None)
    said = str(caught.value)
    assert "http://nova.example: its certificate has expired; renew it" in said
    assert "\n" not in said
    assert "SSL" not in said


def test_wrong_password(nova, cloud):
    """Keystone's refusal names what to check."""
    cloud.on("POST", "/v3/auth/tokens", error("The request you have made requires authentication.", 401))
    with pytest.raises(AccessDenied, match="check user, password, project and domains"):
        nova.services()


def test_url_that_is_no_keystone(nova, cloud):
    """A URL where no Keystone is, is named by its option."""
    cloud.on("POST", "/v3/auth/tokens", error("Not Found", 404))
    with pytest.raises(ConfigurationError, match="auth_url"):
        nova.services()


def test_service_that_is_not_cleaned_up(nova, cloud):
    """Nova's refusal to clear forced_down before the host has cleaned up is retriable."""
    message = "Unable to force up host compute-0 as `done` evacuation migration records remain associated"
    cloud.on("PUT", f"/os-services/{SERVICE.id}", error(message, 400))
    with pytest.raises(StillInUse):
        nova.clear_forced_down(SERVICE)


@pytest.mark.parametrize("settings", [{"region_name": "RegionTwo"}, {"interface": "public"}])
def test_missing_endpoint(cloud, settings):
    """A region or interface that Keystone does not know is named, with what it knows."""
    with pytest.raises(ConfigurationError) as caught:
        make_client(cloud, **settings).services()
    assert next(f"{name}={value}" for name, value in settings.items()) in str(caught.value)
    assert "RegionOne internal" in str(caught.value)


def test_connection_trouble_reads_well(nova, cloud, waits):
    """The message of a connection that fails names the address and the reason, and no class of a library."""
    cloud.on("GET", "/os-services", fake_cloud.refused())
    with pytest.raises(NovaUnavailable) as caught:
        nova.services()
    wanted = "list the services: no connection to http://nova.example/v2.1/os-services?binary=nova-compute: "
    assert wanted + "Connection refused" == str(caught.value)
