# SPDX-License-Identifier: Apache-2.0
"""What is broken, one by one, before nova-ha doctor is asked; a unit test sees that no check is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab.doctor import CLOUDS, Doctor
from tests.lab.node_init import PACEMAKER_SETTINGS
from tests.lab.openstack import names
from tests.lab.openstack.fabric import listens

#: A command for the shell of the doctor's controller, or what else it takes.
Act = str | Callable[[Doctor], None]

_OTHER_API = Path(__file__).parent / "openstack" / "other_api.py"
_SOUND_CLOUDS = f"cat {CLOUDS}.sound > {CLOUDS}"
_AGENT = "/usr/lib/ocf/resource.d/openstack/NovaCompute"
_OLD_AGENT = '#!/bin/sh\\n# nova_ha\\necho "<resource-agent name=\\"NovaCompute\\" version=\\"0.0.1\\"/>"\\n'
_CONTROLLERS = ("controller-0", "controller-1", "controller-2")

_STOP_PACEMAKER = "kill $(cat /run/pacemakerd.pid); while pgrep -x pacemakerd; do sleep 0.2; done"
_SETTINGS = " ".join(f"{name}={value}" for name, value in PACEMAKER_SETTINGS.items())
_START_PACEMAKER = f"{_SETTINGS} setsid pacemakerd </dev/null >/dev/null 2>&1 & echo $! > /run/pacemakerd.pid"

#: As the evacuator leaves a host that it cannot bring back any more, for its record is gone.
_DISABLE = f"""\
from nova_ha.openstack.nova import connect
nova = connect({{"cloud": "lab", "clouds_yaml": "{CLOUDS}"}})
service = next(one for one in nova.services() if one.host == "compute-2")
nova.disable(service, "nova-ha: fenced 2026-01-01T00:00:00Z")
"""

#: A nova-compute that was heard of 200 s ago, on a host that is no node of the cluster.
_STRANGER = """\
INSERT INTO services (created_at, updated_at, last_seen_up, deleted, uuid, host, `binary`, topic,
    report_count, disabled, forced_down, version)
SELECT created_at, UTC_TIMESTAMP() - INTERVAL 200 SECOND, UTC_TIMESTAMP() - INTERVAL 200 SECOND, 0, UUID(),
    'compute-9', `binary`, topic, 1, 0, 0, version
    FROM services WHERE host = 'compute-0' AND `binary` = 'nova-compute'
"""
_NO_STRANGER = "DELETE FROM services WHERE host = 'compute-9'"


@dataclass(frozen=True)
class Breakage:
    """Something that is broken, found as `check` about `subject`, and mended by its own fix.

    Attributes:
        by: name of the function that finds it, see `nova_ha.commands.doctor.CHECKS`.
        check: name of the finding.
        subject: what it is about, as far as the finding's own " (".
        breaking: breaks it.
        mend: mends it where the fix is a sentence or needs an admin's choice; empty to type the fix of the
            finding.
    """

    by: str
    check: str
    subject: str
    breaking: Act
    mend: Act = ""


def _other_api(port: int, microversion: str, ahead: int) -> Callable[[Doctor], None]:
    """Return what lets this controller see the cloud through `other_api`."""

    def act(doctor: Doctor) -> None:
        ports = (str(number) for number in (port, names.KEYSTONE_PORT, names.NOVA_PORT))
        argv = ("/usr/bin/python3", str(_OTHER_API), names.FABRIC, *ports, microversion, str(ahead))
        doctor.lab.popen_fabric(argv, f"other-api-{port}")
        doctor.lab.wait_until("it listens", lambda: listens(doctor.lab, (names.FABRIC, port)))
        doctor.type(f"cp {CLOUDS} {CLOUDS}.sound")
        file = doctor.lab.folder.private(doctor.controller, str(Path(CLOUDS).parent)) / Path(CLOUDS).name
        clouds = json.loads(file.read_text())
        clouds["clouds"]["lab"]["auth"]["auth_url"] = f"http://{names.FABRIC}:{port}/v3"
        clouds["clouds"]["lab"]["interface"] = "internal"
        file.write_text(json.dumps(clouds))

    return act


def _policy(rules: str) -> Callable[[Doctor], None]:
    """Return what gives nova-api a policy file; it looks for one at each request."""

    def act(doctor: Doctor) -> None:
        (doctor.lab.openstack.runner.places.etc / "nova" / "policy.yaml").write_text(rules)

    return act


def _in_database(statement: str) -> Callable[[Doctor], None]:
    """Return what changes Nova's database behind its back."""
    account = (f"--user={names.DATABASE_USER}", f"--password={names.DATABASE_PASSWORD}")
    server = (f"--host={names.FABRIC}", f"--port={names.MARIADB_PORT}")

    def act(doctor: Doctor) -> None:
        doctor.lab.run_fabric("mariadb", "--no-defaults", *server, *account, "nova", "--execute", statement)

    return act


