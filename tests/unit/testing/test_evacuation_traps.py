# SPDX-License-Identifier: Apache-2.0
"""What a client may meet after a request that Nova accepted (nova.md 0, 2.4 to 2.6)."""

from __future__ import annotations

import pytest

from nova_ha.errors import RequestRefused, StillInUse


def test_one_evacuation(host):
    """An evacuation of a dead host's server goes through every record state and ends on another host."""
    host.die().evacuate()
    seen = []
    for _ in range(50):
        host.run(0.1)
        seen += [status for status, _ in host.records if status not in seen]
    assert seen == ["accepted", "pre-migrating", "done"]
    assert (host.now.host, host.now.status, host.now.task_state) == ("compute-1", "ACTIVE", None)
    assert host.world.violations == []


def test_second_evacuate_is_accepted_and_doubles_the_guest(host):
    """A naive second request during the first one is accepted and ends in two live copies."""
    host.die().evacuate()
    host.run(1.0)
    host.evacuate()
    host.run(10.0)
    assert host.world.nova.api.posts == 2
    assert host.what() == [
        "second evacuate of web while one runs",
        "guest web runs on compute-1 and compute-2",
    ]
    assert host.now.status == "ERROR"


def test_second_evacuate_at_the_end_leaves_no_error_anywhere(host):
    """A second request in the last moment of the first doubles the guest while all records end as done."""
    host.die().evacuate()
    while (host.now.status, host.records[0][0]) != ("ACTIVE", "pre-migrating") or host.now.task_state:
        host.run(0.02)
    assert host.now.host == "compute-0"
    host.evacuate()
    host.run(10.0)
    assert [status for status, _ in host.records] == ["done", "done"]
    assert host.now.status == "ACTIVE"
    assert "guest web runs on compute-1 and compute-2" in host.what()


def test_active_without_task_on_the_source_while_the_guest_runs_elsewhere(host):
    """Near the end the server's fields look as if nothing had ever been asked for."""
    host.die().evacuate()
    fields = set()
    while host.records != [("done", "compute-1")]:
        host.run(0.05)
        if host.world.cloud.hypervisors.hosts_of(host.server.id) == ["compute-1"]:
            fields.add((host.now.status, host.now.task_state, host.now.host))
    assert ("ACTIVE", None, "compute-0") in fields


def test_oldest_accepted_record_is_taken(host):
    """A repeated request completes the stuck first record and leaves its own accepted for ever."""
    host.plan("conductor-gives-up", attempt=1)
    host.die().evacuate()
    host.run(20.0)
    assert host.records == [("accepted", None)]
    host.evacuate()
    host.run(10.0)
    assert host.records == [("done", "compute-1"), ("accepted", None)]
    assert host.now.host == "compute-1"


def test_conductor_that_gave_up_leaves_an_event(host):
    """Only the instance action tells that nothing was sent to a destination."""
    host.plan("conductor-gives-up")
    host.die().evacuate()
    host.run(600.0)
    assert (host.records, host.now.task_state) == ([("accepted", None)], "rebuilding")
    [attempt] = host.nova.attempts(host.server.id)
    assert [(event.name, event.result) for event in attempt.events] == [("rebuild_server", "Error")]
    assert attempt.is_over


def test_lost_cast_leaves_no_event(host):
    """A message that RabbitMQ lost leaves an action without events, and the record accepted for ever."""
    host.plan("cast-lost")
    request_id = host.die().evacuate()
    host.run(3600.0)
    [attempt] = host.nova.attempts(host.server.id)
    assert (attempt.request_id, attempt.events, attempt.is_over) == (request_id, (), False)
    assert host.records == [("accepted", None)]


def test_late_message_harms_the_server_of_who_did_not_wait(host):
    """A message that was only late runs as well, after a repeated request, and harms the good server."""
    host.plan("late-cast", seconds=100.0, attempt=1)
    host.die().evacuate()
    host.run(50.0)
    host.evacuate("compute-2")
    host.run(20.0)
    assert (host.now.status, host.now.host) == ("ACTIVE", "compute-2")
    host.run(40.0)
    assert (host.now.status, host.now.host) == ("ERROR", "compute-2")
    assert host.what() == ["second evacuate of web while one runs"]


def test_no_valid_host_forgets_that_a_server_was_off(host):
    """NoValidHost makes a stopped server ERROR; only its power state tells, and a retry ends it running."""
    host.server.vm_state, host.server.power_state = "stopped", 4
    host.plan("no-valid-host", attempt=1)
    host.die().evacuate()
    host.run(5.0)
    assert (host.now.status, host.now.power_state, host.records) == ("ERROR", 4, [("error", None)])
    host.evacuate()
    host.run(5.0)
    assert (host.now.status, host.now.host) == ("ACTIVE", "compute-1")


