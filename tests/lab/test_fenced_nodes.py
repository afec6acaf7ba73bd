# SPDX-License-Identifier: Apache-2.0
"""Nodes that are fenced in every way there is, and how they come back, on a cluster made by pcs-examples."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nova_ha.agents import ocf
from tests.lab import power_device
from tests.lab.container import Container
from tests.lab.demo import hit
from tests.lab.demo.follow import Follow
from tests.lab.demo.scene import Scene, is_through
from tests.lab.demo.timeline import Stage
from tests.lab.deployment import (
    CHAIN,
    QUICK_RECONNECT,
    SPAWN_SECONDS,
    Steps,
    assert_ends_well,
    fencings,
    follow,
    node_of,
    pcs,
    running,
    sentence_about,
    starts,
    stops,
    wait_in_service,
    wait_running,
)
from tests.lab.lab import Lab
from tests.lab.recoveries import (
    LIMIT,
    SETTLED,
    assert_recovered,
    prepare,
    set_spawn_time,
    strike,
    wait_for_restarts,
)

pytestmark = pytest.mark.lab

RECONNECT = QUICK_RECONNECT
NODE, OTHER = "compute-0", "compute-1"
SERVERS = 2
#: Long enough that a node comes back before its servers are elsewhere; ended as soon as that was seen.
SLOW = 90.0


def are_elsewhere(scene: Scene) -> bool:
    """Say whether every server is as before on a healthy host."""
    return not scene.goal.misplaced(scene.look.servers)


def calls(lab: Lab, action: str, node: str, device: str) -> int:
    """Return how often a fence device has carried out an action against a node."""
    logs = [(lab.logs / one.name / "pacemaker" / "pacemaker.log").read_text() for one in lab.controllers]
    done = rf"Operation '{action}' \[\d+\] targeting {node} using {device} returned 0\b"
    return sum(len(re.findall(done, log)) for log in logs)


def until_fenced(lab: Lab, seen: Follow, node: str, before: int) -> None:
    """Wait for one more fencing of a node than `before`."""
    seen.until("fencing", lambda _scene: len(fencings(lab, node)) > before, LIMIT)


def test_a_fenced_node_receives_servers_again(deployed: Lab) -> None:
    """A node that was fenced boots, is up and enabled, and Nova puts new servers on it."""
    assert_recovered(deployed, strike(deployed, "power-cut", NODE, servers=SERVERS))
    wait_running(deployed, NODE, CHAIN)
    (server,) = deployed.openstack.client.boot(1, host=NODE, prefix="new")
    assert server.host == NODE


def test_a_node_is_fenced_again_during_its_return(deployed: Lab) -> None:
    """A node that loses its power while its nova-compute starts is fenced and recovered once more."""
    seen = strike(deployed, "power-cut", NODE, servers=SERVERS)
    seen.until("fencing", lambda scene: is_through(scene, Stage.RECORDED), LIMIT)
    seen.until("nova-compute starts on the node", lambda _: nova_compute_runs(deployed), LIMIT)
    assert "nova-ha-fenced" in node_of(deployed, NODE).attributes
    before = len(fencings(deployed, NODE))
    deployed.power_off(NODE)
    until_fenced(deployed, seen, NODE, before)
    assert_recovered(deployed, seen)


def nova_compute_runs(lab: Lab) -> bool:
    """Say whether the node is on and has a nova-compute."""
    if lab.conditions()[NODE] != "on":
        return False
    return lab.run(NODE, "pgrep", "-f", "[/]usr/bin/nova-compute", check=False).returncode == 0


def test_stonith_action_off_keeps_no_node_down(deployed: Lab) -> None:
    """With stonith-action=off a node is off during the recovery, and switched on again by unfencing."""
    pcs(deployed, "property", "set", "stonith-action=off")
    try:
        before, on = len(fencings(deployed, NODE)), calls(deployed, "on", NODE, f"ipmi-{NODE}")
        seen = strike(deployed, "power-cut", NODE, servers=SERVERS)
        until_fenced(deployed, seen, NODE, before)
        assert fencings(deployed, NODE)[0].startswith("off ")
        assert_recovered(deployed, seen)
        assert calls(deployed, "on", NODE, f"ipmi-{NODE}") > on
    finally:
        pcs(deployed, "property", "set", "stonith-action=reboot")


def test_a_node_powers_itself_on_during_its_recovery(deployed: Lab) -> None:
    """It joins, is unfenced, and its nova-compute waits until all of its servers are elsewhere.

    Pacemaker unfences it twice, before the connection and after it, unless it merges the two requests.
    """
    seen = prepare(deployed, "power-cut", [NODE], SERVERS)
    before, on = len(fencings(deployed, NODE)), calls(deployed, "on", NODE, "fence-nova")
    pcs(deployed, "property", "set", "stonith-action=off")
    try:
        set_spawn_time(deployed, SLOW)
        seen.begin(hit.hit(deployed, "power-cut", [NODE]))
        until_fenced(deployed, seen, NODE, before)
        deployed.power_on(NODE)
        seen.until("the node joins", lambda scene: is_through(scene, Stage.REJOINED), LIMIT)
        wait_running(deployed, NODE, CHAIN[:3], LIMIT)
        assert not nova_compute_runs(deployed)
        assert not are_elsewhere(seen.scene)
        set_spawn_time(deployed, SPAWN_SECONDS)
        assert_recovered(deployed, seen)
        assert calls(deployed, "on", NODE, "fence-nova") > on
    finally:
        set_spawn_time(deployed, SPAWN_SECONDS)
        pcs(deployed, "property", "set", "stonith-action=reboot")


def test_hold_unfencing_keeps_services_down_until_servers_are_elsewhere(deployed: Lab) -> None:
    """With hold_unfencing=1 unfencing is refused while the recovery is open, and the node has no services."""
    change_record_device(deployed, "hold_unfencing=1")
    try:
        seen = prepare(deployed, "power-cut", [NODE], SERVERS)
        before = refusals(deployed, NODE)
        set_spawn_time(deployed, SLOW)
        seen.begin(hit.hit(deployed, "power-cut", [NODE]))
        seen.until("the node joins", lambda scene: is_through(scene, Stage.REJOINED), LIMIT)
        seen.until("it is refused", lambda _: refusals(deployed, NODE) > before + 1, LIMIT)
        assert running(deployed, NODE) == set()
        assert not are_elsewhere(seen.scene)
        set_spawn_time(deployed, SPAWN_SECONDS)
        assert_recovered(deployed, seen)
        wait_running(deployed, NODE, CHAIN)
    finally:
        set_spawn_time(deployed, SPAWN_SECONDS)
        change_record_device(deployed, "hold_unfencing=")


def change_record_device(lab: Lab, parameter: str) -> None:
    """Change a parameter of fence_compute, and wait until all nodes are unfenced and run as before."""
    pcs(lab, "stonith", "update", "fence-nova", parameter)
    wait_for_restarts(lab)


def refusals(lab: Lab, node: str) -> int:
    """Return how often the record device has refused to let a node return."""
    logs = [(lab.logs / one.name / "pacemaker" / "pacemaker.log").read_text() for one in lab.controllers]
    refused = rf"Operation 'on' \[\d+\] targeting {node} using fence-nova returned [^0]"
    return sum(len(re.findall(refused, log)) for log in logs)


def test_an_admin_confirms_that_a_node_is_off(deployed: Lab) -> None:
    """While a node's BMC is dead nothing is recovered, until an admin says that the node is off."""
    deployed.bmc(NODE, "silent")
    try:
        seen = strike(deployed, "power-cut", NODE, servers=SERVERS)
        seen.until("it waits", lambda _: node_of(deployed, NODE).condition == "UNCLEAN", LIMIT)
        pcs(deployed, "stonith", "confirm", NODE, "--force")
        seen.until("every server is elsewhere", are_elsewhere, LIMIT)
    finally:
        deployed.bmc(NODE, "normal")
    assert_recovered(deployed, seen)


