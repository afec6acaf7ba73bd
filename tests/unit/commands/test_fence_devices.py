# SPDX-License-Identifier: Apache-2.0
"""For which nodes Pacemaker may use a fencing device, and which devices switch but one machine."""

from __future__ import annotations

import pytest

from nova_ha.commands.configuration import Resource
from nova_ha.commands.fence_devices import may_be_for, named_nodes, switches_one_machine


def device(agent="fence_ipmilan", **parameters):
    """Return a device."""
    return Resource("power", f"stonith:{agent}", parameters)


@pytest.mark.parametrize(
    ("parameters", "nodes"),
    [
        ({"pcmk_host_list": "a,b;c d"}, {"a", "b", "c", "d"}),
        ({"pcmk_host_map": "a:1;b=2,3 c:4"}, {"a", "b", "c"}),
        ({"pcmk_host_list": "a", "pcmk_host_map": "b:2"}, {"a", "b"}),
        ({"pcmk_host_list": "a", "pcmk_host_check": "static-list"}, {"a"}),
        ({"pcmk_host_check": "static-list"}, set()),
        ({}, None),
        ({"pcmk_host_list": "a", "pcmk_host_check": "dynamic-list"}, None),
        ({"pcmk_host_list": "a", "pcmk_host_check": "none"}, None),
    ],
)
def test_nodes_of_a_device(parameters, nodes):
    """The list and the map count unless pcmk_host_check says otherwise; without any the agent is asked."""
    assert nodes == named_nodes(device(**parameters))
    assert (nodes is None or "a" in nodes) == may_be_for(device(**parameters), "A")


@pytest.mark.parametrize(
    ("one", "is_one"),
    [
        (device(ip="192.0.2.200"), True),
        (device("fence_redfish", pcmk_host_list="a b"), True),
        (device(port_as_ip="1"), False),
        (device(pcmk_host_argument="ip", pcmk_host_map="a:192.0.2.1;b:192.0.2.2"), False),
        (device("fence_apc"), False),
        (device("fence_vmware_soap"), False),
    ],
)
def test_devices_that_switch_one_machine(one, is_one):
    """A BMC is one machine's, unless its address is told at each call; a strip of outlets is not."""
    assert is_one == switches_one_machine(one)
