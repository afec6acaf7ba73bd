# SPDX-License-Identifier: Apache-2.0
"""What the fence agent answers to status, monitor and list, and its exit status."""

from __future__ import annotations

import pytest

from nova_ha import record
from nova_ha.errors import (
    ClusterUnavailable,
    HostNameError,
    NovaUnavailable,
)
from nova_ha.fence_agent import IS_OFF, OK, perform
from nova_ha.model import ClusterNode
from tests.unit.fence.invented import FENCED_AT, service


def test_status(make, cluster, nova):
    """A host is off when Nova was told that it is down or its recovery is open, else on."""
    nova.list = [service("compute-0"), service("compute-1", forced_down=True)]
    assert ["on", "off"] == [make().status(node) for node in cluster.nodes]
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    assert "off" == make().status("compute-0")


def test_status_with_an_open_recovery_needs_no_nova(make, cluster, nova):
    """The record alone says that a host is off."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    nova.trouble = NovaUnavailable("not now")
    assert "off" == make().status("compute-0")


def test_status_of_an_unknown_host(make, cluster):
    """A host that Nova does not know has no status."""
    cluster.nodes["compute-9"] = ClusterNode("compute-9", is_remote=True, online=True)
    with pytest.raises(HostNameError, match="none of Nova's 2 hosts"):
        make().status("compute-9")


def test_status_in_a_down_cell(make, nova):
    """A host whose cell does not answer has no status either."""
    nova.list = [service("compute-0", status="UNKNOWN", state=None)]
    with pytest.raises(NovaUnavailable, match="cell"):
        make().status("compute-0")


@pytest.mark.parametrize("broken", ["cluster", "nova"])
def test_monitor_asks_both(make, cluster, nova, broken):
    """The monitor fails when Pacemaker or Nova gives no good answer."""
    make().monitor()
    assert (1, 1) == (cluster.asked, nova.asked)
    cluster.down = broken == "cluster"
    nova.trouble = NovaUnavailable("not now") if broken == "nova" else None
    with pytest.raises((ClusterUnavailable, NovaUnavailable)):
        make().monitor()


def test_list_has_full_and_short_names(make, nova):
    """Every host is listed, and by its short name too when that, or domain, says which host is meant."""
    nova.list = [service("a.x"), service("b.x", forced_down=True), service("b.y")]
    assert {"a": "on", "a.x": "on", "b.x": "off", "b.y": "on"} == make().hosts()
    assert "off" == make(domain="x").hosts()["b"]


def test_exit_status(make, nova):
    """The status action tells on from off by its exit status; all others succeed with 0."""
    nova.list = [service("compute-0"), service("compute-1", forced_down=True)]
    assert (OK, ["Status: ON"]) == perform("status", ["compute-0"], make())
    assert (IS_OFF, ["Status: OFF"]) == perform("status", ["compute-1"], make())
    assert (OK, ["Status: ON"]) == perform("status", ["compute-0", "compute-1"], make())
    assert (OK, []) == perform("monitor", [], make())
    assert (OK, []) == perform("validate-all", [], make())
    assert OK == perform("on", ["compute-0"], make())[0]
    assert OK == perform("off", ["compute-0"], make())[0]
