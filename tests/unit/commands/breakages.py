# SPDX-License-Identifier: Apache-2.0
"""Ways to break a sound deployment, each in exactly one thing, and what doctor must find then."""

from __future__ import annotations

from nova_ha.clock import format_time
from nova_ha.commands.facts import AccessFacts, Program
from nova_ha.commands.finding import ERROR, NOTE, WARNING
from nova_ha.model import ServerGroup
from tests.unit.commands.deployment import NOW, a_server

LEVEL = ".//fencing-level[@target='compute-0']"
LONG_AGO, JUST_NOW = format_time(NOW - 7200), format_time(NOW - 20)


def break_level_without_record(sound):
    """fence_compute is not in a node's level."""
    sound.set(LEVEL, devices="ipmi-compute-0")


def break_no_level(sound):
    """A node has no level."""
    sound.remove(LEVEL)


def break_level_record_first(sound):
    """The record device comes first."""
    sound.set(LEVEL, devices="fence-nova,ipmi-compute-0")


def break_level_unknown_device(sound):
    """A level names a device that does not exist."""
    sound.set(LEVEL, devices="ipmi-gone,fence-nova")


def break_watchdog(sound):
    """A compute node counts as reset by its watchdog when its power device fails."""
    sound.property("stonith-watchdog-timeout", "15s")
    sound.set(LEVEL, devices="ipmi-compute-0,fence-nova,watchdog")


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


def break_host_list(sound):
    """The record device does not name a compute node."""
    sound.parameter("fence-nova", "pcmk_host_list", "compute-0")


def break_host_list_extra(sound):
    """The record device names a node that is none."""
    sound.parameter("fence-nova", "pcmk_host_list", "compute-0 compute-1 compute-7")


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


def break_host_name(sound):
    """A node is no host of Nova, and the host no node."""
    sound.services = [s for s in sound.services if s.host != "compute-1"]
    sound.service("compute-9.example.org")


def break_unknown_host(sound):
    """A host of Nova is no node of the cluster."""
    sound.service("compute-9")


def break_cell(sound):
    """A host's cell is down."""
    sound.service("compute-1", status="UNKNOWN", state=None)
    sound.service("compute-2")
    sound.service("compute-3")


def break_forced_down(sound):
    """A host is forced down by somebody."""
    sound.service("compute-1", state="down", forced_down=True)


def break_left_forced_down(sound):
    """A host is still forced down by nova-ha, and has no record."""
    reason = "nova-ha: fenced 2026-01-01T00:00:00Z"
    sound.service("compute-1", state="down", status="disabled", forced_down=True, disabled_reason=reason)


def break_left_disabled(sound):
    """A host is still disabled by nova-ha, and has no record."""
    reason = "nova-ha: fenced 2026-01-01T00:00:00Z"
    sound.service("compute-1", status="disabled", disabled_reason=reason)


def break_silent(sound):
    """A nova-compute does not report although its node is online."""
    sound.service("compute-1", state="down")


def break_disabled(sound):
    """An operator has disabled a host."""
    sound.service("compute-1", status="disabled", disabled_reason="new memory")


def break_down_time(sound):
    """Nova notices late that a nova-compute is silent."""
    sound.service("compute-1", updated_at=format_time(NOW - 200))


def break_open_record(sound):
    """A recovery does not get on."""
    sound.attribute("compute-0", "nova-ha-fenced", f"fenced {LONG_AGO}")


def break_fresh_record(sound):
    """A recovery is under way."""
    sound.attribute("compute-0", "nova-ha-fenced", f"fenced {JUST_NOW}")


def break_closed_record(sound):
    """A host is on its way back."""
    sound.attribute("compute-0", "nova-ha-fenced", f"fenced {JUST_NOW}")
    sound.attribute("compute-0", "nova-ha-evacuated", JUST_NOW)


def break_record_of_nobody(sound):
    """A controller has a record."""
    sound.attribute("controller-0", "nova-ha-fenced", f"fenced {JUST_NOW}")


