# SPDX-License-Identifier: Apache-2.0
"""A compute node is in trouble, lost or with a nova-compute that hangs, and nobody has fenced it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.lab.demo import hit
from tests.lab.demo.cloud import boot
from tests.lab.demo.scene import is_through
from tests.lab.demo.timeline import Stage
from tests.lab.deployment import SAFE_RECONNECT, Guests
from tests.lab.lab import Lab
from tests.lab.layout import node_named
from tests.lab.openstack.broker import close_connections
from tests.lab.recoveries import LIMIT, SETTLED, assert_recovered, prepare, strike, wait_for_reports

pytestmark = pytest.mark.lab

#: Seconds until a loss is noticed by Pacemaker (6 s), then by the evacuator (2 s), and told to Nova.
NOTICED = 60.0
#: Seconds until a silent nova-compute counts as down (service_down_time), is looked at twice (once a minute
#: while all is well) and is called wedged: 83 s at worst on an idle machine.
WEDGED = 180.0
#: Seconds until NovaCompute's monitor has seen that, nova-compute is killed, started, and reports.
RESTARTED = 120.0
#: Seconds until the monitor has missed the connection for 90 s.
CUT_OFF = 180.0
NOVA_COMPUTE = r"/usr/bin/nova-compute"


def service(lab: Lab, host: str) -> tuple[str, bool, str]:
    """Return status, forced_down and disabled_reason of a host's nova-compute."""
    found = next(
        one
        for one in lab.openstack.client.services()
        if (one["binary"], one["host"]) == ("nova-compute", host)
    )
    return found["status"], found["forced_down"], found["disabled_reason"] or ""


def is_called_lost(lab: Lab, host: str) -> bool:
    """Say whether the service is disabled as that of a lost host, and not forced down."""
    status, forced_down, reason = service(lab, host)
    return status == "disabled" and not forced_down and reason.startswith("nova-ha: lost 20")


def test_lost_node_is_disabled_before_it_is_fenced(cloud: Lab) -> None:
    """While its power device does not answer, a lost node is disabled, and its servers are left alone."""
    follow = prepare(cloud, "cable", ["compute-0"], servers=4)
    # Not earlier: while a monitor of its device fails Pacemaker plans nothing else.
    cloud.bmc("compute-0", "silent")
    try:
        follow.begin(hit.hit(cloud, "cable", ["compute-0"]))
        cloud.wait_until("compute-0 is disabled", lambda: is_called_lost(cloud, "compute-0"), NOTICED)
        assert {server.host for server in follow.fresh_look().servers or ()} == {"compute-0"}
    finally:
        cloud.bmc("compute-0", "normal")
    try:
        follow.until("every server is verified", lambda scene: is_through(scene, Stage.VERIFIED), LIMIT)
        assert service(cloud, "compute-0")[2].startswith("nova-ha: fenced 20")
    finally:
        cloud.cable("compute-0", up=True)
    assert_recovered(cloud, follow)
    assert service(cloud, "compute-0") == ("enabled", False, "")


def test_lost_node_that_comes_back_unfenced_is_enabled(cloud: Lab) -> None:
    """Without fencing, a lost node that is online again is enabled, and its servers have never left it."""
    cloud.run_on_controller("pcs", "property", "set", "stonith-enabled=false")
    try:
        follow = strike(cloud, "cable", "compute-1", servers=4)
        cloud.wait_until("compute-1 is disabled", lambda: is_called_lost(cloud, "compute-1"), NOTICED)
        cloud.cable("compute-1", up=True)
        cloud.wait_until("compute-1 is enabled", lambda: service(cloud, "compute-1")[0] == "enabled", SETTLED)
        assert {server.host for server in follow.fresh_look().servers or ()} == {"compute-1"}
    finally:
        cloud.cable("compute-1", up=True)
        cloud.run_on_controller("pcs", "property", "set", "stonith-enabled=true")


