# SPDX-License-Identifier: Apache-2.0
"""Pacemaker's answers, as recorded on a cluster of Pacemaker 2.1.5 (samples/), and what is asked of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nova_ha.errors import ClusterError, ClusterUnavailable
from nova_ha.model import ClusterNode, FencingEvent
from nova_ha.pacemaker import cib
from nova_ha.pacemaker.cluster import Pacemaker
from nova_ha.runner import CommandFailed, Result
from nova_ha.testing.clock import VirtualClock

SAMPLES = Path(__file__).parent / "samples"
FENCED_AT = "2026-11-22T06:40:12Z"
RECORD = f'<nvpair id="nodes-compute-0-nova-ha-fenced" name="nova-ha-fenced" value="fenced {FENCED_AT}"/>'


def sample(name):
    """Return a recorded answer."""
    return (SAMPLES / name).read_text(encoding="utf-8")


class PretendedTools:
    """Pacemaker's tools, acting on the text of a recorded CIB as the real ones were seen to act."""

    def __init__(self, cib_text, history="history-2.1.5.xml", legacy="legacy-absent-2.1.5.xml"):
        self.cib = cib_text
        self.answers = {"stonith_admin": (0, sample(history)), "attrd_updater": self._legacy(legacy)}
        self.calls = []
        self.ignore_writes = False
        self.before_delete = lambda: None

    @staticmethod
    def _legacy(name):
        return (78 if "absent" in name else 0, sample(name))

    def run(self, *command, timeout=30.0):
        """Answer a command."""
        self.calls.append(command)
        assert timeout <= 20
        returncode, stdout = self._answer(command)
        return Result(command, returncode, stdout, "" if returncode == 0 else f"{command[0]}: went wrong")

    def _answer(self, command):
        if command[:2] in self.answers or (command[0] in self.answers and "--update" not in command):
            return self.answers.get(command[:2], self.answers.get(command[0]))
        if command[0] == "crm_node":
            return 0, "controller-0\n"
        if command[:2] == ("cibadmin", "--query"):
            return 0, self.cib
        if command[:2] == ("cibadmin", "--delete"):
            self.before_delete()
            self.cib = self.cib.replace(command[3], "")
            return 0, ""
        if command[0] == "crm_attribute":
            return self._write(*command[2:8:2], command[-1])
        return 0, ""

    def _write(self, node, name, lifetime, value):
        assert lifetime == "forever"
        if f'uname="{node}"' not in self.cib:
            return 105, ""
        pair = f'<nvpair id="nodes-{node}-{name}" name="{name}" '
        self.cib = re.sub(re.escape(pair) + "[^>]*>", "", self.cib)
        if not self.ignore_writes and value != "--delete":
            opening = f'<instance_attributes id="nodes-{node}">'
            self.cib = self.cib.replace(opening, f'{opening}{pair}value="{value}"/>', 1)
        return 0, ""


@pytest.fixture
def tools():
    """Give the tools of a cluster in which compute-0 has a record."""
    return PretendedTools(sample("cib-2.1.5-record.xml"))


@pytest.fixture
def cluster(tools):
    """Give the port to that cluster."""
    return Pacemaker(tools, VirtualClock())


def test_nodes_of_a_recorded_cluster(cluster):
    """Full members and remote nodes are told apart, with their records, also one that has no entry yet."""
    view = cluster.view()
    assert view.quorate
    assert (
        ClusterNode("compute-0", is_remote=True, online=True, fenced=f"fenced {FENCED_AT}"),
        ClusterNode("compute-1", is_remote=True, online=True),
        ClusterNode("controller-0", is_remote=False, online=True),
    ) == view.nodes
    assert view.node("compute-0").recovery_is_open


def test_lost_connection():
    """A remote node whose connection is lost or stopped is offline; its permanent attributes stay."""
    view = Pacemaker(PretendedTools(sample("cib-2.1.5-offline.xml")), VirtualClock()).view()
    assert (False, True) == (view.node("compute-0").online, view.node("compute-1").online)
    assert "permanent 1/2" == view.node("compute-0").state


def test_times_of_joining():
    """Pacemaker 2.1.7 and later write when a node joined where older ones wrote true, and 0 for false."""
    text = sample("cib-2.1.5-offline.xml")
    text = text.replace('in_ccm="true"', 'in_ccm="1721760952"').replace('in_ccm="false"', 'in_ccm="0"')
    text = text.replace('crmd="online"', 'crmd="1721760952"')
    nodes = cib.Cib(text).nodes()
    assert [("compute-0", False), ("compute-1", True), ("controller-0", True)] == [
        (node.name, node.online) for node in nodes
    ]


def test_member_without_its_controller():
    """A full member that has left the controllers' group is offline even while corosync still has it."""
    text = sample("cib-2.1.5-record.xml").replace('crmd="online"', 'crmd="offline"')
    assert [False] == [node.online for node in cib.Cib(text).nodes() if not node.is_remote]


