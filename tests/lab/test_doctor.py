# SPDX-License-Identifier: Apache-2.0
"""nova-ha doctor on a real cluster: silent while all is sound, and its own fixes mend what it finds.

Each thing is broken and mended before the next. Then the credentials: servers that are not to be trusted, and
the smallest credential, which the last test recovers a host with; until then no node is fenced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

import pytest

from tests.lab.application_credentials import Maker, rules_of_the_page, status_of, write_clouds
from tests.lab.breakages import BREAKAGES, Act
from tests.lab.doctor import CLOUDS, PATIENCE, Doctor, Findings, without_notes
from tests.lab.doors import (
    EXPIRED_NOVA_PORT,
    EXPIRED_PORT,
    IMPOSTORS,
    IMPOSTORS_OF_NOVA,
    SOUND_NOVA_PORT,
    SOUND_PORT,
    Door,
    door,
    nothing_sent,
)
from tests.lab.lab import Lab
from tests.lab.openstack import names, tls
from tests.lab.openstack.nodes import CA_FILE
from tests.lab.recoveries import Labs, assert_recovered, strike

pytestmark = pytest.mark.lab

#: Servers that are enough to see a recovery.
FEW = 4
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
    doctor.lab.wait_cluster(PATIENCE)
    for node in doctor.lab.controllers:
        doctor.wait_sound(node.name)
    said = doctor.type("crm_resource --resource nova-evacuate --validate 2>&1")
    assert "everybody" not in said, said


def test_status_on_any_controller(doctor: Doctor) -> None:
    """Each controller shows the same hosts, all in service, and where the evacuator is."""
    for node in doctor.lab.controllers:
        doctor.lab.wait_until(f"{node.name} shows it", partial(shows_all, doctor.lab, node.name))


def shows_all(lab: Lab, controller: str) -> bool:
    """Say whether status shows on a controller that all is well."""
    shown = json.loads(lab.run(controller, "nova-ha", "status", "--json").stdout)
    hosts = {host["host"]: (host["state"], host["node"]["online"]) for host in shown["hosts"]}
    evacuators = [bool(evacuator["node"]) for evacuator in shown["evacuators"]]
    print(f"{controller}: {shown['pacemaker']}, {shown['nova']}, {hosts}, {evacuators}")
    well = {compute.name: ("up", True) for compute in lab.computes}
    return (hosts, shown["pacemaker"], shown["nova"], evacuators) == (well, "quorate", "answers", [True])


# --- servers that are not to be trusted -------------------------------------------------------------------


@pytest.fixture(scope="module")
def doors(doctor: Doctor) -> Iterator[dict[int, Door]]:
    with (
        door(doctor.lab, EXPIRED_PORT, tls.EXPIRED) as expired,
        door(doctor.lab, SOUND_PORT, tls.SOUND) as sound,
    ):
        yield {EXPIRED_PORT: expired, SOUND_PORT: sound}


@pytest.fixture(scope="module")
def doors_to_nova(doctor: Doctor) -> Iterator[dict[int, Door]]:
    with (
        door(doctor.lab, EXPIRED_NOVA_PORT, tls.EXPIRED, "nova-api") as expired,
        door(doctor.lab, SOUND_NOVA_PORT, tls.SOUND, "nova-api") as sound,
    ):
        yield {EXPIRED_NOVA_PORT: expired, SOUND_NOVA_PORT: sound}


def monitor(doctor: Doctor, **options: str) -> tuple[int, str]:
    """Call fence_compute as Pacemaker does; return its exit status and what it says."""
    given = {"action": "monitor", "cloud": "lab", "clouds_yaml": CLOUDS, **options}
    text = "".join(f"{name}={value}\n" for name, value in given.items())
    done = doctor.lab.run(doctor.controller, "fence_compute", stdin=text, check=False)
    return done.returncode, done.stdout + done.stderr


#: What is found when credentials do not work; what else is found on a busy machine is not of interest.
CREDENTIALS = ("credentials", "rights", "nova")


@pytest.mark.parametrize("name", IMPOSTORS)
def test_impostor_gets_nothing(doctor: Doctor, doors: dict[int, Door], name: str) -> None:
    """fence_compute and doctor say in one line what is wrong with the certificate, and send nothing."""
    impostor = IMPOSTORS[name]
    with nothing_sent(doctor.lab, doors[impostor.port]):
        status, said = monitor(doctor, auth_url=impostor.auth_url, cacert=impostor.cacert)
    print(said)
    (line,) = [line for line in said.splitlines() if line.strip()]
    assert (1, True) == (status, f"{impostor.url}: {impostor.said}" in line)
    url = f"s|{names.PUBLIC_AUTH_URL}|{impostor.auth_url}|"
    doctor.type(f"sed -i.sound '{url}; s|{CA_FILE}|{impostor.cacert}|' {CLOUDS}")
    try:
        with nothing_sent(doctor.lab, doors[impostor.port]):
            found = doctor.findings()
    finally:
        doctor.type(f"cat {CLOUDS}.sound > {CLOUDS}")
    refused = [one for one in found if one["check"] in CREDENTIALS]
    assert [True, True] == [impostor.said in one["problem"] for one in refused], found
    assert {"credentials"} == {one["check"] for one in refused}


@pytest.mark.parametrize("name", IMPOSTORS_OF_NOVA)
def test_impostor_behind_the_real_keystone_gets_no_token(
    doctor: Doctor, doors_to_nova: dict[int, Door], name: str
) -> None:
    """Keystone names it as its region's Nova: fence_compute says what is wrong with it, and sends nothing."""
    impostor = IMPOSTORS_OF_NOVA[name]
    region = name.replace(" ", "-")
    doctor.lab.openstack.client.add_region(region, f"{impostor.url}/v2.1")
    with nothing_sent(doctor.lab, doors_to_nova[impostor.port]):
        status, said = monitor(doctor, region_name=region)
    (line,) = [line for line in said.splitlines() if line.strip()]
    assert (1, True) == (status, f"{impostor.url}: {impostor.said}" in line), line


