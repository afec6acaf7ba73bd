# SPDX-License-Identifier: Apache-2.0
"""nova-ha doctor on a real cluster: silent while all is sound, and its own fixes mend what it finds.

Each thing is broken and mended before the next; no node is fenced, no server is moved.
"""

from __future__ import annotations

import json

import pytest

from tests.lab.breakages import BREAKAGES, Act
from tests.lab.doctor import CLOUDS, Doctor, Findings, without_notes
from tests.lab.openstack import names
from tests.lab.recoveries import Labs

pytestmark = pytest.mark.lab

#: The lab's own configuration does without it, for tests in which nothing is to restart a nova-compute.
THOROUGH_MONITOR = "pcs resource op add nova-compute monitor interval=60s timeout=60s OCF_CHECK_LEVEL=10"

PASSWORD = "kept-by-pacemaker"
#: The resources with credentials, as pcs calls their kind.
WITH_CREDENTIALS = {"nova-evacuate": "resource", "fence-nova": "stonith"}
BY_PASSWORD = (
    f"cloud= clouds_yaml= auth_url={names.AUTH_URL} interface=internal username=keeper project_name=admin"
)
BY_FILE = f"cloud=lab clouds_yaml={CLOUDS} auth_url= interface= username= project_name= password="


@pytest.fixture(scope="module")
def doctor(labs: Labs) -> Doctor:
    doctor = Doctor(labs.whole())
    doctor.type(THOROUGH_MONITOR)
    return doctor


@pytest.fixture(autouse=True)
def idle_controller(doctor: Doctor) -> None:
    doctor.visit_idle_controller()


def do(doctor: Doctor, act: Act) -> None:
    """Break or mend something."""
    if isinstance(act, str):
        doctor.type(act)
    else:
        act(doctor)


def test_sound_deployment(doctor: Doctor) -> None:
    """In a lab that works there is nothing worse than a note, and monitoring sees 0."""
    doctor.wait_sound()


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_is_found_and_its_fix_mends_it(doctor: Doctor, name: str) -> None:
    """The finding names what was broken; the command that it proposes makes it vanish."""
    breakage = BREAKAGES[name]

    def of_it(found: Findings) -> Findings:
        wanted = (breakage.check, breakage.subject)
        return [one for one in found if (one["check"], one["subject"].partition(" (")[0]) == wanted]

    do(doctor, breakage.breaking)
    fix = breakage.mend
    try:
        (finding,) = of_it(doctor.wait(f"{name} is found", lambda found: bool(of_it(found)), doctor.examine))
        fix = fix or finding["fix"]
    finally:
        do(doctor, fix)
    doctor.wait("it is mended", lambda found: not [*of_it(found), *without_notes(found)], doctor.examine)


def give_credentials(doctor: Doctor, parameters: str) -> None:
    """Give the resources other credentials."""
    for name, kind in WITH_CREDENTIALS.items():
        doctor.type(f"pcs {kind} update {name} {parameters}")


def about(found: Findings, check: str) -> set[str]:
    """Return what the findings of one name are about."""
    return {one["subject"] for one in found if one["check"] == check}


def keep(doctor: Doctor, resource: str, password: str) -> None:
    """Let cibsecret's files on each controller have a password, as the README says."""
    folder = f"/var/lib/pacemaker/lrm/secrets/{resource}"
    script = (
        f"umask 077; mkdir -p {folder} && cd {folder} && cat > password && "
        "tr -d '\\n' < password | md5sum | cut -d ' ' -f 1 > password.sign"
    )
    for node in doctor.lab.controllers:
        doctor.lab.run(node.name, "sh", "-c", script, stdin=f"{password}\n")


def test_passwords_that_cibsecret_keeps(doctor: Doctor) -> None:
    """They are no plain secrets any more, and every controller has them for its agents and for nova-ha."""
    doctor.lab.openstack.client.add_admin("keeper", PASSWORD)
    give_credentials(doctor, f"{BY_PASSWORD} password={PASSWORD}")
    try:
        doctor.wait("plain", lambda found: about(found, "plain-secret") == {*WITH_CREDENTIALS})
        for name in WITH_CREDENTIALS:
            keep(doctor, name, PASSWORD)
        give_credentials(doctor, "password=lrm://")
        assert_kept(doctor)
        keep(doctor, "fence-nova", "another")
        doctor.wait("another", lambda found: about(found, "credentials") == {"fence-nova"})
    finally:
        give_credentials(doctor, BY_FILE)
    doctor.wait_sound()


def assert_kept(doctor: Doctor) -> None:
    """The configuration does not tell the password; the agents and nova-ha have it on each controller."""
    assert PASSWORD not in doctor.type("cibadmin --query")
    doctor.lab.wait_cluster()
    for node in doctor.lab.controllers:
        doctor.wait_sound(node.name)
    said = doctor.type("crm_resource --resource nova-evacuate --validate 2>&1")
    assert "everybody" not in said, said


def test_status_on_any_controller(doctor: Doctor) -> None:
    """Each controller shows the same hosts, all in service, and where the evacuator is."""
    for node in doctor.lab.controllers:
        shown = json.loads(doctor.lab.run(node.name, "nova-ha", "status", "--json").stdout)
        hosts = {host["host"]: (host["state"], host["node"]["online"]) for host in shown["hosts"]}
        assert {compute.name: ("up", True) for compute in doctor.lab.computes} == hosts
        assert ("quorate", "answers") == (shown["pacemaker"], shown["nova"])
        assert [True] == [bool(evacuator["node"]) for evacuator in shown["evacuators"]]
