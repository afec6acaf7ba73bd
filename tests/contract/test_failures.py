# SPDX-License-Identifier: Apache-2.0
"""Evacuations that fail, and what Nova leaves behind (nova.md 2.6 and 4)."""

from __future__ import annotations

import pytest

from nova_ha.decisions.faults import driver_cannot_evacuate
from tests.contract.cloud import HOSTS

pytestmark = pytest.mark.contract

SOURCE, OTHER, THIRD = HOSTS[:3]


def _events(cloud, server_id):
    """Return the events of a server's newest attempt."""
    return {event.name: event.result for event in cloud.nova.attempts(server_id)[-1].events}


def test_no_valid_host(cloud):
    """Without a host to go to the server is ERROR with a fault, the record `error` without destination."""
    server_id = cloud.add_server(SOURCE)
    cloud.use_only(SOURCE)
    cloud.lose(SOURCE)
    cloud.evacuate(server_id)
    cloud.until(lambda: cloud.server(server_id).status == "ERROR")
    record = cloud.record(server_id, SOURCE)
    assert cloud.where(server_id) == ("ERROR", None, SOURCE)
    assert "No valid host" in (cloud.server(server_id).fault or "")
    assert (record.status, record.destination, record.is_open) == ("error", None, False)
    assert _events(cloud, server_id) == {"rebuild_server": "Error"}


def test_a_stopped_server_loses_its_state(cloud):
    """A stopped server in ERROR after NoValidHost comes back ACTIVE; its power state had told."""
    server_id = cloud.add_server(SOURCE, "stopped")
    cloud.use_only(SOURCE)
    cloud.lose(SOURCE)
    cloud.evacuate(server_id)
    cloud.until(lambda: cloud.server(server_id).status == "ERROR")
    assert cloud.server(server_id).power_state == 4
    cloud.nova.enable(cloud.service(OTHER))
    cloud.evacuate(server_id)
    assert cloud.where(server_id) == ("ACTIVE", None, OTHER)
    assert [record.status for record in cloud.records(server_id, SOURCE)] == ["error", "done"]


def test_a_disabled_destination(cloud):
    """A destination that is disabled is accepted, and the scheduler finds no host then."""
    server_id = cloud.add_server(SOURCE)
    cloud.nova.disable(cloud.service(OTHER), "not for this test")
    cloud.lose(SOURCE)
    cloud.evacuate(server_id, OTHER)
    cloud.until(lambda: cloud.server(server_id).status == "ERROR")
    assert cloud.record(server_id, SOURCE).status == "error"


def test_the_guest_does_not_start(cloud):
    """When the guest does not start the record is `failed` with its destination, the server ERROR."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("spawn", server_id)
    cloud.evacuate(server_id, OTHER)
    record = cloud.record(server_id, SOURCE)
    assert cloud.where(server_id) == ("ERROR", None, SOURCE)
    assert cloud.server(server_id).fault
    assert (record.status, record.destination) == ("failed", OTHER)
    assert _events(cloud, server_id) == {"rebuild_server": "Success", "compute_rebuild_instance": "Error"}
    assert cloud.running_on(server_id) == []


def test_a_retry_after_a_failed_start(cloud):
    """After a failed start a second request to another host succeeds, and the fault is not shown any more."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("spawn", server_id)
    cloud.evacuate(server_id, OTHER)
    cloud.mend()
    cloud.evacuate(server_id, THIRD)
    assert cloud.where(server_id) == ("ACTIVE", None, THIRD)
    assert cloud.server(server_id).fault is None
    assert [record.status for record in cloud.records(server_id, SOURCE)] == ["failed", "done"]


@pytest.mark.parametrize(("state", "status"), [("active", "ACTIVE"), ("stopped", "SHUTOFF")])
def test_no_room_at_the_destination(cloud, state, status):
    """When the claim fails the server keeps its state, and the record is `failed` with its destination."""
    server_id = cloud.add_server(SOURCE, state)
    cloud.lose(SOURCE)
    cloud.use_only(OTHER)
    cloud.fail("claim", server_id)
    cloud.evacuate(server_id)
    record = cloud.record(server_id, SOURCE)
    assert cloud.where(server_id) == (status, None, SOURCE)
    assert (record.status, record.destination) == ("failed", OTHER)
    assert _events(cloud, server_id) == {"rebuild_server": "Success", "compute_rebuild_instance": "Error"}