def break_not_recovered(sound):
    """Servers of an earlier recovery wait for an admin."""
    sound.attribute("compute-0", "nova-ha-state", "up: not recovered: 1234")


def break_mark_alone(sound):
    """A mark has lost its record."""
    sound.attribute("compute-0", "nova-ha-evacuated", LONG_AGO)


def break_credentials(sound):
    """The evacuator's password is wrong."""
    sound.facts["access"] = (AccessFacts("nova-evacuate", problem="Keystone: 401; check user, password"),)


def break_rights(sound):
    """The credentials may not evacuate."""
    sound.facts["access"] = (AccessFacts("nova-evacuate", refused=("may not evacuate servers: 403",)),)


def break_access_rules(sound):
    """The application credential's rules forget a call."""
    uncovered = ("PUT /v2.1/os-services/*",)
    sound.facts["access"] = (AccessFacts("nova-evacuate", uncovered=uncovered),)


def break_role(sound):
    """The role is another one than admin."""
    sound.facts["access"] = (AccessFacts("nova-evacuate", roles=frozenset({"member"})),)


def break_plain_secret(sound):
    """The password stands in the cluster's configuration."""
    sound.facts["access"] = (AccessFacts("fence-nova", "stonith:fence_compute", plain=("password",)),)


def break_conductor(sound):
    """No conductor is up."""
    sound.nova["has_conductor"] = False


def break_clock(sound):
    """The clocks differ."""
    sound.nova["clock_offset"] = -42.0


def break_old_nova(sound):
    """Nova is too old."""
    sound.nova["microversion"] = (2, 65)


def break_unlisted(sound):
    """Nova does not say what runs on a host."""
    sound.nova["unlisted"] = {"compute-1": "HTTP 500"}


def break_agent(sound):
    """An agent is missing."""
    sound.facts["programs"] = (Program("/usr/sbin/fence_compute", problem="it is not there"),)


def break_foreign_agent(sound):
    """The agent is that of the package fence-agents."""
    sound.facts["programs"] = (Program("/usr/sbin/fence_compute", is_ours=False),)


def break_paused(sound):
    """A guest is paused."""
    sound.nova["servers"] = {"compute-0": (a_server("web", status="PAUSED", vm_state="paused"),)}


def break_vtpm(sound):
    """A guest has an emulated TPM."""
    sound.nova["servers"] = {"compute-0": (a_server("vault", has_vtpm=True),)}


def break_affinity(sound):
    """A guest is bound to its host by its group."""
    sound.nova["servers"] = {"compute-0": (a_server("a"),)}
    sound.nova["groups"] = (ServerGroup("g", "affinity", frozenset({"id-a", "id-b"})),)


def break_anti_affinity(sound):
    """A group has as many members as there are hosts."""
    sound.nova["servers"] = {"compute-0": (a_server("a"),), "compute-1": (a_server("b"),)}
    sound.nova["groups"] = (ServerGroup("g", "anti-affinity", frozenset({"id-a", "id-b"})),)


