# SPDX-License-Identifier: Apache-2.0
"""Ways to break the cluster of a sound deployment, each in exactly one thing, and what doctor must find."""

from __future__ import annotations

from nova_ha.commands.finding import ERROR, WARNING

LEVEL = ".//fencing-level[@target='compute-0']"


def break_level_without_record(sound):
    """fence_compute is not in a node's level."""
    sound.set(LEVEL, devices="ipmi-compute-0")


def break_no_level(sound):
    """A node has no level."""
    sound.remove(LEVEL)


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


def break_stonith(sound):
    """Fencing is off."""
    sound.property("stonith-enabled", "false")


def break_fencing(sound):
    """Fencing is off by the name that the property has since Pacemaker 3.0.2, whatever the old one says."""
    sound.property("fencing-enabled", "false")


def break_maintenance(sound):
    """The cluster is in maintenance."""
    sound.property("maintenance-mode", "true")


def break_recheck(sound):
    """The recheck interval is the default."""
    sound.property("cluster-recheck-interval", None)


def break_recheck_zero(sound):
    """There is no recheck at all."""
    sound.property("cluster-recheck-interval", "0")


def break_quorum(sound):
    """The partition has no quorum."""
    sound.root.set("have-quorum", "0")


def break_controller(sound):
    """A controller is offline."""
    sound.set("status/node_state[@uname='controller-2']", in_ccm="false", crmd="offline")


def break_standby(sound):
    """A compute node is still in standby."""
    sound.attribute("compute-1", "standby", "on")


def break_node_maintenance(sound):
    """A controller is still in maintenance."""
    sound.attribute("controller-1", "maintenance", "true")


def break_connection_disabled(sound):
    """A compute node is still out of the cluster."""
    sound.disable("compute-1")


def break_unmanaged(sound):
    """nova-compute is unmanaged."""
    sound.meta("nova-compute", "is-managed", "false")


def break_resource_maintenance(sound):
    """The record device is in maintenance."""
    sound.meta("fence-nova", "maintenance", "true")


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


def break_evacuator_place(sound):
    """Nothing keeps the evacuator off compute nodes."""
    sound.remove(".//rsc_location[@rsc='nova-evacuate']")


def break_compute_place(sound):
    """Nothing keeps nova-compute off controllers."""
    sound.remove(".//rsc_location[@id='nova-compute-clone-on-compute']")


def break_gate(sound):
    """Nothing keeps nova-compute off a node whose recovery is open."""
    sound.remove(".//rsc_location[@id='nova-compute-gate']")


def break_thorough_monitor(sound):
    """Nobody asks whether nova-compute can work."""
    sound.remove(".//primitive[@id='nova-compute']/operations/op[@interval='60s']")


def break_thorough_monitor_disabled(sound):
    """The monitor that asks it is disabled."""
    sound.set(".//primitive[@id='nova-compute']/operations/op[@interval='60s']", enabled="false")


def break_monitor(sound):
    """Nobody asks whether the evacuator still runs."""
    sound.remove(".//primitive[@id='nova-evacuate']/operations/op[@name='monitor']")


def break_monitor_disabled(sound):
    """The monitor that asks whether nova-compute still runs is disabled."""
    sound.set(".//primitive[@id='nova-compute']/operations/op[@interval='10s']", enabled="false")


def break_stop_ignored(sound):
    """An evacuator that does not stop counts as stopped."""
    sound.set(".//primitive[@id='nova-evacuate']/operations/op[@name='stop']", **{"on-fail": "ignore"})


def break_stop_blocked(sound):
    """A nova-compute that does not stop waits for an admin."""
    sound.set(".//primitive[@id='nova-compute']/operations/op[@name='stop']", **{"on-fail": "block"})


def break_inline_timeout(sound):
    """The recovery runs inside of the fencing action, which is too short for it."""
    sound.remove(".//resources/primitive[@id='nova-evacuate']")
    sound.parameter("fence-nova", "record_only", "0")


def break_stop_timeout(sound):
    """nova-compute has too little time to stop."""
    sound.set(".//primitive[@id='nova-compute']/operations/op[@name='stop']", timeout="90s")


def break_default_timeout(sound):
    """An operation of the evacuator has Pacemaker's default."""
    sound.remove(".//primitive[@id='nova-evacuate']/operations/op[@name='stop']")


def break_off_timeout(sound):
    """The action off is killed before it gives up."""
    sound.parameter("fence-nova", "pcmk_off_timeout", "30s")


def break_stonith_timeout(sound):
    """Fencing has too little time."""
    sound.property("stonith-timeout", "20s")


def break_fencing_timeout(sound):
    """Fencing has too little time, by the new name of the property."""
    sound.property("fencing-timeout", "20s")


def break_remote_monitor(sound):
    """A connection is not watched."""
    sound.remove(".//primitive[@id='compute-1']/operations/op[@name='monitor']")


def break_no_evacuator(sound):
    """There is no evacuator."""
    sound.remove(".//resources/primitive[@id='nova-evacuate']")


def break_evacuator_disabled(sound):
    """The evacuator is disabled."""
    block = ".//primitive[@id='nova-evacuate']/meta_attributes/nvpair[@name='resource-stickiness']"
    sound.set(block, name="target-role", value="Stopped")


def break_evacuator_down(sound):
    """The evacuator runs nowhere."""
    sound.remove("status/node_state[@uname='controller-1']/lrm//lrm_resource[@id='nova-evacuate']")


def break_evacuator_degraded(sound):
    """The evacuator says that something is stuck."""
    path = "status/node_state[@uname='controller-1']//lrm_rsc_op[@id='nova-evacuate_monitor_10000']"
    sound.set(path, **{"rc-code": "190", "exit-reason": "host compute-1: held (its cell is down)"})


