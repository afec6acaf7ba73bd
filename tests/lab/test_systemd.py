# SPDX-License-Identifier: Apache-2.0
"""Who types what pcs-examples/README.md says on machines with systemd ends with a deployment that works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.lab.deployment import CHAIN, Guests, service_of, tell, wait_in_service, wait_running
from tests.lab.lab import Lab
from tests.lab.layout import checkout
from tests.lab.recoveries import LIMIT, assert_recovered, strike
from tests.lab.systemd import site, units
from tests.lab.systemd.admin import Admin

pytestmark = pytest.mark.lab

README = checkout() / "pcs-examples" / "README.md"
ONE = "controller-0"
CONTROLLERS = (ONE, "controller-1", "controller-2")
COMPUTES = ("compute-0", "compute-1")
SERVERS = 4
#: Seconds for all steps on the running cluster, on a machine that has other things to do.
STEPS = 300.0
STARTED = 120.0
COROSYNC = "/etc/corosync/corosync.conf"
REHEARSE = "pcs cluster cib /root/try.xml && CIB_FILE=/root/try.xml ./apply.sh"
SIMULATE = "crm_simulate --xml-file /root/try.xml --simulate"


@dataclass(frozen=True)
class Followed:
    """The README has been followed to the end of "./apply.sh".

    Attributes:
        lab: where.
        admin: who.
        before: the cluster's configuration before the rehearsal, and after it.
        rehearsed: what the rehearsal has shown.
        simulated: what Pacemaker would do.
        applied: what the real run has shown.
    """

    lab: Lab
    admin: Admin
    before: tuple[str, str]
    rehearsed: str
    simulated: str
    applied: str


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("systemd") / "lab", controllers=3, computes=2, systemd=True) as running:
        site.hand_over(running)
        yield running


@pytest.fixture(scope="module")
def followed(lab: Lab) -> Followed:
    admin = Admin(lab, README)
    make_ready(admin)
    return configure(lab, admin)


def make_ready(admin: Admin) -> None:
    """Follow the section about what comes before the first step."""
    admin.type("passwd hacluster", *CONTROLLERS, *COMPUTES, answer=f"{site.PASSWORD}\n" * 2)
    admin.type("pcs cluster destroy", *CONTROLLERS)
    admin.type("systemctl disable --now pacemaker_remote", *COMPUTES)
    admin.type(
        "pcs host auth controller-0 controller-1 controller-2 compute-0 compute-1 -u hacluster",
        ONE,
        answer=f"{site.PASSWORD}\n",
    )
    admin.type(
        "pcs cluster setup mycloud controller-0 controller-1 controller-2 --enable --start --wait", ONE
    )
    admin.type("install -d -m 0700 /etc/nova-ha", *CONTROLLERS)
    admin.type("install -m 0600 clouds.yaml bmc-password /etc/nova-ha/", *CONTROLLERS)
    admin.type(
        "systemctl disable --now neutron-openvswitch-agent libvirtd ceilometer-agent-compute nova-compute",
        *COMPUTES,
    )


def configure(lab: Lab, admin: Admin) -> Followed:
    """Follow the first section: edit, rehearse, apply."""
    admin.type("cd pcs-examples", ONE)
    admin.edit("vi variables.sh", ONE, site.variables(lab))
    before = configuration(lab)
    rehearsed = admin.type(REHEARSE, ONE, timeout=STEPS)[ONE]
    simulated = admin.type(SIMULATE, ONE)[ONE]
    after = configuration(lab)
    applied = admin.type("./apply.sh", ONE, timeout=STEPS)[ONE]
    return Followed(lab, admin, (before, after), rehearsed, simulated, applied)


def configuration(lab: Lab) -> str:
    """Return what an admin has decided, as the cluster has it."""
    return lab.run(ONE, "cibadmin", "--query", "--scope", "configuration").stdout


def steps_of(shown: str) -> list[str]:
    """Return the commands of pcs that the steps have run, as they are without a rehearsal."""
    found = re.findall(r"^# (pcs .*)$", shown, flags=re.MULTILINE)
    return [command.replace(f"--corosync_conf {COROSYNC} ", "") for command in found]


def begins(lab: Lab, node: str) -> list[str]:
    """Return the resources that Pacemaker has begun to start on a node; of units it does not log the ends."""
    log = (lab.logs / node / "pacemaker" / "pacemaker.log").read_text()
    return re.findall(r"executing - rsc:(\S+) action:start ", log)


def states(lab: Lab, node: str, question: str) -> list[str]:
    """Return what systemd on a node says about the units of its services, such as whether each is active."""
    return lab.run(node, "systemctl", question, *units.SERVICES, check=False).stdout.split()


def active(lab: Lab, node: str) -> list[str]:
    """Return the units of a node's services that systemd shows as active."""
    return [unit for unit, state in zip(units.SERVICES, states(lab, node, "is-active")) if state == "active"]


