# SPDX-License-Identifier: Apache-2.0
"""What the fence agent does for each action, on an invented cluster and cloud."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from nova_ha import record
from nova_ha.errors import (
    AccessDenied,
    ClusterError,
    ClusterUnavailable,
    HostNameError,
    NovaUnavailable,
    OutOfTime,
    RecoveryOpen,
)
from nova_ha.fence_actions import FenceActions
from nova_ha.fence_agent import IS_OFF, OK, perform
from nova_ha.fence_inline import OneNode, has_evacuator, wait_for_evacuator
from nova_ha.model import ClusterNode, ClusterView, FencingEvent, Service
from nova_ha.options import FENCE, resolve
from nova_ha.runner import Result

NOON = 1763812800.0
FENCED_AT = "2025-11-22T12:00:00Z"


class FakeClock:
    """Time passes only when somebody sleeps."""

    def __init__(self):
        self.passed = 0.0
        self.at = {}

    def now(self):
        """Return the time of day."""
        return NOON + self.passed

    def monotonic(self):
        """Return the seconds that have passed."""
        return self.passed

    def sleep(self, seconds):
        """Let seconds pass, and what was planned for them happen."""
        self.passed += seconds
        for moment in [m for m in self.at if m <= self.passed]:
            self.at.pop(moment)()


class FakeCluster:
    """Nodes and their records; `down` makes it answer nothing."""

    def __init__(self, *nodes):
        self.nodes = {name: ClusterNode(name, is_remote=True, online=False) for name in nodes}
        self.down = False
        self.asked = 0

    def view(self):
        """Return the nodes."""
        self._answer()
        return ClusterView(quorate=True, nodes=tuple(self.nodes.values()))

    def write_record(self, node, fenced_at):
        """Write a record."""
        self._answer()
        if node not in self.nodes:
            raise ClusterError(f"Pacemaker knows no node '{node}'")
        self.set(node, fenced=record.record_value(fenced_at))

    def set(self, node, **values):
        """Change attributes of a node."""
        self.nodes[node] = replace(self.nodes[node], **values)

    def _answer(self):
        self.asked += 1
        if self.down:
            raise ClusterUnavailable("the cluster does not answer")


class FakeNova:
    """Services, and what they were told."""

    def __init__(self, *services):
        self.list = list(services)
        self.told = []
        self.trouble = None
        self.asked = 0

    def services(self):
        """Return the services, or raise the trouble."""
        self.asked += 1
        if self.trouble:
            raise self.trouble
        return tuple(self.list)

    def tell_down(self, service, reason):
        """Note what was told."""
        self.told.append((service.host, reason))


def service(host="compute-0", **values):
    """Make a service that is up."""
    return Service(**{"id": "1", "host": host, "status": "enabled", "state": "up", **values})


@pytest.fixture
def clock():
    """Make a clock."""
    return FakeClock()


@pytest.fixture
def cluster():
    """Make a cluster of two compute nodes."""
    return FakeCluster("compute-0", "compute-1")


@pytest.fixture
def nova():
    """Make a Nova that knows both."""
    return FakeNova(service("compute-0"), service("compute-1"))


@pytest.fixture
def make(cluster, nova, clock):
    """Make the actions with some options."""

    def make_actions(connect=lambda: nova, recover=None, **given):
        return FenceActions(cluster, connect, clock, resolve(FENCE, given, {}), recover)

    return make_actions


# --- off --------------------------------------------------------------------------------------------------


def test_off_records_and_tells(make, cluster, nova):
    """Fencing is recorded, and Nova is told in one call, with the same time in both."""
    make().off("compute-0")
    assert FENCED_AT == cluster.nodes["compute-0"].fenced_at
    assert cluster.nodes["compute-0"].recovery_is_open
    assert [("compute-0", f"nova-ha: fenced {FENCED_AT}")] == nova.told


def test_off_records_before_it_tells(make, cluster, nova):
    """Nova is told only when the record is there: its loss would be worse."""
    seen = []
    nova.tell_down = lambda *_: seen.append(cluster.nodes["compute-0"].fenced_at)
    make().off("compute-0")
    assert [FENCED_AT] == seen


def test_off_again_is_a_new_fencing(make, cluster, clock):
    """A node that is fenced while its recovery is open gets the newer time."""
    make().off("compute-0")
    clock.sleep(3600)
    make().off("compute-0")
    assert "2025-11-22T13:00:00Z" == cluster.nodes["compute-0"].fenced_at


def test_off_keeps_a_persons_disable(make, nova):
    """A service that a person has disabled is only forced down, so that its reason stays."""
    nova.list = [service(status="disabled", disabled_reason="new disks")]
    make().off("compute-0")
    assert [("compute-0", None)] == nova.told


def test_off_renews_our_disable(make, nova):
    """A service that nova-ha has disabled before gets the newer reason."""
    nova.list = [service(status="disabled", disabled_reason="nova-ha: fenced 2025-01-01T00:00:00Z")]
    make().off("compute-0")
    assert [("compute-0", f"nova-ha: fenced {FENCED_AT}")] == nova.told


def test_off_is_patient_with_nova(make, nova, clock):
    """A Nova that comes back within the patience is told."""
    nova.trouble = NovaUnavailable("not now")
    clock.at[5] = lambda: setattr(nova, "trouble", None)
    make().off("compute-0")
    assert 1 == len(nova.told)
    assert 5 <= clock.passed < 10


@pytest.mark.parametrize(
    "trouble", [NovaUnavailable("not now"), AccessDenied("no"), HostNameError("which?"), ValueError("odd")]
)
def test_off_succeeds_without_nova(make, cluster, nova, clock, caplog, trouble):
    """Fencing succeeds, within the patience, whatever is wrong with Nova; a warning says what."""
    nova.trouble = trouble
    make().off("compute-0")
    assert "Nova will be told later: " in caplog.text
    assert str(trouble) in caplog.text
    assert FENCED_AT == cluster.nodes["compute-0"].fenced_at
    assert clock.passed <= 20


def test_off_succeeds_when_nova_hangs(make, cluster, nova, caplog):
    """Fencing does not wait for a call to Nova that never returns."""
    hangs = threading.Event()
    nova.services = hangs.wait
    make(nova_wait="100ms").off("compute-0")
    hangs.set()
    assert "no answer within 0.1 s" in caplog.text
    assert FENCED_AT == cluster.nodes["compute-0"].fenced_at


def test_off_is_patient_with_the_cluster(make, cluster, nova, clock):
    """A cluster that answers again within the patience gets the record."""
    cluster.down = True
    clock.at[30] = lambda: setattr(cluster, "down", False)
    make().off("compute-0")
    assert cluster.nodes["compute-0"].recovery_is_open
    assert 1 == len(nova.told)


def test_off_fails_without_the_cluster(make, cluster, nova, clock):
    """Fencing that cannot be recorded fails in the end, and Nova is told nothing."""
    cluster.down = True
    with pytest.raises(ClusterUnavailable):
        make().off("compute-0")
    assert 45 <= clock.passed <= 50
    assert [] == nova.told


def test_off_fails_for_an_unknown_node(make, cluster, clock):
    """A node that Pacemaker does not know cannot be recorded, and no patience helps."""
    with pytest.raises(ClusterError, match="knows no node 'compute-9'"):
        make().off("compute-9")
    assert 0.0 == clock.passed


def test_off_shares_its_time(make, cluster, nova, clock):
    """Patience with the cluster leaves less for Nova, so that fencing as a whole keeps its time."""
    cluster.down = True
    clock.at[45] = lambda: setattr(cluster, "down", False)
    nova.trouble = NovaUnavailable("not now")
    make().off("compute-0")
    assert clock.passed <= 50


def test_off_recovers_inline(make, nova):
    """With record_only=0 the recovery runs within the action, after the record, up to its limit."""
    calls = []
    make(recover=lambda node, until: calls.append((node, until)), record_only="0", recover_wait="600").off(
        "compute-0"
    )
    assert [("compute-0", 600.0)] == calls
    assert 1 == len(nova.told)


def test_off_fails_when_inline_recovery_fails(make):
    """With record_only=0 a recovery that is not finished makes fencing fail."""

    def recover(_node, until):
        assert float("inf") == until
        raise OutOfTime("not complete")

    with pytest.raises(OutOfTime):
        make(recover=recover, record_only="0").off("compute-0")


# --- on ---------------------------------------------------------------------------------------------------


def test_on_lets_a_node_pass(make, cluster, nova):
    """A node without an open recovery may return at once; nothing is changed and Nova is not asked."""
    before = dict(cluster.nodes)
    make().on("compute-0")
    assert before == cluster.nodes
    assert 0 == nova.asked


def test_on_lets_every_node_pass(make, cluster):
    """A node with an open recovery may join: a constraint and NovaCompute keep nova-compute down there."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    assert "may return" in make().on("compute-0")


