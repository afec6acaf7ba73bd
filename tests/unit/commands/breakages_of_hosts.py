# SPDX-License-Identifier: Apache-2.0
"""Ways to break hosts, records, credentials, Nova and guests of a sound deployment, as in breakages.py."""

from __future__ import annotations

from nova_ha import record
from nova_ha.clock import format_time
from nova_ha.commands.facts import AccessFacts, Program
from nova_ha.commands.finding import ERROR, NOTE, WARNING
from nova_ha.model import ClusterNode, ServerGroup
from tests.unit.commands.deployment import NOW, a_server

LONG_AGO, JUST_NOW = format_time(NOW - 7200), format_time(NOW - 20)


def a_ledger_entry(**different):
    """Return a host that no Pacemaker knows, as the ledger shows it."""
    return ClusterNode("compute-9", is_remote=True, online=False, **different)


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


def break_left_forced_down_and_disabled(sound):
    """The same, and an operator has disabled it during the recovery."""
    words = record.by_hand_reason("root@controller-0", "bad memory", "2026-01-01T00:00:00Z")
    sound.service("compute-1", state="down", status="disabled", forced_down=True, disabled_reason=words)


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


def break_ledger_open(sound):
    """A recovery without Pacemaker was interrupted."""
    sound.facts["ledger"] = (a_ledger_entry(fenced=f"fenced {LONG_AGO}"),)
    reason = f"nova-ha: fenced {LONG_AGO}"
    sound.service("compute-9", state="down", status="disabled", forced_down=True, disabled_reason=reason)
    sound.facts["cluster"] = None


def break_ledger_closed(sound):
    """A host without Pacemaker was recovered, and nobody has returned it."""
    sound.facts["ledger"] = (a_ledger_entry(fenced=f"fenced {JUST_NOW}", evacuated=JUST_NOW),)


def break_ledger_left(sound):
    """Servers of a host without Pacemaker wait for an admin."""
    sound.facts["ledger"] = (a_ledger_entry(state="up: not recovered: 1234"),)


def break_ledger(sound):
    """A file of the ledger is torn."""
    sound.facts["ledger_problem"] = "/var/lib/nova-ha/hosts/compute-9.json: not valid JSON"


def break_lost(sound):
    """Pacemaker has lost a node, and is about to fence it."""
    sound.set("status/node_state[@uname='compute-1']", in_ccm="false")
    lost = "nova-ha: lost 2026-01-01T00:00:00Z"
    sound.service("compute-1", state="down", status="disabled", disabled_reason=lost)


def break_fencing(sound):
    """The power device of a dead node is dead with it; the evacuator does not disable what is lost."""
    sound.set("status/node_state[@uname='compute-1']", in_ccm="false")
    sound.failed_fencings = {"compute-1": "Connection timed out"}


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


def break_own_disks(sound):
    """Guests have disks that may be on their host alone; a volume-backed one may have swap there."""
    disks = (
        {"is_volume_backed": False},
        {"local_disk": True},
        {},
        {"is_volume_backed": False, "launched": False},
    )
    servers = tuple(a_server(f"s{number}", **disk) for number, disk in enumerate(disks))
    sound.nova["servers"] = {"compute-0": servers}


def break_affinity(sound):
    """A guest is bound to its host by its group."""
    sound.nova["servers"] = {"compute-0": (a_server("a"),)}
    sound.nova["groups"] = (ServerGroup("g", "affinity", frozenset({"id-a", "id-b"})),)


def break_anti_affinity(sound):
    """A group has as many members as there are hosts."""
    sound.nova["servers"] = {"compute-0": (a_server("a"),), "compute-1": (a_server("b"),)}
    sound.nova["groups"] = (ServerGroup("g", "anti-affinity", frozenset({"id-a", "id-b"})),)


CASES = (
    (break_unknown_host, "host-name", "compute-9", WARNING, "its death would not be noticed"),
    (break_forced_down, "services", "compute-1", WARNING, "by somebody"),
    (break_left_forced_down, "services", "compute-1", WARNING, "left over from nova-ha"),
    (break_left_forced_down_and_disabled, "services", "compute-1", WARNING, "left over from nova-ha"),
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
    (break_ledger_open, "records", "compute-9", WARNING, "its recovery is not complete"),
    (break_ledger_closed, "records", "compute-9", NOTE, "it has not returned yet"),
    (break_ledger_left, "records", "compute-9", WARNING, "could not be recovered when it was fenced: 1234"),
    (break_ledger, "records", "ledger", WARNING, "not valid JSON"),
    (break_lost, "records", "compute-1", WARNING, "not fenced yet: its servers are not recovered"),
    (break_fencing, "records", "compute-1", ERROR, "its last fencing failed: Connection timed out"),
    (break_credentials, "credentials", "nova-evacuate", ERROR, "401"),
    (break_rights, "rights", "nova-evacuate", ERROR, "may not evacuate"),
    (break_access_rules, "rights", "nova-evacuate", ERROR, "do not cover PUT /v2.1/os-services/*"),
    (break_role, "rights", "nova-evacuate", WARNING, "the roles are member"),
    (break_plain_secret, "plain-secret", "fence-nova", WARNING, "everybody who may read"),
    (break_conductor, "nova", "nova-conductor", WARNING, "evacuations wait"),
    (break_clock, "clocks", "this controller", WARNING, "42 s behind"),
    (break_old_nova, "nova-version", "Nova", ERROR, "2.72 (Nova 19, Stein) is needed"),
    (break_unlisted, "nova", "compute-1", ERROR, "none of them would be recovered: HTTP 500"),
    (break_agent, "agents", "/usr/sbin/fence_compute", ERROR, "not there"),
    (break_foreign_agent, "agents", "/usr/sbin/fence_compute", ERROR, "another package's"),
    (break_paused, "guests", "web (id-web)", NOTE, "that is paused"),
    (break_vtpm, "guests", "vault (id-vault)", NOTE, "emulated TPM"),
    (break_own_disks, "guests", "shared storage", NOTE, "2 servers with a disk that is no volume"),
    (break_affinity, "guests", "a (id-a)", NOTE, "hard affinity"),
    (break_anti_affinity, "guests", "server group g", NOTE, "2 members in 2 hosts"),
)
