# SPDX-License-Identifier: Apache-2.0
"""A lost node, one that was let go in good order, one that was never there (samples of Pacemaker 2.1.5)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nova_ha.pacemaker.cib import Cib

SAMPLES = Path(__file__).parent / "samples"


def sample(name):
    """Return a CIB that a real cluster had."""
    return (SAMPLES / f"cib-2.1.5-{name}.xml").read_text(encoding="utf-8")


def lost_nodes(text):
    """Return the nodes of a CIB that count as lost."""
    return [node.name for node in Cib(text).nodes() if node.lost]


@pytest.mark.parametrize("name", ["lost", "cleaned-up-while-lost"])
def test_lost_node(name):
    """A node whose cable was cut is lost, also after an operator has cleaned up its connection's history."""
    assert "compute-0" in lost_nodes(sample(name))


@pytest.mark.parametrize("name", ["lost", "cleaned-up-while-lost", "clean-stop"])
def test_when_it_was_lost(name):
    """The failed monitor tells when; nothing does once an operator has cleaned up, or has stopped it."""
    text = sample(name)
    failure = ET.fromstring(text).find(".//lrm_rsc_op[@id='compute-0_last_failure_0'][@op-status='2']")
    expected = None if failure is None else float(failure.get("last-rc-change"))
    (node,) = (node for node in Cib(text).nodes() if node.name == "compute-0")
    assert (name == "lost", expected) == (node.lost_since is not None, node.lost_since)


@pytest.mark.parametrize("name", ["clean-stop", "never-up", "record"])
def test_node_that_is_not_lost(name):
    """A node whose connection an operator has stopped, one that was never up, and one that is up are not."""
    assert lost_nodes(sample(name)) == []


def test_operator_ends_a_loss():
    """A lost node counts as let go once an operator has stopped its connection for good."""
    stopped = '<nvpair id="x" name="target-role" value="Stopped"/>'
    root = ET.fromstring(sample("lost"))
    remote = root.find("configuration/resources//primitive[@id='compute-0']")
    ET.SubElement(remote, "meta_attributes", id="m").append(ET.fromstring(stopped))
    assert lost_nodes(ET.tostring(root, encoding="unicode")) == []


def with_failure_elsewhere(call, at):
    """Return a connection that was stopped cleanly, and a monitor of it that has failed on controller-2."""
    root = ET.fromstring(sample("clean-stop"))
    history = ET.fromstring(
        '<lrm_resource id="compute-1"><lrm_rsc_op id="f" operation="monitor" interval="2000" rc-code="1" '
        f'op-status="2" call-id="{call}" last-rc-change="{at}"/></lrm_resource>'
    )
    root.find("status/node_state[@uname='controller-2']/lrm/lrm_resources").append(history)
    return root


def test_failure_of_an_earlier_connection():
    """A failure that the connection has outlived says nothing about how it ended, even elsewhere."""
    root = with_failure_elsewhere(call="99", at="1")
    assert lost_nodes(ET.tostring(root, encoding="unicode")) == []


def test_failure_of_this_connection():
    """A failure after the connection came up last is a loss, whichever controller had the connection."""
    root = with_failure_elsewhere(call="1", at="9999999999")
    for pair in root.iterfind("configuration/resources//nvpair[@name='target-role']"):
        pair.set("value", "Started")
    assert lost_nodes(ET.tostring(root, encoding="unicode")) == ["compute-1"]