def test_on_lets_a_recovered_node_pass(make, cluster):
    """A node whose recovery is complete may return although its record is still there."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT), evacuated=FENCED_AT)
    assert "no recovery" in make(hold_unfencing="1").on("compute-0")


def test_on_waits_for_the_recovery(make, cluster, clock):
    """A recovery that ends within the patience delays the return, and no more."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    clock.at[10] = lambda: cluster.set("compute-0", evacuated=FENCED_AT)
    make(hold_unfencing="1", on_wait="40").on("compute-0")
    assert 10 <= clock.passed < 12


def test_on_fails_while_a_recovery_is_open(make, cluster, clock):
    """A recovery that stays open keeps the node out, with its progress in the message."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT), state="evacuating 12/20")
    with pytest.raises(RecoveryOpen, match=r"recovery of 2025-11-22T12:00:00Z.*\(evacuating 12/20\)"):
        make(hold_unfencing="1").on("compute-0")
    assert 2 <= clock.passed <= 3, "Pacemaker recovers nothing else meanwhile"


@pytest.mark.parametrize(("value", "opens"), [("no", True), ("yes", False), ("compute-0@1763812800", False)])
def test_on_honours_the_old_attribute(make, cluster, value, opens):
    """While the cluster moves over, an open recovery of the old agents keeps the node out too."""
    cluster.set("compute-0", legacy=value)
    if opens:
        make(hold_unfencing="1").on("compute-0")
    else:
        with pytest.raises(RecoveryOpen, match="old agents"):
            make(hold_unfencing="1").on("compute-0")


def test_on_does_not_take_silence_for_yes(make, cluster):
    """A cluster that does not answer keeps the node out."""
    cluster.down = True
    with pytest.raises(ClusterUnavailable):
        make(hold_unfencing="1").on("compute-0")


def test_on_fails_for_an_unknown_node(make):
    """A node that Pacemaker does not know is an error at once."""
    with pytest.raises(ClusterError, match="compute-9"):
        make(hold_unfencing="1").on("compute-9")


# --- looking ----------------------------------------------------------------------------------------------


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
    """Every host is listed, and by its short name too when no other host has the same."""
    nova.list = [service("a.x"), service("b.x", forced_down=True), service("b.y")]
    assert {"a": "on", "a.x": "on", "b.x": "off", "b.y": "on"} == make().hosts()


# --- exit status ------------------------------------------------------------------------------------------


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


# --- inline recovery --------------------------------------------------------------------------------------


def test_one_node_hides_the_others(cluster):
    """An inline evacuator sees no other node that it could recover, so that no two work on one host."""
    for node in cluster.nodes:
        cluster.set(node, fenced=record.record_value(FENCED_AT))
    cluster.change_token = cluster.mark_evacuated = cluster.clear_record = cluster.publish_state = None
    cluster.restart_compute = cluster.remember = cluster.publish_wedged = cluster.fence = None
    events = tuple(FencingEvent(node, "off", NOON) for node in cluster.nodes)
    whole = cluster.view()
    cluster.view = lambda: replace(whole, fencing=events)
    seen = OneNode(cluster, "compute-1").view()
    assert {"compute-1": FENCED_AT} == {node.name: node.fenced_at for node in seen.nodes if node.is_remote}
    assert ["compute-1"] == [event.target for event in seen.fencing]


def test_waiting_for_the_evacuator(cluster, clock):
    """With a NovaEvacuate in the cluster the agent waits for it, also while the cluster does not answer."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    cluster.down = True
    clock.at[5] = lambda: setattr(cluster, "down", False)
    clock.at[20] = lambda: cluster.set("compute-0", evacuated=FENCED_AT)
    wait_for_evacuator(cluster, clock, "compute-0", float("inf"))
    assert 20 <= clock.passed < 22


def test_waiting_for_the_evacuator_ends(cluster, clock):
    """The wait ends with the limit that the admin has set."""
    cluster.set("compute-0", fenced=record.record_value(FENCED_AT))
    with pytest.raises(OutOfTime, match="recover_wait"):
        wait_for_evacuator(cluster, clock, "compute-0", 30.0)
    assert 30 <= clock.passed < 32


@pytest.mark.parametrize(
    ("status", "output", "found"),
    [(0, '<primitive type="NovaEvacuate"/>', True), (0, "<resources/>", False), (102, "", True)],
)
def test_evacuator_in_the_cluster(status, output, found):
    """A NovaEvacuate is seen in the configuration; what Pacemaker does not tell counts as yes."""

    class Runner:
        def run(self, *command, timeout=30.0):  # noqa: ARG002 - the runner's signature
            return Result(command, status, output, "")

    assert found is has_evacuator(Runner())
