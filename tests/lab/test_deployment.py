# SPDX-License-Identifier: Apache-2.0
"""A cluster that pcs-examples have configured does with the services of its nodes what their README says."""

from __future__ import annotations

import re
import signal
import time

import pytest

from tests.lab.cluster import examples
from tests.lab.demo.cloud import audit_complaints
from tests.lab.demo.follow import Follow
from tests.lab.demo.timeline import Stage
from tests.lab.deployment import (
    CHAIN,
    SAFE_RECONNECT,
    Guests,
    Steps,
    fencings,
    node_of,
    pcs,
    running,
    service_of,
    starts,
    stops,
    tell,
    wait_in_service,
    wait_running,
)
from tests.lab.lab import Lab
from tests.lab.recoveries import LIMIT, SETTLED, assert_recovered, prepare

pytestmark = pytest.mark.lab

RECONNECT = SAFE_RECONNECT
NODE, OTHER = "compute-0", "compute-1"
SERVERS = 2
#: Seconds until a start that failed is tried again. So short only where that is tested: Pacemaker forgets any
#: failure by then, also one that it has not come round to yet.
TRIED_AGAIN = 12
#: Removing waits until everything has stopped, one service after the other on each node.
REMOVAL = 300.0
NOVA_COMPUTE = r"/usr/bin/nova-compute"


def configuration(lab: Lab) -> tuple[str, ...]:
    """Return the cluster's configuration; its first word counts every change there has ever been."""
    text = lab.run_on_controller("cibadmin", "--query").stdout
    epoch = re.search(r' epoch="(\d+)"', text)
    whole = re.search("<configuration>.*</configuration>", text, re.DOTALL)
    assert epoch
    assert whole
    return epoch[1], whole[0]


