# SPDX-License-Identifier: Apache-2.0
"""Services, heartbeats, the return of a host (nova.md 1 and 3)."""

from __future__ import annotations

import pytest

from nova_ha.errors import StillInUse
from nova_ha.testing.startup import start_compute, stop_compute


def test_dead_host_is_up_until_its_heartbeat_is_old(host):
    """Without force-down Nova sees a dead host as up for about a minute."""
    host.world.fencing.level = "none"
    host.world.machines.switch_off("compute-0", "power cut")
    host.run(50.0)
    assert host.service.state == "up"
    host.run(12.0)
    assert host.service.state == "down"


def test_forced_down_outranks_heartbeats_and_a_restart(host):
    """A forced-down nova-compute goes on reporting, and a restart changes nothing about the flag."""
    host.nova.tell_down(host.service, "reason")
    before = host.service.updated_at
    host.run(25.0)
    assert (host.service.state, host.service.updated_at > before) == ("down", True)
    stop_compute(host.world.cloud, "compute-0")
    start_compute(host.world.cloud, "compute-0")
    assert host.service.forced_down


def test_updated_at_moves_with_a_put_too(host):
    """A PUT moves updated_at of a dead host as a heartbeat would."""
    host.die()
    before = host.service.updated_at
    host.run(30.0)
    assert host.service.updated_at == before
    host.nova.disable(host.service, "another reason")
    assert host.service.updated_at > before


def test_disable_without_a_reason_erases_it(host):
    """A PUT that sends no reason loses the one that was there."""
    host.nova.disable(host.service, "an operator's")
    host.world.nova.api.update_service("disable", host.service.id, {"status": "disabled"})
    assert host.service.disabled_reason is None


def test_disabling_a_dead_host_that_counts_as_up_blocks(host):
    """Disable before force-down waits for the dead host's answer; both in one request do not."""
    host.world.fencing.level = "none"
    host.world.machines.switch_off("compute-0", "power cut")
    begun = host.world.clock.monotonic()
    host.nova.disable(host.service, "slow")
    assert host.world.clock.monotonic() - begun > 59.0
    begun = host.world.clock.monotonic()
    host.nova.tell_down(host.service, "quick")
    assert host.world.clock.monotonic() - begun < 1.0


def test_down_cell_is_unknown_and_its_lists_are_empty(host):
    """With its cell down a host is UNKNOWN, and has neither servers nor records, with status 200."""
    host.die().evacuate()
    host.world.cloud.cells_down.add("cell1")
    assert (host.service.status, host.service.state) == ("UNKNOWN", None)
    assert (host.nova.servers("compute-0"), host.nova.evacuations("compute-0")) == ((), ())


def test_clearing_forced_down_is_refused_while_records_are_done(host):
    """Only a start of nova-compute moves done to completed; before it Nova answers 400."""
    host.die().evacuate()
    host.run(10.0)
    with pytest.raises(StillInUse):
        host.nova.clear_forced_down(host.service)
    host.world.machines.switch_on("compute-0")
    start_compute(host.world.cloud, "compute-0")
    assert host.records == [("completed", "compute-1")]
    host.nova.clear_forced_down(host.service)
    assert not host.service.forced_down


def test_guard_does_not_cover_open_records(host):
    """Nova lets forced_down be cleared in the middle of an evacuation."""
    host.plan("cast-lost")
    host.die().evacuate()
    host.nova.clear_forced_down(host.service)
    assert not host.service.forced_down


def test_old_nova_has_no_guard(host):
    """Before 24.0.0 forced_down may be cleared at any time."""
    host.world.nova.api.has_guard = False
    host.die().evacuate()
    host.run(10.0)
    host.nova.clear_forced_down(host.service)
    assert not host.service.forced_down


def test_start_with_a_stuck_record_destroys_the_guest_for_good(host):
    """A start completes an accepted record whose evacuation never ran, and the guest is nowhere."""
    host.plan("cast-lost")
    host.die().evacuate()
    host.run(10.0)
    start_compute(host.world.cloud, "compute-0")
    assert host.what() == ["guest web was destroyed on compute-0 and exists nowhere"]
    assert (host.records, host.now.status, host.now.host) == ([("completed", None)], "REBUILD", "compute-0")


def test_start_in_the_middle_lets_done_come_back(host):
    """Completed by a start, then overwritten with done when the evacuation ends: the guard closes again."""
    host.world.cloud.computes["compute-1"].spawn_seconds = 30.0
    host.die().evacuate("compute-1")
    host.run(5.0)
    start_compute(host.world.cloud, "compute-0")
    assert host.records == [("completed", "compute-1")]
    host.run(40.0)
    assert host.records == [("done", "compute-1")]
    with pytest.raises(StillInUse):
        host.nova.clear_forced_down(host.service)


def test_one_start_completes_one_record_of_each_server(host):
    """Of two records of a server a start completes the newest only; the other needs one more start."""
    host.plan("conductor-gives-up", attempt=1)
    host.die().evacuate()
    host.run(5.0)
    host.evacuate()
    host.run(10.0)
    start_compute(host.world.cloud, "compute-0")
    assert sorted(status for status, _ in host.records) == ["completed", "done"]
    stop_compute(host.world.cloud, "compute-0")
    start_compute(host.world.cloud, "compute-0")
    assert [status for status, _ in host.records] == ["completed", "completed"]


def test_interrupted_rebuild_without_a_record_becomes_error(host):
    """A server that is left in a rebuild with no open record is set to ERROR by a start."""
    host.die()
    host.server.task_state = "rebuilding"
    start_compute(host.world.cloud, "compute-0")
    assert (host.now.status, host.now.task_state) == ("ERROR", None)


def test_disabled_and_forced_down_hosts_take_no_servers(host):
    """The scheduler passes over hosts that are disabled or down."""
    host.nova.disable(host.nova.services()[1], "maintenance")
    host.nova.tell_down(host.nova.services()[2], "fenced")
    host.die().evacuate()
    host.run(5.0)
    assert (host.now.status, host.now.fault) == ("ERROR", "No valid host was found.")