def test_stopped_server_is_booted_and_stopped(host):
    """A stopped server ends stopped on its new host, its guest having lived for a moment."""
    host.server.vm_state, host.server.power_state = "stopped", 4
    host.die().evacuate()
    host.run(5.0)
    assert (host.now.status, host.now.host) == ("SHUTOFF", "compute-1")
    assert len(host.world.log.matching("guest web started")) == 1
    assert len(host.world.log.matching("guest web ended")) == 1


def test_claim_failure_leaves_the_server_as_it_was(host):
    """A failed claim is no ERROR: only the record tells."""
    host.plan("claim-fails")
    host.die().evacuate()
    host.run(5.0)
    assert (host.now.status, host.now.task_state, host.records[0][0]) == ("ACTIVE", None, "failed")


def test_clean_spawn_failure(host):
    """A failed spawn leaves ERROR and no guest."""
    host.plan("spawn-fails")
    host.die().evacuate()
    host.run(5.0)
    assert (host.now.status, host.records) == ("ERROR", [("failed", "compute-1")])
    assert host.world.cloud.hypervisors.hosts_of(host.server.id) == []


def test_late_failure_leaves_the_guest_running(host):
    """After a failure behind the start, the same destination refuses; another one doubles the guest."""
    host.plan("fails-after-spawn", attempt=1)
    host.die().evacuate()
    host.run(5.0)
    assert (host.now.status, host.now.host) == ("ERROR", "compute-0")
    assert host.world.cloud.hypervisors.hosts_of(host.server.id) == ["compute-1"]
    host.evacuate("compute-1")
    host.run(5.0)
    assert "already exists" in host.now.fault
    assert host.world.violations == []
    host.evacuate("compute-2")
    host.run(5.0)
    assert host.what() == ["guest web runs on compute-1 and compute-2"]


def test_destination_that_dies_leaves_the_record_open(host):
    """A destination's death in the middle leaves pre-migrating for ever, and its guest ends."""
    host.die().evacuate()
    host.run(1.7)
    assert host.world.cloud.hypervisors.hosts_of(host.server.id) == ["compute-1"]
    host.world.machines.switch_off("compute-1", "power cut")
    host.run(600.0)
    assert (host.records, host.now.task_state) == ([("pre-migrating", "compute-1")], "rebuild_spawning")
    assert host.world.cloud.hypervisors.hosts_of(host.server.id) == []


def test_stale_message_in_a_dead_destination_harms_the_server_later(host):
    """A message that waited for a dead nova-compute runs when that returns, and harms the good server."""
    host.die()
    host.world.cloud.computes["compute-1"].spawn_seconds = 5.0
    host.evacuate("compute-1")
    host.run(0.16)
    host.world.machines.fencing.level = "none"
    host.world.machines.switch_off("compute-1", "power cut")
    host.run(1.0)
    assert len(host.world.cloud.computes["compute-1"].inbox) == 1
    host.evacuate("compute-2")
    host.run(10.0)
    assert (host.now.status, host.now.host) == ("ACTIVE", "compute-2")
    host.world.machines.switch_on("compute-1")
    host.run(60.0)
    assert host.now.status == "ERROR"


@pytest.mark.parametrize("vm_state", ["paused", "suspended", "rescued", "resized", "building", "shelved"])
def test_states_that_nova_refuses(host, vm_state):
    """Nova evacuates nothing but active, stopped and error."""
    host.server.vm_state = vm_state
    host.die()
    with pytest.raises(Exception, match=f"vm_state {vm_state}"):
        host.evacuate()
    assert host.records == []


def test_deleting_server_is_resurrected(host):
    """Nova accepts to evacuate a server that its owner was deleting."""
    host.server.task_state = "deleting"
    host.die().evacuate()
    host.run(5.0)
    assert host.what() == ["web is resurrected"]


def test_live_host_is_refused(host):
    """A host that Nova sees up cannot be evacuated."""
    with pytest.raises(StillInUse):
        host.evacuate()


def test_same_host_is_refused(host):
    """The source is no destination."""
    host.die()
    with pytest.raises(RequestRefused, match="can't be the same one"):
        host.evacuate("compute-0")


def test_evacuation_of_a_living_host_doubles_its_guests(host):
    """Nova trusts forced_down: on a host that lives the guest runs twice."""
    host.nova.tell_down(host.service, "not true")
    host.evacuate()
    host.run(5.0)
    assert host.what() == ["guest web runs on compute-0 and compute-1"]


def test_deleted_meanwhile(host):
    """A server deleted during its evacuation is gone with its record; its orphan is reaped in time."""
    host.die().evacuate()
    host.run(1.7)
    host.world.delete_server("web")
    host.run(10.0)
    assert (host.now, host.records) == (None, [])
    assert host.world.cloud.hypervisors.hosts_of(host.server.id) == ["compute-1"]
    host.run(1800.0)
    assert host.world.cloud.hypervisors.hosts_of(host.server.id) == []
