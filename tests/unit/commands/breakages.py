# SPDX-License-Identifier: Apache-2.0
"""Ways to break the cluster of a sound deployment, each in exactly one thing, and what doctor must find."""

from __future__ import annotations

from nova_ha.commands.finding import ERROR, WARNING

LEVEL = ".//fencing-level[@target='compute-0']"


def break_no_level(sound):
    """A node has no level."""
    sound.remove(LEVEL)


def break_stonith(sound):
    """Fencing is off."""
    sound.property("stonith-enabled", "false")


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


def break_stop_timeout(sound):
    """nova-compute has too little time to stop."""
    sound.set(".//primitive[@id='nova-compute']/operations/op[@name='stop']", timeout="90s")


def break_default_timeout(sound):
    """An operation of the evacuator has Pacemaker's default."""
    sound.remove(".//primitive[@id='nova-evacuate']/operations/op[@name='stop']")


def break_stonith_timeout(sound):
    """Fencing has too little time."""
    sound.property("stonith-timeout", "20s")


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


def break_old_agent(sound):
    """The old agent that evacuates is still there."""
    sound.set(".//primitive[@id='ipmi-controller-2']", type="fence_evacuate")


CASES = (
    (break_no_level, "fencing-level", "compute-0", ERROR, "no fencing level"),
    (break_stonith, "stonith-enabled", "cluster", ERROR, "fencing is off"),
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
    (break_evacuator_place, "location", "nova-evacuate", ERROR, "compute-0, compute-1"),
    (break_compute_place, "location", "nova-compute", WARNING, "controller-0, controller-1, controller-2"),
    (break_gate, "gate", "nova-compute", WARNING, "while their recovery is open"),
    (break_thorough_monitor, "monitor", "nova-compute", WARNING, "OCF_CHECK_LEVEL=10"),
    (break_thorough_monitor_disabled, "monitor", "nova-compute", WARNING, "OCF_CHECK_LEVEL=10"),
    (break_monitor, "monitor", "nova-evacuate", WARNING, "no plain monitor"),
    (break_monitor_disabled, "monitor", "nova-compute", WARNING, "no plain monitor"),
    (break_stop_ignored, "on-fail", "nova-evacuate", ERROR, "may run twice"),
    (break_stop_blocked, "on-fail", "nova-compute", WARNING, "until somebody cleans it up"),
    (break_stop_timeout, "timeout", "nova-compute", WARNING, "stop has 90 s"),
    (break_default_timeout, "timeout", "nova-evacuate", WARNING, "stop has 20 s"),
    (break_stonith_timeout, "timeout", "cluster", WARNING, "stonith-timeout=20s"),
    (break_remote_monitor, "timeout", "compute-1", WARNING, "not watched"),
    (break_no_evacuator, "resources", "ocf:openstack:NovaEvacuate", ERROR, "nobody recovers"),
    (break_evacuator_disabled, "resources", "nova-evacuate", ERROR, "disabled"),
    (break_evacuator_down, "evacuator", "nova-evacuate", ERROR, "runs nowhere"),
    (break_evacuator_degraded, "evacuator", "nova-evacuate", WARNING, "its cell is down"),
    (break_failed_action, "failed-action", "nova-compute on compute-1", WARNING, "start failed: not inst"),
    (break_degraded_compute, "failed-action", "nova-compute on compute-1", WARNING, "service is enabled"),
    (break_old_agent, "old-agents", "ipmi-controller-2", WARNING, "fence_evacuate"),
)