@pytest.mark.parametrize("word", ["false", "0", "no"])
def test_insecure_is_off(doctor: Doctor, doors: dict[int, Door], word: str) -> None:
    """Whatever way of saying no is used: the certificate is checked."""
    expired = IMPOSTORS["expired"]
    with nothing_sent(doctor.lab, doors[EXPIRED_PORT]):
        status, said = monitor(doctor, auth_url=expired.auth_url, insecure=word)
    assert (1, True) == (status, expired.said in said), said


def test_insecure_is_on(doctor: Doctor, doors: dict[int, Door]) -> None:
    """Told to, it accepts the certificate that has expired."""
    status, said = monitor(doctor, auth_url=IMPOSTORS["expired"].auth_url, insecure="1")
    assert 0 == status, said
    way = doors[EXPIRED_PORT]
    doctor.lab.wait_until("the token's request has passed", lambda: any(way.passed()), 30)


# --- the smallest credential ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def maker(doctor: Doctor) -> Maker:
    return Maker.of(doctor.lab)


@pytest.fixture(scope="module")
def smallest(maker: Maker) -> str:
    """Return the id of the credential that CREDENTIALS.md makes."""
    return maker.make("nova-ha-2026", rules_of_the_page())


@pytest.mark.parametrize(
    ("method", "path", "service", "status"),
    [
        ("GET", "/os-services", "compute", 200),
        ("DELETE", "/servers/11111111-2222-3333-4444-555555555555", "compute", 401),
        ("GET", "/flavors", "compute", 401),
        ("GET", "/v2/images", "image", 401),
    ],
)
def test_rules_are_enforced(
    doctor: Doctor, smallest: str, method: str, path: str, service: str, status: int
) -> None:
    """What the page's rules do not cover is refused, with the role admin and all."""
    assert status == status_of(doctor.lab, smallest, method, path, service)


def test_rule_that_was_forgotten(doctor: Doctor, maker: Maker) -> None:
    """The call that the rules do not cover is named."""
    rules = [rule for rule in rules_of_the_page() if not rule["path"].endswith("/os-migrations")]
    doctor.type(f"cp {CLOUDS} {CLOUDS}.sound")
    write_clouds(doctor.lab, maker.make("too-small", rules), doctor.controller)
    try:
        found = doctor.findings()
    finally:
        doctor.type(f"cat {CLOUDS}.sound > {CLOUDS}")
    said = "the access rules of the application credential do not cover GET /v2.1/os-migrations"
    assert [said] * 2 == [one["problem"] for one in found if one["problem"] == said]
    assert {said} == {one["problem"] for one in found if one["check"] in ("credentials", "rights")}


def test_recovery_with_the_smallest_credential(doctor: Doctor, smallest: str) -> None:
    """With the page's credential, put where the page says, nothing is found, and a host is recovered."""
    lab = doctor.lab
    write_clouds(lab, smallest, *(node.name for node in lab.controllers))
    lab.run_on_controller("pcs", "resource", "restart", "nova-evacuate", timeout=120)
    doctor.wait("nothing is found", lambda found: not found)
    assert_recovered(lab, strike(lab, "power-cut", "compute-1", servers=FEW))