def test_no_quorum():
    """A partition without quorum is told as such."""
    text = sample("cib-2.1.5-record.xml").replace('have-quorum="1"', 'have-quorum="0"')
    assert not cib.Cib(text).is_quorate


def test_guest_node():
    """A node that is a guest of the cluster itself is a remote node, too, even before it was ever up."""
    meta = '<meta_attributes id="m"><nvpair id="n" name="remote-node" value="guest-1"/></meta_attributes>'
    text = sample("cib-2.1.5-record.xml").replace(
        "<resources>", f'<resources><primitive id="vm">{meta}</primitive>'
    )
    assert ClusterNode("guest-1", is_remote=True, online=False) in cib.Cib(text).nodes()


@pytest.mark.parametrize("text", ["", "no xml", "<cib", "<other/>"])
def test_answer_that_is_no_cib(text):
    """An answer that is not a CIB is an error, never a cluster without nodes."""
    with pytest.raises(ClusterError):
        cib.Cib(text)


def test_fencing_history(cluster):
    """Successful fencings are read with target, time and who carried them out."""
    assert (FencingEvent("compute-0", "reboot", 1795349086.0, "controller-0"),) == cluster.view().fencing


def test_fencing_by_word_of_an_operator():
    """A fencing that an operator has confirmed by hand is in the history as such."""
    (event,) = cib.fencing_history(sample("history-confirmed-2.1.5.xml"))
    assert ("compute-1", "off", "a human") == (event.target, event.action, event.by)


def test_fencing_that_proves_nothing():
    """Failed and pending fencings, and unfencing, are no proof that a node was without power."""
    text = sample("history-2.1.5.xml")
    for old, new in (("success", "failed"), ("success", "pending"), ('"reboot"', '"on"')):
        assert () == cib.fencing_history(text.replace(old, new))
    assert () == cib.fencing_history(sample("history-none-2.1.5.xml"))


def test_history_that_was_not_told():
    """A history that Pacemaker failed to tell is an error, never an empty history."""
    text = sample("history-none-2.1.5.xml").replace(
        'code="0" message="OK"', 'code="102" message="Not connected"'
    )
    with pytest.raises(ClusterError, match="did not tell the fencing history: Not connected"):
        cib.fencing_history(text)


def test_history_is_asked_for_when_something_changed(tools):
    """The history costs a process only when the CIB has changed, or after a minute."""
    clock = VirtualClock()
    cluster = Pacemaker(tools, clock)

    def asked():
        return len([call for call in tools.calls if call[0] == "stonith_admin"])

    cluster.view()
    cluster.view()
    assert 1 == asked()
    tools.cib = re.sub(r'num_updates="\d+"', 'num_updates="4711"', tools.cib, count=1)
    cluster.view()
    assert 2 == asked()
    clock.sleep(61)
    cluster.view()
    assert 3 == asked()


def test_idle_view_costs_one_process(cluster, tools):
    """Looking again at a cluster in which nothing has changed runs one tool."""
    cluster.view()
    tools.calls.clear()
    cluster.view()
    assert [("cibadmin", "--query")] == tools.calls


def test_attribute_of_the_predecessors():
    """The old agents' attribute is found under the node's name, and under Nova's name of it with a domain."""
    tools = PretendedTools(sample("cib-2.1.5-record.xml"), legacy="legacy-one-2.1.5.xml")
    view = Pacemaker(tools, VirtualClock()).view()
    assert ["yes", None, None] == [node.legacy for node in view.nodes]


def test_cleared_attribute_of_the_predecessors():
    """An empty value means what no value means."""
    text = sample("legacy-one-2.1.5.xml").replace('value="yes"', 'value=""')
    assert {} == cib.private_attributes(text)


def test_unknown_attribute_of_the_predecessors(tools, cluster):
    """When it cannot be told whether the attribute is set, the view fails: unknown is not empty."""
    tools.answers["attrd_updater"] = (102, "")
    with pytest.raises(ClusterUnavailable):
        cluster.view()


def test_write_record(cluster):
    """A record is written on the node's own entry."""
    cluster.write_record("compute-0", "2026-11-22T07:00:00Z")
    assert "fenced 2026-11-22T07:00:00Z" == cluster.view().node("compute-0").fenced


def test_record_that_is_not_kept(cluster, tools):
    """A write that Pacemaker accepts and does not keep is an error that says what was kept."""
    tools.ignore_writes = True
    with pytest.raises(ClusterError, match=r"'fenced 2026.*', and nothing was kept"):
        cluster.write_record("compute-0", "2026-11-22T07:00:00Z")


def test_unknown_node(cluster):
    """A node that Pacemaker does not know is told by name."""
    with pytest.raises(ClusterError, match="Pacemaker knows no node 'nosuch'; its nodes are"):
        cluster.write_record("nosuch", FENCED_AT)


