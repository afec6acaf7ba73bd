# SPDX-License-Identifier: Apache-2.0
"""What Pacemaker 3.0.0 answers, as recorded (samples/), means the same to us as what 2.1.5 answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nova_ha.model import ClusterNode, FencingEvent
from nova_ha.pacemaker import cib

SAMPLES = Path(__file__).parent / "samples"


def sample(name):
    """Return a recorded answer."""
    return (SAMPLES / name).read_text(encoding="utf-8")


def online(text):
    """Return the nodes of a CIB that are online."""
    return {node.name for node in cib.Cib(text).nodes() if node.online}


@pytest.fixture
def text():
    """Give the CIB of a cluster whose remote node compute-0 is online and has a record."""
    return sample("cib-3.0.0-record.xml")


def test_nodes(text):
    """Members and remote nodes are told apart, with what is known of each."""
    configuration = cib.Cib(text)
    assert configuration.is_quorate
    joined, fenced, member = configuration.nodes()
    assert ("compute-0", True, True) == (joined.name, joined.is_remote, joined.online)
    assert ("fenced 2026-11-22T06:40:12Z", "evacuating 12/20") == (joined.fenced, joined.state)
    assert joined.recovery_is_open
    assert joined.fenced_since is None
    assert ("compute-1", True, False) == (fenced.name, fenced.is_remote, fenced.online)
    assert fenced.fenced_since is not None
    assert ClusterNode("controller-0", is_remote=False, online=True) == member


def test_online_remote_nodes_are_not_in_ccm(text):
    """What this is about: the node that is online has the same in_ccm as the one that is not."""
    assert 2 == len(re.findall(r'<node_state remote_node="true" [^>]*in_ccm="0"', text))


def test_lost_and_fenced_node():
    """A remote node whose connection was lost is offline, and the fencing is known."""
    text = sample("cib-3.0.0-offline.xml")
    assert {"controller-0"} == online(text)
    assert {"compute-0", "compute-1"} == {n.name for n in cib.Cib(text).nodes() if n.fenced_since is not None}


def test_lost_connection_that_is_not_stopped_yet(text):
    """From the moment in which its monitor fails a connection is down."""
    failed = '<lrm_rsc_op operation="monitor" interval="2000" call-id="4" rc-code="1" op-status="4"/>'
    entry = '<lrm_resource id="compute-0" class="ocf" provider="pacemaker" type="remote">'
    head, _, tail = text.partition(entry)
    assert tail
    assert "compute-0" in online(text)
    assert "compute-0" not in online(head + entry + failed + tail)


def history(*operations, joined="0"):
    """Return a CIB in which each of two controllers remembers operations: (name, call-id, rc-code)."""
    entries = [
        "".join(
            f'<lrm_rsc_op operation="{name}" call-id="{call}" rc-code="{rc}" op-status="{min(call, 0)}"/>'
            for name, call, rc in told
        )
        for told in operations
    ]
    controllers = "".join(
        f'<node_state uname="controller-{number}"><lrm><lrm_resources><lrm_resource id="compute-0">{told}'
        "</lrm_resource></lrm_resources></lrm></node_state>"
        for number, told in enumerate(entries)
    )
    remote = f'<node_state remote_node="true" uname="compute-0" in_ccm="{joined}"/>'
    return f"<cib><configuration/><status>{controllers}{remote}</status></cib>"


UP = (("start", 3, 0), ("monitor", 4, 0))


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], False),
        ([UP], True),
        ([(("monitor", 2, 7),)], False),
        ([(("start", 3, 1),)], False),
        ([(*UP, ("stop", 5, 0))], False),
        ([(*UP, ("monitor", 4, 1))], False),
        ([(*UP, ("stop", -1, 193))], False),
        ([(("monitor", 4, 0), ("start", -1, 193))], False),
        ([(("start", 3, 0), ("monitor", -1, 193))], True),
        ([(("stop", 5, 0),), UP], True),
        ([(*UP, ("migrate_to", 5, 0)), ()], True),
        ([(*UP, ("migrate_to", 5, 0), ("stop", 6, 0)), (("migrate_from", 2, 0),)], True),
        ([(*UP, ("stop", 5, 0)), (("monitor", 2, 7),)], False),
    ],
)
def test_history_of_a_connection(operations, expected):
    """A connection is up where its newest operation has left it up."""
    assert expected is ("compute-0" in online(history(*operations)))


def test_older_pacemaker_says_it_itself():
    """Words in in_ccm count, whatever the history says: that is how 2.1.5 does it."""
    assert "compute-0" not in online(history(UP, joined="false"))
    assert "compute-0" in online(history(joined="true"))


def test_fencing_history():
    """Fractions of a second are read, and everything else is as before."""
    events = cib.fencing_history(sample("history-3.0.0.xml"))
    assert ["compute-1", "compute-0"] == [event.target for event in events]
    assert (
        FencingEvent("compute-1", "reboot", pytest.approx(1795360857.93, abs=0.01), "controller-0")
        == events[0]
    )
    confirmed = cib.fencing_history(sample("history-confirmed-3.0.0.xml"))
    assert ("compute-1", "off", "a human") == (confirmed[-1].target, confirmed[-1].action, confirmed[-1].by)


def test_attributes():
    """Private and transient attributes are told in the same form."""
    assert {"compute-0.example.com": "yes"} == cib.private_attributes(sample("legacy-one-3.0.0.xml"))
    assert sample("legacy-absent-2.1.5.xml").replace("2.25", "2.38") == sample("legacy-absent-3.0.0.xml")
    wedged = cib.private_attributes(sample("transient-3.0.0.xml"))
    assert {"compute-0": "2026-11-22T06:40:12Z no heartbeat"} == wedged