def _service_down_time(before: int, after: int, statement: str) -> Callable[[Doctor], None]:
    """Return what changes nova-api's patience with nova-computes, after a change of the database."""

    def act(doctor: Doctor) -> None:
        openstack = doctor.lab.openstack
        conf = openstack.runner.places.etc / "nova" / "nova.conf"
        text = conf.read_text()
        assert f"service_down_time = {before}\n" in text
        conf.write_text(text.replace(f"service_down_time = {before}\n", f"service_down_time = {after}\n"))
        _in_database(statement)(doctor)
        openstack.stop("nova-api")
        openstack.start("nova-api")

    return act


def _pause_a_server(doctor: Doctor) -> None:
    doctor.lab.openstack.client.boot(1, prefix="paused", state="PAUSED")


def _delete_servers(doctor: Doctor) -> None:
    doctor.lab.openstack.client.delete_all()


def _score(constraint: str, score: str) -> str:
    """Return the command that changes a constraint; with a score that may be outweighed it is no ban."""
    return f"""cibadmin --modify --xml-text '<rule id="{constraint}-rule" score="{score}"/>'"""


BREAKAGES = {
    # This machine.
    "agent of another version": Breakage(
        "programs",
        "agents",
        _AGENT,
        f"printf '{_OLD_AGENT}' > /run/old; chmod 755 /run/old; mount --bind /run/old {_AGENT}",
        mend=f"umount {_AGENT}",
    ),
    # Credentials.
    "wrong password": Breakage(
        "credentials",
        "credentials",
        "nova-evacuate",
        f"sed -i.sound s/{names.ADMIN['password']}/wrong-password/ {CLOUDS}",
        mend=_SOUND_CLOUDS,
    ),
    "credentials for everybody": Breakage(
        "credentials", "credentials", "nova-evacuate", f"chmod 644 {CLOUDS}"
    ),
    "policy forbids": Breakage(
        "credentials",
        "rights",
        "nova-evacuate",
        _policy('"os_compute_api:os-services:update": "!"\n'),
        mend=_policy("{}\n"),
    ),
    "secret in the configuration": Breakage(
        "credentials",
        "plain-secret",
        "nova-evacuate",
        "pcs resource update nova-evacuate application_credential_secret=in-plain-sight",
        mend="pcs resource update nova-evacuate application_credential_secret=",
    ),
    # Nova.
    "no way to Nova": Breakage(
        "nova",
        "nova",
        "Nova",
        f"ip route add prohibit {names.FABRIC}/32",
        mend=f"ip route del prohibit {names.FABRIC}/32",
    ),
    "old Nova": Breakage("version", "nova-version", "Nova", _other_api(18001, "2.65", 0), mend=_SOUND_CLOUDS),
    "Nova with a known bug": Breakage(
        "version", "nova-version", "Nova", _other_api(18002, "2.96", 0), mend=_SOUND_CLOUDS
    ),
    "clock is wrong": Breakage(
        "clocks", "clocks", "this controller", _other_api(18003, "2.104", 60), mend=_SOUND_CLOUDS
    ),
    # Pacemaker as a whole.
    "Pacemaker is stopped here": Breakage(
        "pacemaker", "pacemaker", "cluster", _STOP_PACEMAKER, mend=_START_PACEMAKER
    ),
    "fencing is off": Breakage(
        "properties", "stonith-enabled", "cluster", "pcs property set stonith-enabled=false"
    ),
    "maintenance": Breakage(
        "properties", "maintenance-mode", "cluster", "pcs property set maintenance-mode=true"
    ),
    "recheck is late": Breakage(
        "properties",
        "cluster-recheck-interval",
        "cluster",
        "pcs property set cluster-recheck-interval=1h",
    ),
    "resource is disabled": Breakage(
        "resources", "resources", "fence-nova", "pcs stonith disable fence-nova"
    ),
    "evacuator runs nowhere": Breakage(
        "health",
        "evacuator",
        "nova-evacuate",
        f"pcs constraint location nova-evacuate avoids {' '.join(_CONTROLLERS)}",
        mend="pcs constraint remove "
        + " ".join(f"location-nova-evacuate-{node}--INFINITY" for node in _CONTROLLERS),
    ),
    "failed action": Breakage(
        "health",
        "failed-action",
        "nova-compute on compute-1",
        "pcs resource unmanage nova-compute; crm_resource --fail --resource nova-compute --node compute-1",
        mend="pcs resource cleanup nova-compute; pcs resource manage nova-compute",
    ),
    "old agent": Breakage(
        "legacy",
        "old-agents",
        "old-evacuate",
        "pcs stonith create old-evacuate fence_evacuate --disabled --force",
    ),
    # Fencing.
    "level without fence_compute": Breakage(
        "levels",
        "fencing-level",
        "compute-0",
        "pcs stonith level remove 1 target compute-0; pcs stonith level add 1 compute-0 ipmi-compute-0",
    ),
    "level begins with fence_compute": Breakage(
        "levels",
        "fencing-level",
        "compute-3",
        "pcs stonith level remove 1 target compute-3; "
        "pcs stonith level add 1 compute-3 fence-nova ipmi-compute-3",
    ),
    "no level": Breakage(
        "levels", "fencing-level", "compute-1", "pcs stonith level remove 1 target compute-1"
    ),
    "power device is disabled": Breakage(
        "levels", "fencing-level", "compute-2", "pcs stonith disable ipmi-compute-2"
    ),
    "fence_compute does not know a node": Breakage(
        "record_device",
        "record-device",
        "fence-nova",
        'pcs stonith update fence-nova pcmk_host_list="compute-0 compute-1 compute-2"',
    ),
    "no wait for unfencing": Breakage(
        "record_device", "unfencing", "nova-compute", "pcs resource meta nova-compute requires=fencing"
    ),
    # Places and times.
    "evacuator may run on compute nodes": Breakage(
        "evacuator_places", "location", "nova-evacuate", _score("control-plane-on-controllers", "-1000")
    ),
    "nova-compute may run on controllers": Breakage(
        "compute_places",
        "location",
        "nova-compute",
        _score("compute-on-compute-nodes", "-1000"),
        # pcs takes the proposed constraint for a duplicate of this one, whose score it does not compare.
        mend=_score("compute-on-compute-nodes", "-INFINITY"),
    ),
    "no gate": Breakage(
        "compute_places", "gate", "nova-compute", "pcs constraint delete nova-compute-gate"
    ),
    "nobody restarts a wedged nova-compute": Breakage(
        "monitors", "monitor", "nova-compute", "pcs resource op delete nova-compute-monitor-interval-60s"
    ),
    "short stop": Breakage(
        "timeouts", "timeout", "nova-compute", "pcs resource update nova-compute op stop timeout=30s"
    ),
    "stop that may fail": Breakage(
        "timeouts",
        "on-fail",
        "nova-compute",
        "pcs resource update nova-compute op stop timeout=240s on-fail=ignore",
    ),
    "short fencing": Breakage("timeouts", "timeout", "cluster", "pcs property set stonith-timeout=20s"),
    # Hosts.
    "name that Nova does not know": Breakage(
        "host_names",
        "host-name",
        "compute-11",
        "pcs resource create compute-11 ocf:pacemaker:remote server=10.77.0.199 op monitor interval=5s "
        "timeout=10s --disabled --force",
        mend="pcs resource delete compute-11 --force",
    ),
    "host that Pacemaker does not know": Breakage(
        "host_names", "host-name", "compute-9", _in_database(_STRANGER), mend=_in_database(_NO_STRANGER)
    ),
    "host disabled and forgotten": Breakage("services", "services", "compute-2", f"python3 -c '{_DISABLE}'"),
    "one host is left": Breakage(
        "capacity",
        "capacity",
        "Nova",
        "for n in 0 1 2; do nova-ha disable compute-$n; done",
        mend="for n in 0 1 2; do nova-ha enable compute-$n; done",
    ),
    "Nova notices no death": Breakage(
        "service_down_time",
        "service-down-time",
        "compute-9",
        _service_down_time(10, 3600, _STRANGER),
        mend=_service_down_time(3600, 10, _NO_STRANGER),
    ),
    "servers left over": Breakage(
        "records",
        "records",
        "compute-1",
        "crm_attribute --node compute-1 --name nova-ha-state --lifetime forever --update "
        "'up: not recovered: 11111111-2222-3333-4444-555555555555'",
    ),
    "server that cannot be evacuated": Breakage(
        "guests", "guests", "paused-0", _pause_a_server, mend=_delete_servers
    ),
}  # fmt: skip

#: What is broken in a lab of its own: check and finding, and the test.
IN_ANOTHER_LAB = {
    ("watchdog", "watchdog"): "test_watchdog.py::test_doctor_finds_watchdogs_of_compute_nodes_that_count",
}