def complaints(lab: Lab) -> tuple[int, str, str]:
    """Return what Pacemaker thinks of the configuration of the running cluster."""
    done = lab.run_on_controller("crm_verify", "--live-check", "-VV", check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_second_run_changes_nothing(deployed: Lab) -> None:
    """On the cluster that apply.sh has configured, and an admin has tuned, it finds nothing left to do."""
    before = configuration(deployed)
    done = deployed.run_on_controller(*examples.command("apply.sh"), timeout=examples.PATIENCE)
    assert "# --- 090-start.sh" in done.stdout
    assert "# pcs " not in done.stdout
    assert before == configuration(deployed)
    assert (0, "", "") == complaints(deployed)


def test_services_stop_and_start_in_order(deployed: Lab) -> None:
    """On a node that goes to standby and back each service waits for the one before it."""
    steps = Steps(deployed, NODE)
    pcs(deployed, "node", "standby", NODE, "--wait=100")
    assert running(deployed, NODE) == set()
    assert steps.seen() == stops(CHAIN)
    pcs(deployed, "node", "unstandby", NODE, "--wait=100")
    wait_running(deployed, NODE, CHAIN)
    assert steps.seen() == [*stops(CHAIN), *starts(CHAIN)]


def test_a_service_that_does_not_start(deployed: Lab) -> None:
    """It keeps its dependants stopped and the node out of the scheduler, and is tried again after a while."""
    pcs(deployed, "resource", "meta", "libvirtd", f"failure-timeout={TRIED_AGAIN}s")
    try:
        assert_kept_out_until_it_starts(deployed)
    finally:
        pcs(deployed, "resource", "meta", "libvirtd", "failure-timeout=120s")


def assert_kept_out_until_it_starts(deployed: Lab) -> None:
    """While libvirtd does not start on the node nothing depends on it there; later everything runs again."""
    began = time.time()
    steps = Steps(deployed, NODE)
    broken = tell(deployed, NODE, "libvirtd", "fails-to-start")
    deployed.kill_process(NODE, "^libvirtd infinity")
    wait_running(deployed, NODE, CHAIN[:1])
    deployed.wait_until("Nova misses the node", lambda: not service_of(deployed, NODE).is_up, SETTLED)
    booted = deployed.openstack.client.boot(4)
    assert NODE not in {server.host for server in booted}
    assert running(deployed, NODE) == {CHAIN[0]}
    broken.unlink()
    wait_running(deployed, NODE, CHAIN)
    wait_in_service(deployed, NODE)
    tried = steps.seen().count("start libvirtd: 1")
    assert tried >= 1
    assert steps.seen()[-6:] == starts(CHAIN[1:])
    assert audit_complaints(deployed, len(booted), began) == []


def test_a_service_that_fails_is_restarted(deployed: Lab) -> None:
    """What depends on it is stopped before and started after, on this node alone; guests go on untouched."""
    for node in (NODE, OTHER):
        deployed.openstack.client.boot(SERVERS, host=node)
    guests = Guests(deployed)
    killed, sick = Steps(deployed, NODE), Steps(deployed, OTHER)
    deployed.kill_process(NODE, "^libvirtd infinity")
    tell(deployed, OTHER, "ceilometer-compute", "unhealthy")
    assert_restarted(deployed, killed, CHAIN[1:])
    assert_restarted(deployed, sick, CHAIN[2:])
    wait_in_service(deployed, NODE, OTHER)
    guests.assert_untouched()


def assert_restarted(lab: Lab, steps: Steps, services: tuple[str, ...]) -> None:
    """These services stop and start in order, and no others."""
    expected = [*stops(services), *starts(services)]
    lab.wait_until("restart", lambda: len(steps.seen()) >= len(expected), SETTLED)
    assert steps.seen() == expected


def test_nova_compute_is_killed(deployed: Lab) -> None:
    """It alone is started again, and guests go on untouched."""
    deployed.openstack.client.boot(SERVERS, host=NODE)
    guests = Guests(deployed)
    steps = Steps(deployed, NODE)
    deployed.kill_process(NODE, NOVA_COMPUTE)
    assert_restarted(deployed, steps, CHAIN[3:])
    wait_in_service(deployed, NODE)
    guests.assert_untouched()


def test_maintenance(deployed: Lab) -> None:
    """A node that is disabled in Pacemaker is not fenced, guests run on, and an operator's word is kept."""
    deployed.openstack.client.boot(SERVERS, host=NODE)
    guests = Guests(deployed)
    deployed.openstack.client.update_service(NODE, status="disabled", disabled_reason="a new fan")
    try:
        steps = Steps(deployed, NODE)
        pcs(deployed, "resource", "disable", NODE, "--wait=100")
        assert node_of(deployed, NODE).condition == "OFFLINE"
        assert steps.seen() == stops(CHAIN)
        deployed.wait_until("Nova misses the node", lambda: not service_of(deployed, NODE).is_up, SETTLED)
        pcs(deployed, "resource", "enable", NODE, "--wait=100")
        wait_running(deployed, NODE, CHAIN)
        deployed.wait_until("Nova sees the node", lambda: service_of(deployed, NODE).is_up, SETTLED)
        guests.assert_untouched()
        assert disabled_reason(deployed, NODE) == "a new fan"
        assert not service_of(deployed, NODE).is_enabled
    finally:
        deployed.openstack.client.update_service(NODE, status="enabled")


def disabled_reason(lab: Lab, node: str) -> str:
    """Return why the nova-compute service of a node is disabled, as Nova shows it."""
    found = [one for one in lab.openstack.client.services() if one["host"] == node]
    return str(found[0]["disabled_reason"])


def test_a_service_that_does_not_stop(deployed: Lab) -> None:
    """When a stop fails, or does not end, the node is fenced, its servers are recovered, and it returns."""
    stuck = {NODE: ("libvirtd", "fails-to-stop"), OTHER: ("ceilometer-compute", "never-stops")}
    follow = prepare(deployed, "power-cut", list(stuck), SERVERS * 2)
    before = {node: len(fencings(deployed, node)) for node in stuck}
    broken = [tell(deployed, node, service, behaviour) for node, (service, behaviour) in stuck.items()]
    follow.begin(time.time())
    for node, (service, _) in stuck.items():
        tell(deployed, node, service, "unhealthy")
    try:
        for node in stuck:
            wait_fenced(deployed, follow, node, before[node])
    finally:
        for path in broken:
            path.unlink()
    assert_recovered(deployed, follow, but=frozenset({Stage.LOST}))


def wait_fenced(lab: Lab, follow: Follow, node: str, before: int) -> None:
    """Wait for one more fencing of a node than `before`."""
    follow.until(f"fencing of {node}", lambda _scene: len(fencings(lab, node)) > before, LIMIT)


def test_pacemaker_remoted_is_stopped(deployed: Lab) -> None:
    """Its ordinary stop gets the node fenced and recovered (Pacemaker 2.1.5); remove.sh refuses meanwhile."""
    follow = prepare(deployed, "power-cut", [NODE], SERVERS)
    before = len(fencings(deployed, NODE))
    follow.begin(time.time())
    deployed.kill_process(NODE, "^pacemaker-remoted", signal.SIGTERM)
    wait_fenced(deployed, follow, NODE, before)
    refused = deployed.run_on_controller(*examples.command("remove.sh"), check=False)
    assert refused.returncode == 1
    assert "a node is fenced and not back in service" in refused.stderr
    assert_recovered(deployed, follow, but=frozenset({Stage.LOST}))


def test_remove(deployed: Lab) -> None:
    """remove.sh leaves the servers as they are, and Pacemaker with nodes and power fencing alone."""
    deployed.openstack.client.boot(SERVERS)
    guests = Guests(deployed)
    deployed.run_on_controller(*examples.command("remove.sh"), timeout=REMOVAL)
    guests.assert_untouched()
    status = deployed.cluster_status()
    assert status
    assert set(status.started) == {*deployed.nodes} - {"controller-0", "controller-1", "controller-2"} | {
        f"ipmi-{node}" for node in deployed.nodes
    }
    assert (0, "", "") == complaints(deployed)
