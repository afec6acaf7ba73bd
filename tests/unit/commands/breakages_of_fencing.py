# SPDX-License-Identifier: Apache-2.0
"""Ways to break the fencing of compute nodes in a sound deployment, as in breakages.py."""

from __future__ import annotations

from nova_ha.commands.finding import ERROR, WARNING
from tests.unit.commands.breakages import LEVEL


def break_level_without_record(sound):
    """fence_compute is not in a node's level."""
    sound.set(LEVEL, devices="ipmi-compute-0")


def break_level_record_first(sound):
    """The record device comes first."""
    sound.set(LEVEL, devices="fence-nova,ipmi-compute-0")


def break_level_fabric(sound):
    """The device before the record cuts a node off from its disks, and switches nothing off."""
    sound.set(".//primitive[@id='ipmi-compute-0']", type="fence_scsi")


def break_level_unknown_device(sound):
    """A level names a device that does not exist."""
    sound.set(LEVEL, devices="ipmi-gone,fence-nova")


def break_level_device_of_another_node(sound):
    """The power device in a node's level is another node's."""
    sound.set(LEVEL, devices="ipmi-compute-1,fence-nova")


def break_level_device_of_two_nodes(sound):
    """A device that asks nobody which node is meant, and switches one machine, is in two nodes' levels."""
    sound.parameter("ipmi-compute-1", "pcmk_host_list", None)
    sound.set(LEVEL, devices="ipmi-compute-1,fence-nova")


def break_watchdog(sound):
    """A compute node counts as reset by its watchdog when its power device fails."""
    sound.property("stonith-watchdog-timeout", "15s")
    sound.set(LEVEL, devices="ipmi-compute-0,fence-nova,watchdog")


def break_fencing(sound):
    """Fencing is off by the name that the property has since Pacemaker 3.0.2, whatever the old one says."""
    sound.property("fencing-enabled", "false")


def break_host_list(sound):
    """The record device does not name a compute node."""
    sound.parameter("fence-nova", "pcmk_host_list", "compute-0")


def break_host_list_extra(sound):
    """The record device names a node that is none."""
    sound.parameter("fence-nova", "pcmk_host_list", "compute-0 compute-1 compute-7")


def break_no_host_list(sound):
    """Nothing but the agent knows which nodes the record device is for."""
    sound.parameter("fence-nova", "pcmk_host_list", None)


def break_host_map(sound):
    """The record device has a map, and a node is not in it."""
    sound.parameter("fence-nova", "pcmk_host_list", None)
    sound.parameter("fence-nova", "pcmk_host_map", "compute-0:compute-0.example.org")


def break_record_only(sound):
    """The recovery runs inside of the fencing action although there is an evacuator."""
    sound.parameter("fence-nova", "record_only", "0")


def break_provides(sound):
    """The record device provides no unfencing."""
    sound.remove(".//primitive[@id='fence-nova']/meta_attributes/nvpair[@name='provides']")


def break_requires(sound):
    """nova-compute does not wait for unfencing."""
    sound.remove(".//primitive[@id='nova-compute']/meta_attributes/nvpair[@name='requires']")


def break_inline_timeout(sound):
    """The recovery runs inside of the fencing action, which is too short for it."""
    sound.remove(".//resources/primitive[@id='nova-evacuate']")
    sound.parameter("fence-nova", "record_only", "0")


def break_off_timeout(sound):
    """The action off is killed before it gives up."""
    sound.parameter("fence-nova", "pcmk_off_timeout", "30s")


def break_fencing_timeout(sound):
    """Fencing has too little time, by the new name of the property."""
    sound.property("fencing-timeout", "20s")


def break_power_device(sound):
    """A power device could be started nowhere."""
    sound.failure("ipmi-compute-0", "controller-1", "1", "login failed")


def break_power_device_disabled(sound):
    """A power device is disabled."""
    sound.disable("ipmi-compute-0")


def break_record_device(sound):
    """The record device could be started nowhere."""
    sound.remove("status//lrm_resource[@id='fence-nova']")
    sound.failure("fence-nova", "controller-1", "1", "no such cloud")


CASES = (
    (break_level_without_record, "fencing-level", "compute-0", WARNING, "fence_compute is not in it"),
    (break_level_record_first, "fencing-level", "compute-0", ERROR, "fence-nova, switches nothing off"),
    (break_level_fabric, "fencing-level", "compute-0", ERROR, "ipmi-compute-0, switches nothing off"),
    (break_level_unknown_device, "fencing-level", "compute-0", ERROR, "ipmi-gone does not exist"),
    (
        break_level_device_of_another_node,
        "fencing-level",
        "compute-0",
        ERROR,
        "ipmi-compute-1 is for compute-1:",
    ),
    (
        break_level_device_of_two_nodes,
        "fencing-level",
        "ipmi-compute-1",
        ERROR,
        "in the levels of compute-0, compute-1:",
    ),
    (break_watchdog, "watchdog", "watchdog", ERROR, "counts as the fencing of compute-0, but"),
    (break_fencing, "stonith-enabled", "cluster", ERROR, "fencing is off"),
    (break_host_list, "record-device", "fence-nova", ERROR, "lacks compute-1"),
    (break_host_list_extra, "record-device", "fence-nova", WARNING, "names compute-7"),
    (break_no_host_list, "record-device", "fence-nova", WARNING, "fencing waits for Nova"),
    (break_host_map, "record-device", "fence-nova", ERROR, "lacks compute-1"),
    (break_record_only, "record-device", "fence-nova", WARNING, "record_only=0"),
    (break_provides, "unfencing", "fence-nova", WARNING, "does not provide unfencing"),
    (break_requires, "unfencing", "nova-compute", WARNING, "does not wait for unfencing"),
    (break_inline_timeout, "timeout", "fence-nova", WARNING, "off has 120 s, in which it is to recover"),
    (break_off_timeout, "timeout", "fence-nova", WARNING, "off has 30 s"),
    (break_fencing_timeout, "timeout", "cluster", WARNING, "fencing-timeout=20s"),
    (
        break_power_device,
        "fencing-level",
        "compute-0",
        ERROR,
        "runs nowhere: its start failed on controller-1",
    ),
    (break_power_device_disabled, "fencing-level", "compute-0", ERROR, "ipmi-compute-0 is disabled"),
    (break_record_device, "record-device", "fence-nova", ERROR, "controller-1: no such cloud"),
)
