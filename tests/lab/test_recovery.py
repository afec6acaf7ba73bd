# SPDX-License-Identifier: Apache-2.0
"""Compute nodes die in every common way, and every server comes back exactly once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from tests.lab.demo import hit
from tests.lab.demo.follow import Follow
from tests.lab.demo.scene import is_through
from tests.lab.demo.timeline import Stage
from tests.lab.deployment import fencings
from tests.lab.lab import Lab
from tests.lab.leaks import SECRETS
from tests.lab.recoveries import (
    LIMIT,
    RESTARTED,
    SETTLED,
    assert_recovered,
    prepare,
    strike,
    wait_for_restarts,
)

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("how", ["power-cut", "freeze"])
def test_one_compute_node_dies(cloud: Lab, how: str) -> None:
    """20 of 20 servers of a dead or hung compute node run elsewhere, and the node is back in service."""
    assert_recovered(cloud, strike(cloud, how, "compute-0", servers=20))


def test_cable_of_a_compute_node_is_cut(cloud: Lab) -> None:
    """A node that lives without network is fenced and recovered; it returns when its cable is repaired."""
    follow = strike(cloud, "cable", "compute-1")
    try:
        follow.until("every server is verified", lambda scene: is_through(scene, Stage.VERIFIED), LIMIT)
    finally:
        cloud.cable("compute-1", up=True)
    assert_recovered(cloud, follow)


def test_two_compute_nodes_die_at_once(cloud: Lab) -> None:
    """The servers of two nodes that die at the same moment all come back on the ones that are left."""
    assert_recovered(cloud, strike(cloud, "power-cut", "compute-0", "compute-2"))


@pytest.fixture
def slow(cloud: Lab) -> Iterator[Lab]:
    """Give a cloud whose evacuator asks for a few evacuations at a time, so that a recovery has a middle."""
    cloud.run_on_controller("pcs", "resource", "update", hit.EVACUATOR, "max_in_flight=5", "--wait=60")
    yield cloud
    cloud.run_on_controller("pcs", "resource", "update", hit.EVACUATOR, "max_in_flight=", "--wait=60")


def follow_to_the_middle(lab: Lab, victim: str) -> tuple[Follow, str]:
    """Cut the power of a host of 20 servers; return once one is verified, with the evacuator's controller."""
    follow = prepare(lab, "power-cut", [victim], servers=20)
    controller = hit.controller_of_evacuator(lab)
    follow.begin(hit.hit(lab, "power-cut", [victim]))
    follow.until("the first server is verified", lambda scene: bool(scene.verified), LIMIT)
    assert len(follow.scene.verified) < 20
    return follow, controller


def test_controller_of_the_evacuator_dies_in_the_middle(slow: Lab) -> None:
    """The recovery goes on elsewhere when the evacuator's controller loses its power in the middle."""
    follow, controller = follow_to_the_middle(slow, "compute-0")
    slow.power_off(controller)
    assert_recovered(slow, follow)
    slow.wait_cluster(SETTLED)


def test_evacuator_is_killed_in_the_middle(slow: Lab) -> None:
    """The recovery goes on with a new process when the evacuator is killed during the evacuation."""
    follow, controller = follow_to_the_middle(slow, "compute-1")
    assert slow.kill_process(controller, r"nova_ha\.evacuator_main")
    assert_recovered(slow, follow)


def test_recovery_inside_of_the_fencing_action(cloud: Lab) -> None:
    """With record_only=0 and without NovaEvacuate, fencing ends when all servers are recovered."""
    try:
        cloud.run_on_controller("pcs", "resource", "delete", hit.EVACUATOR)
        cloud.run_on_controller("pcs", "stonith", "update", "fence-nova", "record_only=0")
        wait_for_restarts(cloud)
        follow = prepare(cloud, "power-cut", ["compute-3"])
        counted = len(fencings(cloud, "compute-3"))
        follow.begin(hit.hit(cloud, "power-cut", ["compute-3"]))
        follow.until("fencing", lambda _scene: len(fencings(cloud, "compute-3")) > counted, LIMIT)
        assert follow.scene.goal.misplaced(follow.fresh_look().servers) == []
    finally:
        cloud.run_on_controller("pcs", "stonith", "update", "fence-nova", "record_only=")
        cloud.configure_cluster()
        wait_for_restarts(cloud)
    done_inside = frozenset({Stage.EVACUATING, Stage.VERIFIED})
    assert_recovered(cloud, follow, but=done_inside, limit=LIMIT + RESTARTED)


def test_recovery_reads_well_in_pacemakers_tools(cloud: Lab) -> None:
    """What happens to a node is told by crm_mon -1A in words; afterwards pcs status is as before."""
    before = statuses(cloud)
    follow = strike(cloud, "power-cut", "compute-2", servers=2)
    follow.until("crm_mon shows the end", lambda _scene: tells_the_end(shown_attributes(cloud)), LIMIT)
    assert_recovered(cloud, follow)
    cloud.wait_cluster(SETTLED)
    cloud.wait_until("no attribute is left", lambda: shown_attributes(cloud) == {}, SETTLED)
    cloud.wait_until("pcs status is as before", lambda: statuses(cloud) == before, SETTLED)