def test_a_level_without_the_record_device(deployed: Lab) -> None:
    """When only Pacemaker knows of a fencing, as with a watchdog, the evacuator records it and recovers."""
    level = ("stonith", "level")
    pcs(deployed, *level, "remove", "1", "target", NODE)
    pcs(deployed, *level, "add", "1", NODE, f"ipmi-{NODE}")
    # Pacemaker forgets the fencing when the node is back, and the lab's boot in no time.
    pcs(deployed, "resource", "update", NODE, f"reconnect_interval={LIMIT:.0f}s")
    before = calls(deployed, "off", NODE, "fence-nova")
    told = recorded(deployed).count(f"host '{NODE}'")
    try:
        seen = strike(deployed, "power-cut", NODE, servers=SERVERS)
        seen.until("the evacuator's record", lambda scene: is_through(scene, Stage.RECORDED), LIMIT)
        pcs(deployed, "resource", "update", NODE, f"reconnect_interval={RECONNECT}s")
        assert_recovered(deployed, seen)
        assert calls(deployed, "off", NODE, "fence-nova") == before
        assert recorded(deployed).count(f"host '{NODE}'") > told
    finally:
        pcs(deployed, *level, "remove", "1", "target", NODE)
        pcs(deployed, *level, "add", "1", NODE, f"ipmi-{NODE}", "fence-nova")
        pcs(deployed, "resource", "update", NODE, f"reconnect_interval={RECONNECT}s")


def recorded(lab: Lab) -> str:
    """Return the lines of evacuators about records that they wrote themselves."""
    logs = [lab.logs / node.name / "nova-ha" / "evacuator.log" for node in lab.controllers]
    lines = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
    return "\n".join(line for line in lines if "Pacemaker's fencing history" in line)


