# SPDX-License-Identifier: Apache-2.0
"""An evacuation that goes well, and what Nova shows of it on its way (nova.md 2)."""

from __future__ import annotations

import pytest

from nova_ha.errors import AmbiguousAnswer, NotFound, RequestRefused, StillInUse
from tests.contract.cloud import HOSTS

pytestmark = pytest.mark.contract

SOURCE, OTHER = HOSTS[:2]
NOBODY = "6f1c2b1e-2222-4000-8000-6e6f76612d68"


@pytest.mark.parametrize(
    ("state", "status", "runs"),
    [("active", "ACTIVE", True), ("stopped", "SHUTOFF", False), ("error", "ERROR", True)],
)
def test_a_server_keeps_its_state(cloud, state, status, runs):
    """ACTIVE stays ACTIVE, SHUTOFF stays SHUTOFF, and ERROR always comes back ACTIVE (nova.md 2.4)."""
    server_id = cloud.add_server(SOURCE, state)
    cloud.lose(SOURCE)
    assert cloud.server(server_id).status == status
    cloud.evacuate(server_id)
    after, task, host = cloud.where(server_id)
    assert (after, task) == ("ACTIVE" if state == "error" else status, None)
    assert host != SOURCE
    assert cloud.running_on(server_id) == ([host] if runs else [])


def test_the_record_of_a_success(cloud):
    """The record names source and destination, is done, and the action bears the request id of the answer."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    request = cloud.evacuate(server_id)
    record = cloud.record(server_id, SOURCE)
    host = cloud.server(server_id).host
    assert (record.status, record.source, record.destination) == ("done", SOURCE, host)
    assert record.created_at <= record.updated_at
    assert cloud.nova.evacuations(OTHER) == ()
    (attempt,) = cloud.nova.attempts(server_id)
    assert attempt.request_id == request
    assert {event.name: event.result for event in attempt.events} == {
        "rebuild_server": "Success",
        "compute_rebuild_instance": "Success",
    }
    assert next(event.host for event in attempt.events if event.name == "compute_rebuild_instance") == host


def test_the_newest_event_is_first(cloud):
    """Nova lists the events of an action newest first."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.evacuate(server_id)
    (attempt,) = cloud.nova.attempts(server_id)
    assert [event.name for event in attempt.events] == ["compute_rebuild_instance", "rebuild_server"]


def test_a_destination_is_honoured(cloud):
    """The server goes where the request says."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    for destination in HOSTS[2:3]:
        cloud.evacuate(server_id, destination)
        assert cloud.server(server_id).host == destination


def test_not_yet_conducted(cloud):
    """Until a conductor reads the request there is an accepted record without destination, and no event."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.hold("cast", server_id)
    request = cloud.nova.evacuate(server_id, None)
    record = cloud.record(server_id, SOURCE)
    (attempt,) = cloud.nova.attempts(server_id)
    assert cloud.where(server_id) == ("REBUILD", "rebuilding", SOURCE)
    assert (record.status, record.destination, record.is_open) == ("accepted", None, True)
    assert (attempt.request_id, attempt.events, attempt.is_over) == (request, (), False)
    cloud.release("cast", server_id)
    cloud.until(lambda: cloud.is_over(server_id, request))
    assert cloud.record(server_id, SOURCE).status == "done"


def test_the_requested_destination_is_in_the_record(cloud):
    """A record that is only accepted names the destination that was asked for."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.hold("cast", server_id)
    cloud.nova.evacuate(server_id, OTHER)
    record = cloud.record(server_id, SOURCE)
    assert (record.status, record.destination) == ("accepted", OTHER)


def test_under_way(cloud):
    """While the guest starts the record is pre-migrating with its destination; the host is the source."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.hold("spawn", server_id)
    request = cloud.nova.evacuate(server_id, None)
    cloud.until(lambda: cloud.are_held("spawn", server_id))
    record = cloud.record(server_id, SOURCE)
    (attempt,) = cloud.nova.attempts(server_id)
    assert cloud.where(server_id) == ("REBUILD", "rebuild_spawning", SOURCE)
    assert (record.status, record.is_open) == ("pre-migrating", True)
    assert record.destination in HOSTS[1:]
    assert {event.name: event.result for event in attempt.events} == {
        "rebuild_server": "Success",
        "compute_rebuild_instance": None,
    }
    assert cloud.running_on(server_id) == []
    cloud.release("spawn", server_id)
    cloud.until(lambda: cloud.is_over(server_id, request))
    assert cloud.server(server_id).host == record.destination


