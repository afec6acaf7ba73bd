# SPDX-License-Identifier: Apache-2.0
"""Each check of doctor finds what it is for, and nothing in a sound deployment."""

from __future__ import annotations

import json

import pytest

from nova_ha.commands import doctor
from nova_ha.commands.facts import AccessFacts
from nova_ha.commands.finding import ERROR, NOTE, WARNING
from tests.unit.commands import breakages, breakages_of_fencing, breakages_of_hosts
from tests.unit.commands.deployment import Deployment, findings, the_finding

CASES = breakages.CASES + breakages_of_fencing.CASES + breakages_of_hosts.CASES


def test_sound_deployment(sound):
    """What pcs-examples makes is sound: not even a note."""
    assert [] == findings(sound)
    assert 0 == doctor.exit_status(sound.all_facts(), [])


@pytest.mark.parametrize(
    ("break_it", "check", "subject", "severity", "said"), CASES, ids=[case[0].__name__ for case in CASES]
)
def test_each_check(sound, break_it, check, subject, severity, said):
    """What is broken is found, by the check that is for it, with a fix; and nothing else is said."""
    break_it(sound)
    # With one of two hosts out of service there is nowhere to recover to, as well.
    found = [one for one in findings(sound) if one.check != "capacity"]
    assert [(check, subject, severity)] == [(one.check, one.subject, one.severity) for one in found]
    assert said in found[0].problem
    assert found[0].fix


def test_every_check_can_find_something():
    """For each check there is a case in which it finds something: none of them is for show."""
    breaks = [case[0] for case in CASES] + [breakages_of_hosts.break_cell, breakages_of_hosts.break_host_name]
    silent = set(doctor.CHECKS)
    for break_it in breaks:
        deployment = Deployment()
        break_it(deployment)
        facts = deployment.all_facts()
        silent -= {check for check in silent if list(check(facts))}
    assert set() == silent


def test_fix_of_exposed_credentials(sound):
    """Where the problem itself names the command that mends it, that is the fix."""
    problem = "clouds_yaml=/c: everybody may read the secrets in it; run: chmod 600 /c"
    sound.facts["access"] = (AccessFacts("nova-evacuate", problem=problem),)
    assert "chmod 600 /c" == the_finding(sound).fix


@pytest.mark.parametrize(
    ("access", "fix"),
    [
        (AccessFacts("evacuate", "ocf:openstack:NovaEvacuate", "401"), "pcs resource config evacuate"),
        (AccessFacts("fence", "stonith:fence_compute", "401"), "pcs stonith config fence"),
        (
            AccessFacts("fence", "stonith:fence_compute", "cloud=a: /c has no such cloud, only: b"),
            "pcs stonith update fence cloud=b",
        ),
        (
            AccessFacts("command line", problem="auth_url: missing"),
            "nova-ha --cloud CLOUD --clouds-yaml /etc/nova-ha/clouds.yaml doctor",
        ),
        (
            AccessFacts("fence", "stonith:fence_compute", plain=("password",)),
            (
                "write it into /etc/nova-ha/credentials.ini of each controller (root only), and only then: "
                "pcs stonith update fence password= credentials_file=/etc/nova-ha/credentials.ini"
            ),
        ),
        (
            AccessFacts("fence", "stonith:fence_compute", plain=("password",), file="/c"),
            (
                "write it into /c of each controller (root only), and only then: "
                "pcs stonith update fence password="
            ),
        ),
    ],
)
def test_fix_of_credentials(sound, access, fix):
    """The fix is a command that pcs has for such a resource, and names the cloud if there is but one."""
    sound.facts["access"] = (access,)
    assert fix == the_finding(sound).fix


def test_fix_of_degraded_nova_compute(sound):
    """The fix is the command that the agent names, on its node."""
    breakages.break_degraded_compute(sound)
    assert "ssh compute-1 systemctl disable nova-compute" == the_finding(sound).fix


def test_fix_of_a_missing_level_without_record_device(sound):
    """A level cannot name a device that is not there yet: the step that makes both is the fix."""
    breakages.break_no_level(sound)
    sound.remove(".//resources/primitive[@id='fence-nova']")
    (found,) = [
        one for one in findings(sound) if one.check == "fencing-level" and "no fencing" in one.problem
    ]
    assert found.fix.startswith("run ./050-fence-compute.sh in your copy of pcs-examples, after variables.sh")


def test_device_that_runs_elsewhere(sound):
    """A device whose start failed on one controller, and which runs on another, can be called."""
    sound.failure("fence-nova", "controller-1", "1", "no such cloud")
    assert [] == findings(sound)


def test_host_name_mismatch(sound):
    """A node that Nova calls otherwise is found from both sides; its servers would not be recovered."""
    breakages_of_hosts.break_host_name(sound)
    found = {(one.subject, one.severity) for one in findings(sound)}
    assert {("compute-1", ERROR), ("compute-9.example.org", WARNING)} == found


def test_down_cell(sound):
    """A host whose cell is down is an error."""
    breakages_of_hosts.break_cell(sound)
    (found,) = [one for one in findings(sound) if one.check == "services"]
    assert ("compute-1", ERROR) == (found.subject, found.severity)


def test_nowhere_to_go(sound):
    """A cloud in which only one host takes servers cannot recover anything."""
    breakages_of_hosts.break_silent(sound)
    assert "1 of 2 hosts take servers" in "".join(one.problem for one in findings(sound))