CASES = (
    (break_level_without_record, "fencing-level", "compute-0", WARNING, "fence_compute is not in it"),
    (break_no_level, "fencing-level", "compute-0", ERROR, "no fencing level"),
    (break_level_record_first, "fencing-level", "compute-0", ERROR, "fence-nova, switches nothing off"),
    (break_level_unknown_device, "fencing-level", "compute-0", ERROR, "ipmi-gone does not exist"),
    (break_watchdog, "watchdog", "watchdog", ERROR, "counts as the fencing of compute-0, but"),
    (break_stonith, "stonith-enabled", "cluster", ERROR, "fencing is off"),
    (break_maintenance, "maintenance-mode", "cluster", WARNING, "nothing is started, stopped or fenced"),
    (break_recheck, "cluster-recheck-interval", "cluster", WARNING, "not set (15 min)"),
    (break_recheck_zero, "cluster-recheck-interval", "cluster", WARNING, "0: "),
    (break_quorum, "pacemaker", "cluster", ERROR, "no quorum"),
    (break_controller, "pacemaker", "controller-2", WARNING, "offline"),
    (break_host_list, "record-device", "fence-nova", ERROR, "lacks compute-1"),
    (break_host_list_extra, "record-device", "fence-nova", WARNING, "names compute-7"),
    (break_record_only, "record-device", "fence-nova", WARNING, "record_only=0"),
    (break_provides, "unfencing", "fence-nova", WARNING, "does not provide unfencing"),
    (break_requires, "unfencing", "nova-compute", WARNING, "does not wait for unfencing"),
    (break_evacuator_place, "location", "nova-evacuate", ERROR, "compute-0, compute-1"),
    (break_compute_place, "location", "nova-compute", WARNING, "controller-0, controller-1, controller-2"),
    (break_gate, "gate", "nova-compute", WARNING, "while their recovery is open"),
    (break_thorough_monitor, "monitor", "nova-compute", WARNING, "OCF_CHECK_LEVEL=10"),
    (break_thorough_monitor_disabled, "monitor", "nova-compute", WARNING, "OCF_CHECK_LEVEL=10"),
    (break_stop_timeout, "timeout", "nova-compute", WARNING, "stop has 90 s"),
    (break_default_timeout, "timeout", "nova-evacuate", WARNING, "stop has 20 s"),
    (break_off_timeout, "timeout", "fence-nova", WARNING, "off has 30 s"),
    (break_stonith_timeout, "timeout", "cluster", WARNING, "stonith-timeout=20s"),
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
    (break_unknown_host, "host-name", "compute-9", WARNING, "its death would not be noticed"),
    (break_forced_down, "services", "compute-1", WARNING, "by somebody"),
    (break_left_forced_down, "services", "compute-1", WARNING, "left over from nova-ha"),
    (break_left_disabled, "services", "compute-1", WARNING, "still disabled by nova-ha"),
    (break_silent, "services", "compute-1", WARNING, "does not report"),
    (break_disabled, "services", "compute-1", NOTE, "new memory"),
    (break_down_time, "service-down-time", "compute-1", WARNING, "for 200 s"),
    (break_open_record, "records", "compute-0", WARNING, "its recovery is not complete"),
    (break_fresh_record, "records", "compute-0", NOTE, "its recovery is not complete"),
    (break_closed_record, "records", "compute-0", NOTE, "its return is under way"),
    (break_record_of_nobody, "records", "controller-0", WARNING, "no host of Nova"),
    (break_not_recovered, "records", "compute-0", WARNING, "could not be recovered when it was fenced: 1234"),
    (break_mark_alone, "records", "compute-0", NOTE, "nova-ha-evacuated without a record"),
    (break_credentials, "credentials", "nova-evacuate", ERROR, "401"),
    (break_rights, "rights", "nova-evacuate", ERROR, "may not evacuate"),
    (break_access_rules, "rights", "nova-evacuate", ERROR, "do not cover PUT /v2.1/os-services/*"),
    (break_role, "rights", "nova-evacuate", WARNING, "the roles are member"),
    (break_plain_secret, "plain-secret", "fence-nova", WARNING, "everybody who may read"),
    (break_conductor, "nova", "nova-conductor", WARNING, "evacuations wait"),
    (break_clock, "clocks", "this controller", WARNING, "42 s behind"),
    (break_old_nova, "nova-version", "Nova", ERROR, "2.72 (Nova 19, Stein) is needed"),
    (break_unlisted, "nova", "compute-1", WARNING, "cannot be listed: HTTP 500"),
    (break_agent, "agents", "/usr/sbin/fence_compute", ERROR, "not there"),
    (break_foreign_agent, "agents", "/usr/sbin/fence_compute", ERROR, "another package's"),
    (break_paused, "guests", "web (id-web)", NOTE, "that is paused"),
    (break_vtpm, "guests", "vault (id-vault)", NOTE, "emulated TPM"),
    (break_affinity, "guests", "a (id-a)", NOTE, "hard affinity"),
    (break_anti_affinity, "guests", "server group g", NOTE, "2 members in 2 hosts"),
)
