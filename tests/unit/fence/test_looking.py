# SPDX-License-Identifier: Apache-2.0
"""What the fence agent answers to status, monitor and list, and its exit status."""

from __future__ import annotations

import threading

import pytest

from nova_ha import record
from nova_ha.errors import (
    AccessDenied,
    ClusterUnavailable,
    ConfigurationError,
    HostNameError,
    NovaUnavailable,
)
from nova_ha.fence import fence_actions
from nova_ha.fence.fence_agent import IS_OFF, OK, perform
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
    """Called by hand the monitor fails when Pacemaker or Nova gives no good answer."""
    make().monitor()
    assert (1, 1) == (cluster.asked, nova.asked)
    cluster.down = broken == "cluster"
    nova.trouble = NovaUnavailable("not now") if broken == "nova" else None
    with pytest.raises((ClusterUnavailable, NovaUnavailable)):
        make().monitor()


@pytest.mark.parametrize(
    "trouble",
    [
        NovaUnavailable("not now"),
        AccessDenied("the credential has expired"),
        ConfigurationError("its certificate has expired"),
        RuntimeError("odd"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_monitor_for_pacemaker_only_warns_of_nova(make, nova, trouble, caplog):
    """Pacemaker's monitor succeeds whatever Nova or Keystone say: fencing does not need them."""
    nova.trouble = trouble
    assert "Pacemaker answers" == make(nova_may_be_away=True).monitor()
    (warning,) = caplog.messages
    assert warning.startswith("fencing works, but Nova could be told of none now: ")
    assert str(trouble) in warning


def test_monitor_for_pacemaker_does_not_wait_for_a_nova_that_hangs(make, nova, monkeypatch, caplog):
    """A Nova that never answers does not make Pacemaker's monitor late."""
    monkeypatch.setattr(fence_actions, "_MONITOR_PATIENCE", 0.01)
    hangs = threading.Event()
    nova.services = hangs.wait
    make(nova_may_be_away=True).monitor()
    hangs.set()
    assert "no answer within 0.01 s" in caplog.text


def test_monitor_for_pacemaker_fails_where_another_controller_may_be_better(make, cluster, nova, caplog):
    """What is wrong on this controller is an error: its Pacemaker, the options, and the files they name."""
    assert "Pacemaker and Nova answer" == make(nova_may_be_away=True).monitor()
    assert [] == caplog.messages

    def connect():
        raise ConfigurationError("clouds_yaml=/none: cannot be read")

    with pytest.raises(ConfigurationError):
        make(connect, nova_may_be_away=True).monitor()
    cluster.down = True
    with pytest.raises(ClusterUnavailable):
        make(nova_may_be_away=True).monitor()


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