def break_failed_action(sound):
    """A start has failed."""
    path = "status/node_state[@uname='compute-1']//lrm_resource[@id='nova-compute']/lrm_rsc_op"
    sound.remove(f"{path}[@operation='monitor']")
    sound.set(path, **{"rc-code": "5", "exit-reason": "not installed on this node"})


def break_degraded_compute(sound):
    """A unit of nova-compute would start at boot."""
    path = "status/node_state[@uname='compute-1']//lrm_resource[@id='nova-compute']/lrm_rsc_op"
    reason = "nova-compute.service is enabled; run: systemctl disable nova-compute; else systemd starts it"
    sound.set(f"{path}[@operation='monitor']", **{"rc-code": "190", "exit-reason": reason})


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


def break_old_agent(sound):
    """The old agent that evacuates is still there."""
    sound.set(".//primitive[@id='ipmi-controller-2']", type="fence_evacuate")


CASES = (
    (break_level_without_record, "fencing-level", "compute-0", WARNING, "fence_compute is not in it"),
    (break_no_level, "fencing-level", "compute-0", ERROR, "no fencing level"),
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
    (break_stonith, "stonith-enabled", "cluster", ERROR, "fencing is off"),
    (break_fencing, "stonith-enabled", "cluster", ERROR, "fencing is off"),
    (break_maintenance, "maintenance-mode", "cluster", WARNING, "nothing is started, stopped or fenced"),
    (break_recheck, "cluster-recheck-interval", "cluster", WARNING, "not set (15 min)"),
    (break_recheck_zero, "cluster-recheck-interval", "cluster", WARNING, "0: "),
    (break_quorum, "pacemaker", "cluster", ERROR, "no quorum"),
    (break_controller, "pacemaker", "controller-2", WARNING, "offline"),
    (break_standby, "pacemaker", "compute-1", WARNING, "in standby"),
    (break_node_maintenance, "pacemaker", "controller-1", WARNING, "in maintenance"),
    (break_connection_disabled, "resources", "compute-1", WARNING, "nobody watches this node"),
    (break_unmanaged, "resources", "nova-compute", WARNING, "unmanaged"),
    (break_resource_maintenance, "resources", "fence-nova", WARNING, "unmanaged"),
    (break_host_list, "record-device", "fence-nova", ERROR, "lacks compute-1"),
    (break_host_list_extra, "record-device", "fence-nova", WARNING, "names compute-7"),
    (break_no_host_list, "record-device", "fence-nova", WARNING, "fencing waits for Nova"),
    (break_host_map, "record-device", "fence-nova", ERROR, "lacks compute-1"),
    (break_record_only, "record-device", "fence-nova", WARNING, "record_only=0"),
    (break_provides, "unfencing", "fence-nova", WARNING, "does not provide unfencing"),
    (break_requires, "unfencing", "nova-compute", WARNING, "does not wait for unfencing"),
    (break_evacuator_place, "location", "nova-evacuate", ERROR, "compute-0, compute-1"),
    (break_compute_place, "location", "nova-compute", WARNING, "controller-0, controller-1, controller-2"),
    (break_gate, "gate", "nova-compute", WARNING, "while their recovery is open"),
    (break_thorough_monitor, "monitor", "nova-compute", WARNING, "OCF_CHECK_LEVEL=10"),
    (break_thorough_monitor_disabled, "monitor", "nova-compute", WARNING, "OCF_CHECK_LEVEL=10"),
    (break_monitor, "monitor", "nova-evacuate", WARNING, "no plain monitor"),
    (break_monitor_disabled, "monitor", "nova-compute", WARNING, "no plain monitor"),
    (break_stop_ignored, "on-fail", "nova-evacuate", ERROR, "may run twice"),
    (break_stop_blocked, "on-fail", "nova-compute", WARNING, "until somebody cleans it up"),
    (break_inline_timeout, "timeout", "fence-nova", WARNING, "off has 120 s, in which it is to recover"),
    (break_stop_timeout, "timeout", "nova-compute", WARNING, "stop has 90 s"),
    (break_default_timeout, "timeout", "nova-evacuate", WARNING, "stop has 20 s"),
    (break_off_timeout, "timeout", "fence-nova", WARNING, "off has 30 s"),
    (break_stonith_timeout, "timeout", "cluster", WARNING, "stonith-timeout=20s"),
    (break_fencing_timeout, "timeout", "cluster", WARNING, "fencing-timeout=20s"),
    (break_remote_monitor, "timeout", "compute-1", WARNING, "not watched"),
    (break_no_evacuator, "resources", "ocf:openstack:NovaEvacuate", ERROR, "nobody recovers"),
    (break_evacuator_disabled, "resources", "nova-evacuate", ERROR, "disabled"),
    (break_evacuator_down, "evacuator", "nova-evacuate", ERROR, "runs nowhere"),
    (break_evacuator_degraded, "evacuator", "nova-evacuate", WARNING, "its cell is down"),
    (break_failed_action, "failed-action", "nova-compute on compute-1", WARNING, "start failed: not inst"),
    (break_degraded_compute, "failed-action", "nova-compute on compute-1", WARNING, "service is enabled"),
    (
        break_power_device,
        "fencing-level",
        "compute-0",
        ERROR,
        "runs nowhere: its start failed on controller-1",
    ),
    (break_power_device_disabled, "fencing-level", "compute-0", ERROR, "ipmi-compute-0 is disabled"),
    (break_record_device, "record-device", "fence-nova", ERROR, "controller-1: no such cloud"),
    (break_old_agent, "old-agents", "ipmi-controller-2", WARNING, "fence_evacuate"),
)