def test_a_driver_that_cannot_evacuate(cloud):
    """Nova accepts the request; the destination, as with ironic, fails before it looks for the guest."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("check", server_id)
    cloud.evacuate(server_id, OTHER)
    record = cloud.record(server_id, SOURCE)
    assert cloud.where(server_id) == ("ERROR", None, SOURCE)
    assert driver_cannot_evacuate(cloud.server(server_id).fault)
    assert cloud.server(server_id).power_state == 1
    assert (record.status, record.destination) == ("failed", OTHER)
    assert cloud.running_on(server_id) == []


def test_a_failure_after_the_start(cloud):
    """After an error behind the start the guest goes on at the destination, and the server is ERROR."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("state", server_id)
    cloud.evacuate(server_id, OTHER)
    record = cloud.record(server_id, SOURCE)
    assert cloud.where(server_id) == ("ERROR", None, SOURCE)
    assert (record.status, record.destination) == ("failed", OTHER)
    assert cloud.running_on(server_id) == [OTHER]


def test_a_retry_to_the_same_destination_is_safe(cloud):
    """A retry to the host where the guest was left fails with "already exists"; no second guest starts."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("state", server_id)
    cloud.evacuate(server_id, OTHER)
    cloud.mend()
    cloud.evacuate(server_id, OTHER)
    assert cloud.where(server_id) == ("ERROR", None, SOURCE)
    assert "already exists" in (cloud.server(server_id).fault or "")
    assert [record.status for record in cloud.records(server_id, SOURCE)] == ["failed", "failed"]
    assert cloud.running_on(server_id) == [OTHER]


def test_a_retry_to_another_destination_doubles_the_guest(cloud):
    """A retry to another host starts a second guest, and Nova sees nothing wrong (nova.md 2.6, R:E30)."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("state", server_id)
    cloud.evacuate(server_id, OTHER)
    cloud.mend()
    cloud.evacuate(server_id, THIRD)
    assert cloud.where(server_id) == ("ACTIVE", None, THIRD)
    assert sorted(cloud.running_on(server_id)) == [OTHER, THIRD]


def test_the_conductor_gives_up(cloud):
    """When the scheduler does not answer, server and record stay as they are; only the event tells."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("schedule", server_id)
    cloud.evacuate(server_id)
    assert cloud.where(server_id) == ("REBUILD", "rebuilding", SOURCE)
    assert cloud.server(server_id).fault is None
    assert cloud.record(server_id, SOURCE).status == "accepted"
    assert _events(cloud, server_id) == {"rebuild_server": "Error"}


def test_a_stale_record_is_completed_first(cloud):
    """A second request completes the stale record of the first and leaves its own `accepted`."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("schedule", server_id)
    cloud.evacuate(server_id)
    cloud.mend()
    request = cloud.evacuate(server_id, OTHER)
    assert cloud.where(server_id) == ("ACTIVE", None, OTHER)
    assert [record.status for record in cloud.records(server_id, SOURCE)] == ["done", "accepted"]
    assert cloud.nova.attempts(server_id)[-1].request_id == request


def test_anti_affinity_is_checked_late(cloud):
    """Two members that were sent to one host at the same time both fail, and both are ERROR (R:E11)."""
    group = cloud.add_group("anti-affinity")
    first = cloud.add_server(SOURCE, group=group)
    second = cloud.add_server(OTHER, group=group)
    cloud.lose(SOURCE)
    cloud.lose(OTHER)
    cloud.hold("check", first, second)
    requests = {server_id: cloud.nova.evacuate(server_id, THIRD) for server_id in (first, second)}
    cloud.until(lambda: cloud.are_held("check", first, second))
    cloud.release("check", first, second)
    cloud.until(lambda: all(cloud.is_over(*pair) for pair in requests.items()))
    assert {cloud.server(server_id).status for server_id in requests} == {"ERROR"}
    assert cloud.record(first, SOURCE).status == cloud.record(second, OTHER).status == "failed"
    assert cloud.running_on(first) == cloud.running_on(second) == []


def test_anti_affinity_one_after_the_other(cloud):
    """Of two members that are evacuated one after the other each finds its own host."""
    group = cloud.add_group("anti-affinity")
    first = cloud.add_server(SOURCE, group=group)
    second = cloud.add_server(OTHER, group=group)
    cloud.lose(SOURCE)
    cloud.lose(OTHER)
    cloud.evacuate(first)
    cloud.evacuate(second)
    assert {cloud.server(first).host, cloud.server(second).host} == set(HOSTS[2:])


def test_hard_affinity(cloud):
    """A member of an affinity group may be only where the group is: it cannot be evacuated (nova.md 4)."""
    server_id = cloud.add_server(SOURCE, group=cloud.add_group("affinity"))
    cloud.lose(SOURCE)
    cloud.evacuate(server_id)
    cloud.until(lambda: cloud.server(server_id).status == "ERROR")
    assert cloud.record(server_id, SOURCE).status == "error"
