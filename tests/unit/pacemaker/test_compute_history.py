# SPDX-License-Identifier: Apache-2.0
"""Whether Pacemaker runs nova-compute on a node (a sample of 2.1.5; a Dummy stood for NovaCompute in it)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nova_ha.pacemaker.cib import Cib

SAMPLES = Path(__file__).parent / "samples"
NODE = "compute-2"


@pytest.fixture
def root():
    """Give the CIB of a cluster that runs nova-compute on three nodes, one of which is called wedged."""
    text = (SAMPLES / "cib-2.1.5-wedged.xml").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    root.find("configuration/resources//primitive[@id='nova-compute']").attrib.update(
        provider="openstack", type="NovaCompute"
    )
    return root


def node(root):
    """Return what is known of the node."""
    return next(one for one in Cib(ET.tostring(root, encoding="unicode")).nodes() if one.name == NODE)


def history(root):
    """Return the node's history of nova-compute."""
    return root.find(f"status/node_state[@uname='{NODE}']/lrm/lrm_resources/lrm_resource[@id='nova-compute']")


def add(root, where, name, value):
    """Give a resource, or the cluster, a setting."""
    parent = root.find(where)
    holder = ET.SubElement(parent, "cluster_property_set" if "crm_config" in where else "meta_attributes")
    ET.SubElement(holder, "nvpair", id="x", name=name, value=value)


def test_running(root):
    """A nova-compute that was started and is monitored runs since its start; the attribute is read too."""
    start = next(one for one in history(root) if one.get("operation") == "start")
    assert node(root).compute_since == float(start.get("last-rc-change"))
    assert node(root).wedged.startswith("2026-11-22T06:40:12Z no heartbeat")


@pytest.mark.parametrize(
    "change", [{"operation": "stop"}, {"rc-code": "7"}, {"operation": "start", "rc-code": "1"}]
)
def test_not_running(root, change):
    """After a stop, a failed monitor or a failed start nothing is to be expected of it."""
    last = {**dict(history(root)[0].attrib), "id": "last", "call-id": "9999", **change}
    ET.SubElement(history(root), "lrm_rsc_op", last)
    assert node(root).compute_since is None


def test_running_degraded(root):
    """A nova-compute of which a monitor, or a probe, says degraded runs all the same."""
    for operation in history(root):
        if operation.get("operation") == "monitor":
            operation.set("rc-code", "190")
    start = next(one for one in history(root) if one.get("operation") == "start")
    assert node(root).compute_since == float(start.get("last-rc-change"))
    start.attrib.update({"operation": "monitor", "interval": "0", "last-rc-change": "77", "rc-code": "190"})
    assert node(root).compute_since == 77.0


def test_pending(root):
    """While an operation is pending nobody knows."""
    pending = {"id": "p", "operation": "start", "rc-code": "193", "op-status": "-1", "call-id": "-1"}
    ET.SubElement(history(root), "lrm_rsc_op", pending)
    assert node(root).compute_since is None


def test_found_running(root):
    """A probe that found it running counts as its beginning: the connection came up on another controller."""
    for operation in list(history(root)):
        if operation.get("operation") == "start":
            operation.attrib.update({"operation": "monitor", "interval": "0", "last-rc-change": "77"})
    assert node(root).compute_since == 77.0


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ("configuration/crm_config", "maintenance-mode", "true"),
        ("configuration/resources//primitive[@id='nova-compute']", "is-managed", "false"),
        ("configuration/resources/clone", "is-managed", "false"),
        ("configuration/resources/clone", "maintenance", "true"),
    ],
)
def test_left_alone(root, where, name, value):
    """In maintenance, or unmanaged, by itself or with its clone, Pacemaker would not restart it."""
    if root.find("configuration/crm_config") is None:
        ET.SubElement(root.find("configuration"), "crm_config")
    add(root, where, name, value)
    assert node(root).compute_since is None


def test_other_resources(root):
    """A resource of another agent is no nova-compute."""
    root.find("configuration/resources//primitive[@id='nova-compute']").set("type", "Dummy")
    assert node(root).compute_since is None
