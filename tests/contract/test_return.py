# SPDX-License-Identifier: Apache-2.0
"""A host comes back: the only order that Nova allows, and what starting nova-compute destroys (nova.md 3)."""

from __future__ import annotations

import pytest

from nova_ha.errors import StillInUse
from tests.contract.cloud import HOSTS

pytestmark = pytest.mark.contract

SOURCE, OTHER = HOSTS[:2]


def test_the_way_back(cloud):
    """forced_down cannot be cleared while records are done; the restart of nova-compute completes them."""
    servers = cloud.add_servers(SOURCE, ["active", "stopped"])
    cloud.lose(SOURCE)
    for server_id in servers:
        cloud.evacuate(server_id)
    with pytest.raises(StillInUse):
        cloud.nova.clear_forced_down(cloud.service(SOURCE))
    assert cloud.service(SOURCE).forced_down
    cloud.start_compute(SOURCE)
    assert {record.status for record in cloud.nova.evacuations(SOURCE)} == {"completed"}
    assert cloud.service(SOURCE).forced_down
    cloud.nova.clear_forced_down(cloud.service(SOURCE))
    cloud.until(lambda: cloud.service(SOURCE).state == "up")
    cloud.nova.enable(cloud.service(SOURCE))
    assert cloud.service(SOURCE).takes_servers


def test_the_start_removes_guests_that_moved(cloud):
    """At its start nova-compute removes the definitions of guests that were evacuated, and only these."""
    moved = cloud.add_server(SOURCE)
    stayed = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.evacuate(moved, OTHER)
    assert sorted(cloud.defined_on(moved)) == [SOURCE, OTHER]
    cloud.start_compute(SOURCE)
    assert cloud.defined_on(moved) == [OTHER]
    assert cloud.running_on(moved) == [OTHER]
    assert cloud.defined_on(stayed) == [SOURCE]


def test_the_start_destroys_a_guest_that_never_moved(cloud):
    """With an evacuation that was only accepted, the start destroys the guest, and it is nowhere (R:E06b)."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("schedule", server_id)
    cloud.evacuate(server_id)
    cloud.start_compute(SOURCE)
    assert cloud.defined_on(server_id) == []
    assert cloud.record(server_id, SOURCE).status == "completed"
    assert cloud.where(server_id) == ("REBUILD", "rebuilding", SOURCE)


def test_the_start_during_an_evacuation(cloud):
    """A start in the middle completes the record; the success makes it done again, against the return."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.hold("spawn", server_id)
    request = cloud.nova.evacuate(server_id, OTHER)
    cloud.until(lambda: cloud.are_held("spawn", server_id))
    cloud.start_compute(SOURCE)
    assert cloud.record(server_id, SOURCE).status == "completed"
    assert cloud.defined_on(server_id) == []
    cloud.release("spawn", server_id)
    cloud.until(lambda: cloud.is_over(server_id, request))
    assert cloud.record(server_id, SOURCE).status == "done"
    assert cloud.running_on(server_id) == [OTHER]
    with pytest.raises(StillInUse):
        cloud.nova.clear_forced_down(cloud.service(SOURCE))


def test_open_records_do_not_guard(cloud):
    """While an evacuation is under way Nova lets forced_down be cleared: the hole in its guard (R:E05b)."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.hold("spawn", server_id)
    cloud.nova.evacuate(server_id, OTHER)
    cloud.until(lambda: cloud.are_held("spawn", server_id))
    cloud.nova.clear_forced_down(cloud.service(SOURCE))
    assert not cloud.service(SOURCE).forced_down


def test_of_two_records_only_the_newest_is_completed(cloud):
    """Each start completes one record of a server, the newest; with an older one it takes a second start."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.fail("schedule", server_id)
    cloud.evacuate(server_id)
    cloud.mend()
    cloud.evacuate(server_id, OTHER)
    cloud.start_compute(SOURCE)
    assert [record.status for record in cloud.records(server_id, SOURCE)] == ["done", "completed"]
    with pytest.raises(StillInUse):
        cloud.nova.clear_forced_down(cloud.service(SOURCE))
    cloud.power_off(SOURCE)
    cloud.start_compute(SOURCE)
    assert {record.status for record in cloud.records(server_id, SOURCE)} == {"completed"}
    cloud.nova.clear_forced_down(cloud.service(SOURCE))


def test_a_server_that_was_not_evacuated(cloud):
    """A server that stayed is not started by nova-compute, and keeps its host."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.start_compute(SOURCE)
    cloud.nova.clear_forced_down(cloud.service(SOURCE))
    assert cloud.running_on(server_id) == []
    assert cloud.server(server_id).host == SOURCE


def test_there_and_back_again(cloud):
    """A host that came back takes servers; it can be evacuated a second time, old records stay completed."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.evacuate(server_id, OTHER)
    cloud.start_compute(SOURCE)
    cloud.nova.clear_forced_down(cloud.service(SOURCE))
    cloud.until(lambda: cloud.service(SOURCE).state == "up")
    cloud.nova.enable(cloud.service(SOURCE))
    assert cloud.service(SOURCE).takes_servers
    cloud.lose(OTHER)
    cloud.evacuate(server_id, SOURCE)
    assert cloud.where(server_id) == ("ACTIVE", None, SOURCE)
    assert cloud.record(server_id, SOURCE).status == "completed"
    assert cloud.record(server_id, OTHER).status == "done"


@pytest.mark.parametrize("state", ["active", "error"])
def test_a_start_on_its_own_host_shows_and_ends(cloud, state):
    """A hard reboot shows as soon as Nova has answered; at its end the server runs, and no task is left."""
    server_id = cloud.add_server(SOURCE, state)
    cloud.lose(SOURCE)
    cloud.start_compute(SOURCE)
    cloud.nova.clear_forced_down(cloud.service(SOURCE))
    cloud.until(lambda: cloud.service(SOURCE).state == "up")
    cloud.nova.hard_reboot(server_id)
    at_once = cloud.server(server_id)
    assert (at_once.task_state or "").startswith("reboot") or at_once.vm_state == "active"
    cloud.until(lambda: cloud.server(server_id).task_state is None)
    found = cloud.server(server_id)
    assert (found.vm_state, found.power_state, found.host) == ("active", 1, SOURCE)
    assert cloud.running_on(server_id) == [SOURCE]