def test_two_nodes_are_one_host(sound):
    """Two nodes that both fit one host of Nova are an error: nobody knows which one was fenced."""
    sound.services = []
    sound.service("compute-0")
    sound.set("configuration/resources/primitive[@id='compute-1']", id="compute-0.example.org")
    sound.set("configuration/nodes/node[@uname='compute-1']", uname="compute-0.example.org")
    sound.set("status/node_state[@uname='compute-1']", uname="compute-0.example.org")
    found = [one for one in findings(sound) if one.check == "host-name" and one.subject == "compute-0"]
    assert [ERROR] == [one.severity for one in found]


def test_interval_of_the_thorough_monitor(sound):
    """The monitor that is proposed has an interval of its own, as Pacemaker wants it."""
    breakages.break_thorough_monitor(sound)
    sound.set(".//primitive[@id='nova-compute']/operations/op[@name='monitor']", interval="60s")
    fix = "pcs resource op add nova-compute monitor interval=90s timeout=60s OCF_CHECK_LEVEL=10"
    assert fix == the_finding(sound).fix


def test_level_that_begins_with_the_record(sound):
    """The command that is proposed puts the power first, the node's own device if the level has none."""
    again = "pcs stonith level remove 1 target compute-0 && pcs stonith level add 1 compute-0"
    for devices in ("fence-nova,ipmi-compute-0", "fence-nova"):
        sound.set(breakages.LEVEL, devices=devices)
        assert f"{again} ipmi-compute-0 fence-nova" == the_finding(sound).fix


def test_level_of_a_pattern(sound):
    """A level for a pattern of names is the node's, and the fix names it as pcs does."""
    level = sound.find(breakages.LEVEL)
    level.set("target-pattern", f"^{level.attrib.pop('target')}")
    assert [] == findings(sound)
    level.set("devices", "fence-nova")
    target = "'regexp%^compute-0'"
    again = f"pcs stonith level remove 1 target {target} && pcs stonith level add 1 {target}"
    assert f"{again} POWER-DEVICE fence-nova" == the_finding(sound).fix


def test_old_release(sound):
    """Bugs that a release may have are notes, the older the more of them."""
    sound.nova["microversion"] = (2, 93)
    assert ["2085975"] == [one.problem.split()[4].rstrip(":") for one in findings(sound)]
    sound.nova["microversion"] = (2, 79)
    assert 6 == len(findings(sound))
    assert {NOTE} == {one.severity for one in findings(sound)}


def test_healthy_evacuator_elsewhere(sound):
    """A remembered failure of an evacuator that runs now is no finding."""
    path = "status/node_state[@uname='controller-1']//lrm_rsc_op[@operation='start']"
    sound.set(path, id="nova-evacuate_last_failure_0", **{"rc-code": "1", "call-id": "99"})
    assert [] == findings(sound)


def test_nothing_answers(sound):
    """Without Pacemaker and Nova nothing can be checked, and monitoring hears of it."""
    sound.facts.update(cluster=None, cluster_problem="cibadmin failed", nova=None, nova_problem="no Nova")
    facts = sound.all_facts()
    found = doctor.examine(facts)
    assert ["cibadmin failed", "no Nova"] == [one.problem for one in found]
    assert 3 == doctor.exit_status(facts, found)


def test_without_pacemaker(sound):
    """A cloud without Pacemaker is examined as far as Nova goes."""
    sound.facts.update(cluster=None)
    assert [] == findings(sound)


@pytest.mark.parametrize(
    ("break_it", "status"),
    [(breakages_of_hosts.break_disabled, 0), (breakages.break_gate, 1), (breakages.break_stonith, 2)],
    ids=["0", "1", "2"],
)
def test_exit_status(sound, break_it, status):
    """Notes are no reason for an alarm; warnings and errors are, as in monitoring plug-ins."""
    break_it(sound)
    facts = sound.all_facts()
    found = [one for one in doctor.examine(facts) if one.check != "capacity"]
    assert status == doctor.exit_status(facts, found)


def test_json(sound):
    """The keys for programs are stable, and the worst finding comes first."""
    breakages.break_gate(sound)
    breakages.break_stonith(sound)
    facts = sound.all_facts()
    shown = json.loads(doctor.as_json(facts, doctor.examine(facts)))
    assert {"version", "time", "worst", "checks", "findings"} == set(shown)
    assert "error" == shown["worst"]
    assert ["stonith-enabled", "gate"] == [one["check"] for one in shown["findings"]]
    assert {"check", "subject", "severity", "problem", "fix"} == set(shown["findings"][0])


def test_text(sound):
    """People read what, why and the command that mends it, and a count at the end."""
    breakages.break_stonith(sound)
    lines = doctor.as_text(sound.all_facts(), findings(sound)).splitlines()
    assert lines[0].startswith("ERROR    cluster: fencing is off")
    assert "         fix: pcs property set stonith-enabled=true" == lines[1]
    assert f"{len(doctor.CHECKS)} checks: 1 error, 0 warnings, 0 notes" == lines[2]


@pytest.mark.parametrize(
    ("absent", "without", "unmade"),
    [
        ({"cluster": None}, "Pacemaker", "levels"),
        ({"nova": None}, "Nova", "guests"),
        ({"cluster": None, "nova": None}, "Pacemaker and Nova", "host_names"),
    ],
)
def test_checks_that_cannot_be_made(sound, absent, without, unmade):
    """What nobody could look at is not counted among the checks, neither for people nor for programs."""
    sound.facts.update(absent)
    facts = sound.all_facts()
    made = json.loads(doctor.as_json(facts, []))["checks"]
    assert unmade not in made
    assert {"pacemaker", "credentials", "nova", "records"} <= set(made)
    last = f"{len(made)} of {len(doctor.CHECKS)} checks (without {without}): 0 errors, 0 warnings, 0 notes"
    assert last == doctor.as_text(facts, [])
