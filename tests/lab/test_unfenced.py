# SPDX-License-Identifier: Apache-2.0
"""A compute node is lost and not fenced: Nova keeps new servers from it, and nothing else happens to it."""

from __future__ import annotations

import pytest

from tests.lab.demo.scene import is_through
from tests.lab.demo.timeline import Stage
from tests.lab.lab import Lab
from tests.lab.recoveries import LIMIT, SETTLED, assert_recovered, strike

pytestmark = pytest.mark.lab

#: Seconds until a loss is noticed by Pacemaker (6 s), then by the evacuator (2 s), and told to Nova.
NOTICED = 30.0


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
    cloud.bmc("compute-0", "silent")
    try:
        follow = strike(cloud, "cable", "compute-0", servers=4)
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