@pytest.fixture
def watched(cloud: Lab) -> Iterator[Lab]:
    """Give a cloud whose wedged nova-computes are noticed soon, and read about by NovaCompute's monitor."""
    thorough = ("nova-compute", "monitor", "interval=7s", "timeout=60s", "OCF_CHECK_LEVEL=10")
    cloud.run_on_controller("pcs", "resource", "op", "add", *thorough)
    # What hangs does not end by itself; 15 s before the limit it is killed.
    cloud.run_on_controller("pcs", "resource", "update", "nova-compute", "op", "stop", "timeout=30s")
    yield cloud
    cloud.run_on_controller("pcs", "resource", "op", "delete", "nova-compute-monitor-interval-7s")
    unset = ("wedged_after=", "fence_wedged_after=")
    cloud.run_on_controller("pcs", "resource", "update", "nova-evacuate", *unset)
    cloud.run_on_controller("pcs", "resource", "update", "nova-compute", "op", "stop", "timeout=240s")


def notice_wedged(lab: Lab, *more: str) -> None:
    """Let the evacuator notice a wedged nova-compute after ten seconds."""
    lab.run_on_controller("pcs", "resource", "update", "nova-evacuate", "wedged_after=10", *more)
    lab.run_on_controller("crm_resource", "--wait", timeout=LIMIT)
    lab.wait_cluster(SETTLED)


def is_called_wedged(lab: Lab) -> bool:
    """Say whether a node has the attribute that NovaCompute's monitor reads."""
    return "nova-ha-wedged" in lab.run_on_controller("crm_mon", "-1A").stdout


def test_wedged_nova_compute_is_restarted(watched: Lab) -> None:
    """A nova-compute that hangs is restarted through NovaCompute's monitor, and its servers run on."""
    notice_wedged(watched)
    boot(watched, ["compute-2"], 2)
    guests = Guests(watched)
    watched.kill_process("compute-2", NOVA_COMPUTE, signal.SIGSTOP)
    watched.wait_until("it is called wedged", lambda: is_called_wedged(watched), WEDGED)
    watched.wait_until("it reports again", lambda: not is_called_wedged(watched), RESTARTED)
    assert service(watched, "compute-2") == ("enabled", False, "")
    guests.assert_untouched()


def test_nova_compute_without_a_broker_is_restarted(watched: Lab) -> None:
    """A nova-compute that hangs, and whose connections RabbitMQ has closed, is restarted by its monitor."""
    watched.run_on_controller("pcs", "resource", "update", "nova-evacuate", "wedged_after=0")
    boot(watched, ["compute-1"], 2)
    guests = Guests(watched)
    watched.wait_until("its connection is seen", lambda: '"connected": true' in health(watched), SETTLED)
    watched.kill_process("compute-1", NOVA_COMPUTE, signal.SIGSTOP)
    assert close_connections(watched, node_named("compute-1").address)
    watched.wait_until("the monitor misses it", lambda: misses_its_broker(watched), CUT_OFF)
    wait_for_reports(watched, ["compute-1"], RESTARTED)
    guests.assert_untouched()


def health(lab: Lab) -> str:
    """Return what NovaCompute's monitor of level 10 has noted on compute-1."""
    return str(lab.run("compute-1", "sh", "-c", "cat /run/nova-ha/*/health", check=False).stdout)


def misses_its_broker(lab: Lab) -> bool:
    """Say whether Pacemaker shows NovaCompute's complaint."""
    return "no connection to RabbitMQ" in lab.run_on_controller("crm_mon", "-1").stdout


def test_nova_compute_that_stays_wedged_gets_its_node_fenced(watched: Lab) -> None:
    """With fence_wedged_after=1 a restart that does not help is followed by fencing and recovery."""
    notice_wedged(watched, "fence_wedged_after=1")
    # A fencing of a node whose connection works must end before the next attempt (pcs-examples/020-nodes.sh).
    watched.run_on_controller(
        "pcs", "resource", "update", "compute-3", f"reconnect_interval={SAFE_RECONNECT}s"
    )
    watched.wait_cluster(SETTLED)
    configuration = watched.disk("compute-3") / "etc/nova/nova.conf"
    sound = configuration.read_text()
    follow = prepare(watched, "power-cut", ["compute-3"], servers=4)
    configuration.write_text(sound.replace(":5672", ":5673"))
    try:
        follow.begin(time.time())
        watched.kill_process("compute-3", NOVA_COMPUTE, signal.SIGSTOP)
        follow.until("it is fenced", lambda scene: is_through(scene, Stage.RECORDED), 2 * LIMIT)
    finally:
        configuration.write_text(sound)
    assert_recovered(watched, follow, but=frozenset({Stage.LOST}), limit=3 * LIMIT)