def test_the_rehearsal_does_what_follows(followed: Followed) -> None:
    """It runs the same commands, on a copy, and from that Pacemaker foretells what happens."""
    assert followed.before[0] == followed.before[1]
    assert len(steps_of(followed.applied)) > 30
    assert steps_of(followed.rehearsed) == steps_of(followed.applied)
    foretold = re.findall(r"Resource action: (\S+?)(?::\d)? +start on (compute-\d)", followed.simulated)
    assert {(name, node) for name in CHAIN for node in COMPUTES} <= set(foretold)


def test_everything_runs_where_it_belongs(followed: Followed) -> None:
    """The units are started by Pacemaker, not by systemd; the hosts are in service; the evacuator runs."""
    followed.lab.wait_cluster(STARTED)
    wait_in_service(followed.lab, *COMPUTES)
    agents = followed.lab.run(ONE, "crm_resource", "--list-raw").stdout
    assert "nova-evacuate" in agents
    for node in COMPUTES:
        assert begins(followed.lab, node) == [*CHAIN]
        assert active(followed.lab, node) == [*units.SERVICES]
        assert states(followed.lab, node, "is-enabled") == ["disabled"] * 4
    assert followed.lab.run(ONE, "crm_verify", "--live-check", "-VV", check=False).stderr == ""


def test_a_second_run_changes_nothing(followed: Followed) -> None:
    """Every step finds that it has been done."""
    before = configuration(followed.lab)
    shown = followed.admin.type("./apply.sh", ONE, timeout=STEPS)[ONE]
    assert "# --- 090-start.sh" in shown
    assert steps_of(shown) == []
    assert configuration(followed.lab) == before


def test_a_unit_that_does_not_start(followed: Followed) -> None:
    """What depends on it stays stopped on its node, guests run on; when it is mended all start in order."""
    lab, node, broken = followed.lab, "compute-1", "libvirtd"
    followed.lab.openstack.client.boot(2, host=node)
    guests = Guests(lab)
    reason = tell(lab, node, broken, "fails-to-start")
    lab.run(node, "systemctl", "kill", "--signal=KILL", broken)
    lab.run_on_controller("crm_resource", "--refresh", "--resource", broken, "--node", node)
    wait_running(lab, node, CHAIN[:1])
    lab.wait_until("only the first unit is active", lambda: active(lab, node) == [units.SERVICES[0]])
    lab.wait_until("Nova misses the host", lambda: not service_of(lab, node).is_up)
    begun = len(begins(lab, node))
    reason.unlink()
    lab.run_on_controller("crm_resource", "--cleanup", "--resource", broken, "--node", node)
    wait_running(lab, node, CHAIN)
    wait_in_service(lab, node)
    assert begins(lab, node)[begun:] == [*CHAIN[1:]]
    guests.assert_untouched()


def test_power_cut(followed: Followed) -> None:
    """All servers of a dead host are recovered, and the host is back in service and gets a new one."""
    followed.lab.openstack.client.delete_all()
    # As an admin does whose machines boot in a second, not in minutes.
    followed.lab.run_on_controller("pcs", "resource", "update", "compute-0", "reconnect_interval=5s")
    follow = strike(followed.lab, "power-cut", "compute-0", servers=SERVERS)
    assert_recovered(followed.lab, follow, limit=LIMIT)
    wait_running(followed.lab, "compute-0", CHAIN)
    followed.lab.openstack.client.boot(1, host="compute-0", prefix="after")


def test_remove(followed: Followed) -> None:
    """The services are stopped, in order, and nothing of nova-ha is left; servers run on."""
    guests = Guests(followed.lab)
    shown = followed.admin.type("./remove.sh", ONE, timeout=STEPS)[ONE]
    assert "systemctl enable --now" in shown
    for node in COMPUTES:
        assert active(followed.lab, node) == []
    status = followed.lab.cluster_status()
    assert status
    assert set(status.started) == {*COMPUTES, *(f"ipmi-{node}" for node in (*CONTROLLERS, *COMPUTES))}
    guests.assert_untouched()
    followed.admin.type(
        "systemctl enable --now neutron-openvswitch-agent libvirtd ceilometer-agent-compute nova-compute",
        *COMPUTES,
    )
    for node in COMPUTES:
        assert active(followed.lab, node) == [*units.SERVICES]


def test_all_the_way_back(followed: Followed) -> None:
    """A compute node leaves the cluster and is not fenced; its servers run on."""
    guests = Guests(followed.lab)
    followed.admin.type("pcs resource disable compute-0 --wait", ONE)
    followed.admin.type("pcs cluster node remove-remote compute-0", ONE)
    followed.admin.type("pcs stonith delete ipmi-compute-0", ONE)
    status = followed.lab.cluster_status()
    assert status
    assert status.online == {*CONTROLLERS, "compute-1"}
    assert set(status.started) == {"compute-1", *(f"ipmi-{node}" for node in (*CONTROLLERS, "compute-1"))}
    guests.assert_untouched()


def test_the_readme_was_followed_to_the_letter(followed: Followed) -> None:
    """Every command of the README was typed, and nothing else; the transcript is among the logs."""
    assert followed.admin.unused() == []
    print(followed.admin.transcript.read_text())