def test_a_node_with_redfish(deployed: Lab) -> None:
    """A node that is moved from IPMI to Redfish is fenced by it and recovered; no BMC is trusted unasked."""
    asked = power_device.fence_redfish(NODE, "status")
    refused = deployed.run_on_controller(*asked, check=False)
    assert refused.returncode == 1
    assert "certificate verify failed" in refused.stderr
    with power_device.trusted(deployed, NODE):
        assert "Status: ON" in deployed.run_on_controller(*asked).stdout
        elsewhere = Steps(deployed, OTHER)
        by_ipmi, by_redfish = (calls(deployed, "off", NODE, f"{kind}-{NODE}") for kind in ("ipmi", "redfish"))
        power_device.move(deployed, NODE, "ipmi", "redfish")
        try:
            assert_recovered(deployed, strike(deployed, "power-cut", NODE, servers=SERVERS))
            assert calls(deployed, "off", NODE, f"redfish-{NODE}") > by_redfish
            assert calls(deployed, "on", NODE, f"redfish-{NODE}") >= 1
            assert calls(deployed, "off", NODE, f"ipmi-{NODE}") == by_ipmi
            assert elsewhere.seen() == []
        finally:
            power_device.move(deployed, NODE, "redfish", "ipmi")


def test_nova_compute_in_a_container(deployed: Lab) -> None:
    """Podman runs it for Pacemaker, and has it again after a power cut only when the recovery is complete."""
    container = Container(deployed, NODE)
    container.create()
    try:
        with quick_to_stop(deployed):
            with container.in_use():
                assert_started_and_watched(deployed, container)
                assert_restarted_when_killed(deployed, container)
                assert_recovered_before_it_starts(deployed, container)
                container.signal("STOP")
            # It is a plain process again as soon as the container that does not hear has been killed.
            deployed.wait_until("the container ends", lambda: container.state().status == "exited", LIMIT)
            wait_in_service(deployed, NODE)
        assert container.state().exit_code == 128 + signal.SIGKILL
    finally:
        container.remove()


@contextmanager
def quick_to_stop(lab: Lab) -> Iterator[None]:
    """Give nova-compute 5 s to end, and 15 s for what comes after that."""
    pcs(lab, "resource", "update", "nova-compute", "op", "stop", "timeout=20s")
    try:
        yield
    finally:
        pcs(lab, "resource", "update", "nova-compute", "op", "stop", "timeout=240s")


def assert_started_and_watched(lab: Lab, container: Container) -> None:
    """It runs in place of the plain process, works, and nothing starts a second one beside it."""
    lab.wait_until("the container runs", lambda: container.state().status == "running", SETTLED)
    wait_in_service(lab, NODE)
    assert_sound(container)
    lab.wait_until("its connection is seen", lambda: is_seen_connected(lab, container), SETTLED)
    code, said = container.act("start", instance="another", user="root", host=NODE)
    assert code == ocf.ERR_GENERIC, said
    assert f"nova-compute runs already as process {container.state().pid}, and" in said


def assert_sound(container: Container, level: int = 0) -> None:
    """The monitor is content; that a look took long, which it may say, is no fault."""
    code, said = container.act("monitor", level, run_as="podman")
    assert code == ocf.SUCCESS, said


def is_seen_connected(lab: Lab, container: Container) -> bool:
    """Say whether the thorough monitor sees the connection to RabbitMQ; it has nothing to complain about."""
    assert_sound(container, 10)
    return bool(json.loads(lab.run(NODE, "cat", "/run/nova-ha/nova-compute/health").stdout)["connected"])


def assert_restarted_when_killed(lab: Lab, container: Container) -> None:
    """When its main process is killed the same container is started again."""
    steps, before = Steps(lab, NODE), container.state().pid
    lab.kill_process(NODE, " /usr/bin/nova-compute$")
    expected = [*stops(CHAIN[3:]), *starts(CHAIN[3:])]
    lab.wait_until("restart", lambda: len(steps.seen()) >= len(expected), SETTLED)
    assert steps.seen() == expected
    assert container.state().status == "running"
    assert container.state().pid != before
    wait_in_service(lab, NODE)


def assert_recovered_before_it_starts(lab: Lab, container: Container) -> None:
    """After a power cut the container's next run begins when all servers are elsewhere."""
    seen = strike(lab, "power-cut", NODE, servers=SERVERS)
    assert_recovered(lab, seen)
    verified = seen.scene.timeline.event(NODE, Stage.VERIFIED)
    assert verified
    assert container.state().status == "running"
    assert container.state().started > verified.at


def test_a_node_that_never_comes_back(deployed: Lab) -> None:
    """Another node that fails is recovered, too, and is back when the first is disabled in Pacemaker."""
    deployed.bmc(NODE, "stays-off")
    try:
        first = strike(deployed, "power-cut", NODE, servers=SERVERS)
        first.until("every server is elsewhere", are_elsewhere, LIMIT)
        expected = "evacuated: waiting for the node to return"
        deployed.wait_until("the state", lambda: sentence_about(deployed, NODE) == expected)
        deployed.openstack.client.boot(SERVERS, host=OTHER, prefix="other")
        second = follow(deployed, f"power cut of {OTHER}", OTHER)
        deployed.power_off(OTHER)
        second.until("every server is elsewhere", are_elsewhere, LIMIT)
        deployed.wait_until("still the state", lambda: sentence_about(deployed, NODE) == expected)
        pcs(deployed, "resource", "disable", NODE)
        assert_ends_well(deployed, second)
    finally:
        deployed.bmc(NODE, "normal")
        pcs(deployed, "resource", "enable", NODE)