def test_mark_closes_the_recovery(cluster):
    """A mark with the record's time makes the recovery complete."""
    cluster.mark_evacuated("compute-0", FENCED_AT)
    assert not cluster.view().node("compute-0").recovery_is_open


def test_mark_of_an_earlier_fencing_is_taken_back(cluster):
    """A mark that is written after the record of a later fencing does not stay beside it."""
    cluster.mark_evacuated("compute-0", "2026-11-22T05:00:00Z")
    node = cluster.view().node("compute-0")
    assert (f"fenced {FENCED_AT}", None) == (node.fenced, node.evacuated)


def test_clear_record(cluster):
    """Record and mark of a fencing are removed together."""
    cluster.mark_evacuated("compute-0", FENCED_AT)
    assert cluster.clear_record("compute-0", FENCED_AT)
    node = cluster.view().node("compute-0")
    assert (None, None) == (node.fenced, node.evacuated)


def test_record_of_a_later_fencing_stays(cluster):
    """The record of another fencing than the one that is over is not touched."""
    assert not cluster.clear_record("compute-0", "2026-11-22T05:00:00Z")
    assert cluster.view().node("compute-0").recovery_is_open


def test_record_that_changes_while_it_is_cleared(cluster, tools):
    """A record that is written between the look and the removal stays: Pacemaker compares the value."""

    def fenced_again():
        tools.cib = tools.cib.replace(f"fenced {FENCED_AT}", "fenced 2026-11-22T08:00:00Z")

    tools.before_delete = fenced_again
    cluster.clear_record("compute-0", FENCED_AT)
    assert "fenced 2026-11-22T08:00:00Z" == cluster.view().node("compute-0").fenced


def test_removal_names_the_value(cluster, tools):
    """The removal gives id, name and value, all of which must fit."""
    cluster.clear_record("compute-0", FENCED_AT)
    assert ("cibadmin", "--delete", "--xml-text", RECORD) in tools.calls


def test_publish_state(cluster, tools):
    """The sentence for people stands on the node's entry, and on this controller where crm_mon shows it."""
    cluster.publish_state("compute-0", "evacuating 3/20")
    assert "evacuating 3/20" == cluster.view().node("compute-0").state
    shown = (
        "attrd_updater",
        "--name",
        "nova-ha-compute-0",
        "--node",
        "controller-0",
        "--update",
        "evacuating 3/20",
    )
    assert shown in tools.calls


def test_state_shown_by_another_controller(cluster, tools):
    """What a controller showed that no longer runs the evacuator is taken away."""
    shown = '<nvpair id="b" name="nova-ha-compute-0" value="old"/>'
    other = f"<transient_attributes><instance_attributes>{shown}</instance_attributes></transient_attributes>"
    tools.cib = tools.cib.replace(
        "<status>", f'<status><node_state uname="controller-1">{other}</node_state>'
    )
    cluster.publish_state("compute-0", "evacuating 3/20")
    assert tools.calls[-1] == (
        "attrd_updater",
        "--name",
        "nova-ha-compute-0",
        "--node",
        "controller-1",
        "--delete",
    )


def test_withdraw_state(cluster):
    """Without a sentence the attribute is removed; removing it twice is no error."""
    cluster.publish_state("compute-0", "evacuating 3/20")
    cluster.publish_state("compute-0", None)
    cluster.publish_state("compute-0", None)
    assert cluster.view().node("compute-0").state is None


@pytest.mark.parametrize(
    ("status", "kind"), [(102, ClusterUnavailable), (106, ClusterUnavailable), (4, ClusterError)]
)
def test_failures_of_tools(cluster, tools, status, kind):
    """No connection and no quorum may pass; missing rights do not."""
    tools.answers["cibadmin", "--query"] = (status, "")
    with pytest.raises(ClusterError, match=f"cibadmin failed with exit status {status}: ") as caught:
        cluster.view()
    assert kind is type(caught.value)


def test_tool_that_hangs():
    """A tool that does not end means that Pacemaker does not answer."""

    class Hangs:
        def run(self, *command, timeout):
            raise CommandFailed(f"{command[0]} did not end within {timeout:g} s")

    with pytest.raises(ClusterUnavailable, match="cibadmin did not end within 20 s"):
        Pacemaker(Hangs(), VirtualClock()).view()


def test_change_token(tmp_path):
    """The token differs when Pacemaker has replaced its file, and there is one even without the file."""
    file = tmp_path / "cib.xml"
    cluster = Pacemaker(PretendedTools(""), VirtualClock(), str(file))
    assert cluster.change_token() is None
    file.write_text("<cib/>", encoding="utf-8")
    first = cluster.change_token()
    assert first == cluster.change_token()
    other = tmp_path / "new"
    other.write_text("<cib/>", encoding="utf-8")
    other.replace(file)
    assert first != cluster.change_token()
