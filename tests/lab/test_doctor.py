# SPDX-License-Identifier: Apache-2.0
"""nova-ha doctor on a real cluster: silent while all is sound, and its own fixes mend what it finds.

Each thing is broken and mended before the next; no node is fenced, no server is moved.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.lab.lab import Lab
from tests.lab.recoveries import Labs

pytestmark = pytest.mark.lab

CLOUDS = "/etc/nova-ha/clouds.yaml"

#: As the evacuator leaves a host that it cannot bring back any more, for its record is gone.
DISABLE = f"""\
from nova_ha.nova import connect
nova = connect({{"cloud": "lab", "clouds_yaml": "{CLOUDS}"}})
service = next(one for one in nova.services() if one.host == "compute-2")
nova.disable(service, "nova-ha: fenced 2026-01-01T00:00:00Z")
"""


@dataclass(frozen=True)
class Breakage:
    """Something that is broken by `command`, found as `check` about `subject`, and mended by its own fix.

    Attributes:
        mend: the command that mends it where the fix is a sentence or needs an admin's choice; empty to type
            the fix of the finding.
    """

    command: str
    check: str
    subject: str
    mend: str = ""


BREAKAGES = {
    "level without fence_compute": Breakage(
        "pcs stonith level remove 1 target compute-0; pcs stonith level add 1 compute-0 ipmi-compute-0",
        "fencing-level",
        "compute-0",
    ),
    "no level": Breakage("pcs stonith level remove 1 target compute-1", "fencing-level", "compute-1"),
    "fencing is off": Breakage(
        "pcs property set stonith-enabled=false", "stonith-enabled", "cluster"
    ),
    "recheck is late": Breakage(
        "pcs property set cluster-recheck-interval=1h", "cluster-recheck-interval", "cluster"
    ),
    "short stop": Breakage(
        "pcs resource update nova-compute op stop timeout=30s", "timeout", "nova-compute"
    ),
    "no gate": Breakage("pcs constraint delete nova-compute-gate", "gate", "nova-compute"),
    "servers left over": Breakage(
        "crm_attribute --node compute-1 --name nova-ha-state --lifetime forever --update "
        "'up: not recovered: 11111111-2222-3333-4444-555555555555'",
        "records",
        "compute-1",
    ),
    "name that Nova does not know": Breakage(
        "pcs resource create compute-11 ocf:pacemaker:remote server=10.77.0.199 op monitor interval=5s "
        "timeout=10s --disabled --force",
        "host-name",
        "compute-11",
        mend="pcs resource delete compute-11 --force",
    ),
    "wrong password": Breakage(
        f"sed -i.sound s/secret-admin/wrong-password/ {CLOUDS}",
        "credentials",
        "nova-evacuate",
        mend=f"cat {CLOUDS}.sound > {CLOUDS}",
    ),
    "credentials for everybody": Breakage(
        f"chmod 644 {CLOUDS}", "credentials", "nova-evacuate"
    ),
    "host disabled and forgotten": Breakage(
        f"python3 -c '{DISABLE}'",
        "services",
        "compute-2",
    ),
}  # fmt: skip


@dataclass
class Doctor:
    """nova-ha doctor on a controller.

    Attributes:
        controller: one that runs neither the evacuator nor fence_compute: what is broken there hurts nobody.
    """

    lab: Lab
    controller: str

    def findings(self) -> list[dict[str, str]]:
        """Return what is worse than a note; the exit status agrees with it."""
        done = self.lab.run(self.controller, "nova-ha", "doctor", "--json", check=False)
        shown: dict[str, Any] = json.loads(done.stdout)
        found = [one for one in shown["findings"] if one["severity"] != "note"]
        assert {"note": 0, "warning": 1, "error": 2}[shown["worst"]] == done.returncode, done.stderr
        return found

    def wait(self, what: str, condition: Callable[[list[dict[str, str]]], bool]) -> list[dict[str, str]]:
        """Return the findings once they are as wanted."""
        seen: list[list[dict[str, str]]] = [[]]

        def as_wanted() -> bool:
            seen[0] = self.findings()
            return condition(seen[0])

        self.lab.wait_until(f"{what} (last findings: {seen})", as_wanted, 30)
        return seen[0]

    def type(self, command: str) -> None:
        """Type a command into a controller's shell."""
        self.lab.run(self.controller, "sh", "-c", command)


@pytest.fixture(scope="module")
def doctor(labs: Labs) -> Doctor:
    lab = labs.whole()
    status = lab.cluster_status()
    assert status is not None
    busy = {*status.started["nova-evacuate"], *status.started["fence-nova"]}
    return Doctor(lab, next(node.name for node in lab.controllers if node.name not in busy))


def test_sound_deployment(doctor: Doctor) -> None:
    """In a lab that works there is nothing worse than a note, and monitoring sees 0."""
    doctor.wait("nothing is found", lambda found: not found)


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_is_found_and_its_fix_mends_it(doctor: Doctor, name: str) -> None:
    """The finding names what was broken; the command that it proposes makes it vanish."""
    breakage = BREAKAGES[name]

    def of_it(found: list[dict[str, str]]) -> list[dict[str, str]]:
        return [f for f in found if (f["check"], f["subject"]) == (breakage.check, breakage.subject)]

    doctor.type(breakage.command)
    fix = breakage.mend
    try:
        (finding,) = of_it(doctor.wait(f"{name} is found", lambda found: bool(of_it(found))))
        fix = fix or finding["fix"]
    finally:
        doctor.type(fix)
    doctor.wait("it is mended", lambda found: not found)


def test_status_on_any_controller(doctor: Doctor) -> None:
    """Each controller shows the same hosts, all in service, and where the evacuator is."""
    for node in doctor.lab.controllers:
        shown = json.loads(doctor.lab.run(node.name, "nova-ha", "status", "--json").stdout)
        hosts = {host["host"]: (host["state"], host["node"]["online"]) for host in shown["hosts"]}
        assert {compute.name: ("up", True) for compute in doctor.lab.computes} == hosts
        assert ("quorate", "answers") == (shown["pacemaker"], shown["nova"])
        assert [True] == [bool(evacuator["node"]) for evacuator in shown["evacuators"]]