def test_almost_done_looks_like_not_begun(cloud):
    """Near its end the server is ACTIVE without a task on its old host; only the record tells."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.hold("finish", server_id)
    cloud.nova.evacuate(server_id, None)
    cloud.until(lambda: cloud.are_held("finish", server_id))
    assert cloud.where(server_id) == ("ACTIVE", None, SOURCE)
    assert cloud.record(server_id, SOURCE).status == "pre-migrating"
    assert cloud.running_on(server_id) == [cloud.record(server_id, SOURCE).destination]


def test_a_second_request_doubles_the_guest(cloud):
    """A second request during an evacuation is accepted, and the guest runs twice: the trap (nova.md 0.1)."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.hold("finish", server_id)
    cloud.nova.evacuate(server_id, HOSTS[1])
    cloud.until(lambda: cloud.are_held("finish", server_id))
    cloud.nova.evacuate(server_id, HOSTS[2])
    cloud.until(lambda: sorted(cloud.running_on(server_id)) == [HOSTS[1], HOSTS[2]])
    assert len(cloud.records(server_id, SOURCE)) == 2
    assert len(cloud.nova.attempts(server_id)) == 2


def test_records_over_several_pages(cloud):
    """Every record of a host is listed, oldest first, over several pages."""
    servers = cloud.add_servers(SOURCE, ["stopped"] * 5)
    cloud.lose(SOURCE)
    cloud.hold("cast", *servers)
    for server_id in servers:
        cloud.nova.evacuate(server_id, None)
    records = cloud.nova.evacuations(SOURCE)
    assert [record.server_id for record in records] == servers
    assert {record.status for record in records} == {"accepted"}


def test_a_host_that_is_up(cloud):
    """Nova refuses while it sees the source as up, and nothing has changed then."""
    server_id = cloud.add_server(SOURCE)
    with pytest.raises(StillInUse):
        cloud.nova.evacuate(server_id, None)
    assert cloud.where(server_id) == ("ACTIVE", None, SOURCE)
    assert cloud.records(server_id, SOURCE) == ()


def test_a_host_whose_heartbeats_ended(cloud):
    """Without force-down too Nova accepts as soon as the last heartbeat is long ago."""
    server_id = cloud.add_server(SOURCE)
    cloud.power_off(SOURCE)
    with pytest.raises(StillInUse):
        cloud.nova.evacuate(server_id, None)
    cloud.let_heartbeat_be_old(SOURCE)
    cloud.evacuate(server_id)
    assert cloud.record(server_id, SOURCE).status == "done"


def test_after_the_end_a_request_is_refused(cloud):
    """A request after the success is refused, because the server's host is now one that is up."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.evacuate(server_id)
    with pytest.raises(StillInUse):
        cloud.nova.evacuate(server_id, None)


def test_an_unknown_destination(cloud):
    """A destination that Nova does not know is refused, and nothing has changed then."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    with pytest.raises(NotFound):
        cloud.nova.evacuate(server_id, "no-such-host")
    assert cloud.where(server_id) == ("ACTIVE", None, SOURCE)


def test_the_source_as_destination(cloud):
    """The source itself is refused as destination."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    with pytest.raises(RequestRefused) as refused:
        cloud.nova.evacuate(server_id, SOURCE)
    assert refused.value.status == 400
    assert not isinstance(refused.value, StillInUse)


def test_a_server_that_is_gone(cloud):
    """A deleted server, and one that never was, are not found."""
    server_id = cloud.add_server(SOURCE)
    cloud.delete_server(server_id)
    cloud.lose(SOURCE)
    for missing in (server_id, NOBODY):
        with pytest.raises(NotFound):
            cloud.nova.evacuate(missing, None)


def test_a_paused_server(cloud):
    """A paused server is answered with 409, which counts as ambiguous; nothing has changed then."""
    server_id = cloud.add_server(SOURCE, "paused")
    cloud.lose(SOURCE)
    with pytest.raises(AmbiguousAnswer):
        cloud.nova.evacuate(server_id, None)
    assert cloud.where(server_id) == ("PAUSED", None, SOURCE)
    assert cloud.records(server_id, SOURCE) == ()
    assert cloud.nova.attempts(server_id) == ()


def test_a_paused_server_after_reset_state(cloud):
    """After reset-state the same server is evacuated and comes back ACTIVE (nova.md 5)."""
    server_id = cloud.add_server(SOURCE, "paused")
    cloud.lose(SOURCE)
    cloud.nova.reset_to_error(server_id)
    cloud.evacuate(server_id)
    assert cloud.where(server_id)[:2] == ("ACTIVE", None)


def test_deleted_under_way(cloud):
    """A server that is deleted during its evacuation is gone, and so are its records."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.hold("spawn", server_id)
    cloud.nova.evacuate(server_id, None)
    cloud.until(lambda: cloud.are_held("spawn", server_id))
    cloud.delete_server(server_id)
    assert cloud.nova.server(server_id) is None
    assert cloud.nova.evacuations(SOURCE) == ()
    cloud.release("spawn", server_id)