def test_report_for_supporters(cloud: Lab) -> None:
    """What crm_report collects where the evacuator runs, its log included, tells none of our secrets."""
    # Of a log in which nothing has happened yet it collects nothing.
    assert_recovered(cloud, strike(cloud, "power-cut", "compute-2", servers=2))
    node, folder = hit.controller_of_evacuator(cloud), "/var/log/nova-ha/report"
    since = "$(date -d yesterday '+%Y-%m-%d %H:%M:%S')"
    log = "/var/log/nova-ha/evacuator.log"
    script = f'crm_report --from "{since}" --single-node --as-directory --logfile {log} {folder}'
    cloud.run(node, "sh", "-c", script, timeout=LIMIT)
    collected = cloud.run(node, "find", folder, "-type", "f", "-size", "+0").stdout
    assert "/cib.xml" in collected
    assert "/evacuator.log" in collected
    for secret in SECRETS:
        done = cloud.run(node, "grep", "-rlF", secret.decode(), folder, check=False)
        assert (1, "") == (done.returncode, done.stdout)


def tells_the_end(shown: Mapping[str, str] | None) -> bool:
    """Say whether the attributes tell that all is evacuated; they are written one after the other."""
    if shown is None or {"nova-ha-fenced", "nova-ha-evacuated", "nova-ha-state"} - set(shown):
        return False
    time, state = shown["nova-ha-evacuated"], shown["nova-ha-state"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
    assert shown["nova-ha-fenced"] == f"fenced {time}"
    return bool(re.match(r"(evacuated 2/2 by controller-\d: 2 verified|returning)", state))


def shown_attributes(lab: Lab) -> dict[str, str] | None:
    """Return the product's node attributes that crm_mon -1A shows to a person; None if it does not answer."""
    done = lab.run_on_controller("crm_mon", "-1A", check=False)
    found = re.findall(r"^ +\* (nova-ha-\S+) *\t*: (.*?) *\t*$", done.stdout, re.MULTILINE)
    return dict(found) if done.returncode == 0 else None


def statuses(lab: Lab) -> list[str]:
    """Return the lines of pcs status about the product's resources."""
    text = lab.run_on_controller("pcs", "status").stdout
    wanted = r"RemoteOnline|fence-nova|nova-evacuate|nova-compute|Started: \[|Failed"
    return [
        re.sub(r"Started controller-\d", "Started", line)
        for line in text.splitlines()
        if re.search(wanted, line)
    ]


def test_pcs_status_shows_the_product_in_order(cloud: Lab) -> None:
    """Every resource of the product is started where it belongs, and nothing has failed."""
    # Where the DC has died, its last fencing stays in the history: "failed, originator is dead".
    cloud.run_on_controller("pcs", "stonith", "history", "cleanup")
    computes = " ".join(node.name for node in cloud.computes)
    lines = "\n".join(statuses(cloud))
    assert f"RemoteOnline: [ {computes} ]" in lines
    assert re.search(r"\* fence-nova\s+\(stonith:fence_compute\):\s+Started", lines)
    assert re.search(r"\* nova-evacuate\s+\(ocf:openstack:NovaEvacuate\):\s+Started", lines)
    assert "Clone Set: nova-compute-clone [nova-compute]:" in lines
    assert f"Started: [ {computes} ]" in lines
    assert "Failed" not in lines


@pytest.mark.parametrize(
    ("command", "first", "options"),
    [
        (
            ("resource", "describe", "ocf:openstack:NovaEvacuate"),
            "ocf:openstack:NovaEvacuate - Recovers the servers of fenced compute nodes",
            ("auth_url", "cloud", "clouds_yaml", "max_in_flight", "threshold"),
        ),
        (
            ("resource", "describe", "ocf:openstack:NovaCompute"),
            "ocf:openstack:NovaCompute - ",
            ("binary", "config", "user"),
        ),
        (
            ("stonith", "describe", "fence_compute"),
            "fence_compute - Fence agent for the recovery of the servers of OpenStack compute nodes",
            ("auth_url", "cloud", "clouds_yaml", "record_only", "pcmk_host_list"),
        ),
    ],
)
def test_pcs_describes_the_agents(
    cloud: Lab, command: tuple[str, ...], first: str, options: tuple[str, ...]
) -> None:
    """The first line says what the agent is, every option has a sentence, and pcs does not complain."""
    done = cloud.run_on_controller("pcs", *command)
    assert done.stdout.startswith(first)
    for option in options:
        assert re.search(rf"^  {option}( \(\w+\))?: \S+ \S+", done.stdout, re.MULTILINE), option
    assert "No description available" not in done.stdout
    assert done.stderr == ""
