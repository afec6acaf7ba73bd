# SPDX-License-Identifier: Apache-2.0
"""The commands that doctor proposes fit what was broken, and deployments that are sound in another way."""

from __future__ import annotations

import pytest

from tests.unit.commands import breakages, breakages_of_fencing
from tests.unit.commands.deployment import findings, the_finding


@pytest.mark.parametrize("name", ["fencing", "stonith"])
def test_fix_of_fencing_that_is_off(sound, name):
    """The property is set by the name that this Pacemaker has it by."""
    sound.property(f"{name}-enabled", "false")
    assert f"pcs property set {name}-enabled=true" == the_finding(sound).fix


@pytest.mark.parametrize(
    ("break_it", "fix"),
    [
        (breakages.break_standby, "pcs node unstandby compute-1"),
        (breakages.break_node_maintenance, "pcs node unmaintenance controller-1"),
        (breakages.break_connection_disabled, "pcs resource enable compute-1"),
        (breakages.break_unmanaged, "pcs resource meta nova-compute is-managed=true"),
        (breakages.break_resource_maintenance, "pcs stonith meta fence-nova maintenance=false"),
    ],
)
def test_fix_of_maintenance_that_was_forgotten(sound, break_it, fix):
    """Each kind of maintenance has its own way back."""
    break_it(sound)
    assert fix == the_finding(sound).fix


@pytest.mark.parametrize(
    ("break_it", "fix"),
    [
        (breakages.break_monitor, "pcs resource op add nova-evacuate monitor interval=10s timeout=30s"),
        (breakages.break_monitor_disabled, "pcs resource manage nova-compute --monitor"),
        (breakages.break_thorough_monitor_disabled, "pcs resource manage nova-compute --monitor"),
        (
            breakages.break_stop_blocked,
            "pcs resource update nova-compute op stop on-fail=fence timeout=240s",
        ),
        (breakages_of_fencing.break_inline_timeout, "pcs stonith update fence-nova pcmk_off_timeout=900s"),
    ],
)
def test_fix_of_operations(sound, break_it, fix):
    """A monitor is added unless there is one to enable; what else was configured is kept."""
    break_it(sound)
    assert fix == the_finding(sound).fix


def test_time_of_a_recovery_inside_of_the_fencing(sound):
    """What an admin allows the recovery must fit into the action."""
    breakages_of_fencing.break_inline_timeout(sound)
    sound.parameter("fence-nova", "recover_wait", "100s")
    assert [] == findings(sound)
    sound.parameter("fence-nova", "recover_wait", "200")
    assert "pcs stonith update fence-nova pcmk_off_timeout=270s" == the_finding(sound).fix


def test_fix_of_the_nodes_of_the_record_device(sound):
    """What else says which nodes the device is for is put right by the same command."""
    sound.parameter("fence-nova", "pcmk_host_map", "compute-0:a;compute-7:b;compute-1:c")
    fix = 'pcs stonith update fence-nova pcmk_host_list="compute-0 compute-1"'
    assert f'{fix} pcmk_host_map="compute-0:a;compute-1:c"' == the_finding(sound).fix
    sound.parameter("fence-nova", "pcmk_host_map", None)
    sound.parameter("fence-nova", "pcmk_host_check", "dynamic-list")
    assert f"{fix} pcmk_host_check=" == the_finding(sound).fix


def test_map_of_all_nodes(sound):
    """A record device that has a map of all nodes needs no list."""
    sound.parameter("fence-nova", "pcmk_host_list", None)
    sound.parameter("fence-nova", "pcmk_host_map", "compute-0:a;compute-1:c")
    assert [] == findings(sound)


def test_fix_that_restarts_the_compute_services(sound):
    """A change of a parameter of the device that unfences has a price, which is told."""
    price = " (the fix restarts the compute services)"
    breakages_of_fencing.break_host_list(sound)
    assert the_finding(sound).problem.endswith(price)
    breakages_of_fencing.break_provides(sound)
    assert price not in "".join(one.problem for one in findings(sound))


def test_fix_of_a_node_that_nothing_fences(sound):
    """A node without any power device, as with POWER=watchdog, needs one before it can have a level."""
    for node in ("compute-0", "compute-1"):
        sound.remove(f".//primitive[@id='ipmi-{node}']")
        sound.remove(f".//fencing-level[@target='{node}']")
    for found in findings(sound):
        assert ("fencing-level", "nothing fences it") == (found.check, found.problem.partition(":")[0])
        assert found.fix.startswith("run ./040-power-ipmi.sh or ./041-power-redfish.sh, and then ./050-")


def test_fix_that_restarts_nothing(sound):
    """A change of the monitor of the device that unfences has no price."""
    sound.set(".//primitive[@id='fence-nova']/operations/op", timeout="20s")
    found = the_finding(sound)
    assert "pcs stonith update fence-nova op monitor interval=60s timeout=60s" == found.fix
    assert "restarts" not in found.problem


def test_level_that_begins_with_a_look(sound):
    """A device that only looks may come before the one that switches off, and does not stand for it."""
    sound.set(".//primitive[@id='ipmi-controller-0']", id="ping", type="fence_heuristics_ping")
    sound.parameter("ping", "pcmk_host_list", None)
    sound.set(breakages.LEVEL, devices="ping,ipmi-compute-0,fence-nova")
    assert [] == findings(sound)
    sound.set(breakages.LEVEL, devices="ping,fence-nova")
    assert "its first device, ping, switches nothing off" in the_finding(sound).problem


def test_level_with_another_nodes_device(sound):
    """The command that is proposed puts the node's own device in its place, and leaves the others."""
    sound.set(breakages.LEVEL, devices="pdu,ipmi-compute-1,fence-nova")
    sound.set(".//primitive[@id='ipmi-controller-0']", id="pdu", type="fence_apc")
    sound.parameter("pdu", "pcmk_host_list", None)
    sound.parameter("pdu", "pcmk_host_map", "compute-0:3;compute-1:4")
    sound.set(".//fencing-level[@target='compute-1']", devices="pdu,ipmi-compute-1,fence-nova")
    again = "pcs stonith level remove 1 target compute-0 && pcs stonith level add 1 compute-0"
    assert f"{again} pdu ipmi-compute-0 fence-nova" == the_finding(sound).fix
