# SPDX-License-Identifier: Apache-2.0
"""doctor finds compute nodes that count as fenced although their watchdog may not have reset them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from nova_ha.commands import doctor_fencing
from tests.unit.commands.deployment import Deployment

LEVELS = ".//fencing-level"
CONTROLLERS = "controller-0 controller-1 controller-2"


def found(timeout, nodes=None):
    """Return the findings about a cluster without levels.

    Args:
        timeout: the property stonith-watchdog-timeout.
        nodes: those that a resource watchdog names; None without the resource.
    """
    deployment = Deployment()
    deployment.remove(LEVELS)
    deployment.property("stonith-watchdog-timeout", timeout)
    if nodes is not None:
        device = {"id": "watchdog", "class": "stonith", "type": "fence_watchdog"}
        primitive = ET.SubElement(deployment.root.find("configuration/resources"), "primitive", device)
        ET.SubElement(primitive, "instance_attributes", {"id": "watchdog-parameters"})
        deployment.parameter("watchdog", "pcmk_host_list", nodes or None)
    return list(doctor_fencing.watchdog(deployment.all_facts()))


@pytest.mark.parametrize("timeout", ["15s", "10000ms", "-1"])
def test_without_the_resource_all_nodes_count(timeout):
    """The property alone makes the watchdogs of compute nodes count; the fix is to name the controllers."""
    (finding,) = found(timeout)
    assert "the fencing of compute-0, compute-1, but" in finding.problem
    assert f'pcs stonith create watchdog fence_watchdog pcmk_host_list="{CONTROLLERS}"' == finding.fix


@pytest.mark.parametrize(
    ("nodes", "compute_nodes"), [("", "compute-0, compute-1"), (f"{CONTROLLERS} compute-1", "compute-1")]
)
def test_the_resource_says_whose_watchdog_counts(nodes, compute_nodes):
    """A resource without a list is for all nodes, else for those in it; the fix is to change it."""
    (finding,) = found("15s", nodes)
    assert f"the fencing of {compute_nodes}, but" in finding.problem
    assert f'pcs stonith update watchdog pcmk_host_list="{CONTROLLERS}"' == finding.fix


@pytest.mark.parametrize("timeout", [None, "0", "0s"])
def test_no_time_no_watchdog(timeout):
    """Without a time after which a node counts as reset, none ever does."""
    assert [] == found(timeout)


def test_the_new_name_of_the_property_counts():
    """Since Pacemaker 3.0.2 it is fencing-watchdog-timeout, which wins over the old name."""
    deployment = Deployment()
    deployment.remove(LEVELS)
    deployment.property("fencing-watchdog-timeout", "15s")
    deployment.property("stonith-watchdog-timeout", "0")
    assert 1 == len(list(doctor_fencing.watchdog(deployment.all_facts())))


def test_the_watchdogs_of_controllers_are_sound():
    """What pcs-examples makes of POWER=watchdog is no danger to servers."""
    assert [] == found("15s", CONTROLLERS)


def test_other_levels_are_not_followed_by_a_watchdog():
    """A node that has levels is fenced by their devices only, so the watchdog does not count for it."""
    deployment = Deployment()
    deployment.property("stonith-watchdog-timeout", "15s")
    assert [] == list(doctor_fencing.watchdog(deployment.all_facts()))
