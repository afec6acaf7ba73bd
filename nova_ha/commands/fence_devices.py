# SPDX-License-Identifier: Apache-2.0
"""What is known of fence agents, and for which nodes Pacemaker may use a fencing device. No effects.

What agents do is from the metadata of fence-agents 4.12.1 and Pacemaker 2.1.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from nova_ha.commands.configuration import FALSE, Resource

#: Agents that switch nothing off. Those for disks and switches cut a node off from its disks, and the servers
#: on it run on: their metadata has "off" and no "reboot". The others only look, or leave it to somebody else.
NO_POWER = frozenset(
    f"stonith:fence_{name}"
    for name in (
        *("scsi", "mpath", "brocade", "cisco_mds", "ifmib", "mcdata", "sanbox2", "vixel"),
        *("ack_manual", "crosslink", "dummy", "heuristics_ping", "kdump", "manual", "watchdog"),
        *("compute", "evacuate"),
    )
)
#: Agents that switch one machine, whatever node they are called for: they have the option port_as_ip, and no
#: list of outlets. fence_powerman and fence_vmware have it too, and name the machine.
_ONE_MACHINE = frozenset(
    f"stonith:fence_{name}"
    for name in (
        *("alom", "amt", "amt_ws", "drac", "idrac", "imm", "ipmilan", "ipmilanplus", "redfish", "rsa", "rsb"),
        *(
            "ilo",
            "ilo2",
            "ilo3",
            "ilo3_ssh",
            "ilo4",
            "ilo4_ssh",
            "ilo5",
            "ilo5_ssh",
            "ilo6",
            "ilo_mp",
            "ilo_ssh",
        ),
    )
)
#: Parameters with which such an agent is told the machine's address at each call.
_ADDRESS_BY_NODE = ("port_as_ip", "pcmk_host_map", "pcmk_host_argument")


def host_map(device: Resource) -> Mapping[str, str]:
    """Return what a device calls a node, by node: ``compute-0:3;compute-1:4``."""
    pairs = re.split(r"[;\s]+", device.parameters.get("pcmk_host_map", ""))
    found = (re.fullmatch(r"([^:=]+)[:=](.+)", pair) for pair in pairs)
    return {match[1]: match[2] for match in found if match}


def named_nodes(device: Resource) -> frozenset[str] | None:
    """Return the nodes that a device may be used for; None when Pacemaker asks the agent.

    As pacemaker-fenced does: pcmk_host_check decides, and where it is not given, the list or the map.
    """
    listed = re.split(r"[,;\s]+", device.parameters.get("pcmk_host_list", ""))
    named = frozenset(name for name in (*listed, *host_map(device)) if name)
    check = device.parameters.get("pcmk_host_check", "")
    is_static = check.lower() == "static-list" if check else bool(named)
    return named if is_static else None


def may_be_for(device: Resource, node: str) -> bool:
    """Say whether Pacemaker may use a device for a node."""
    named = named_nodes(device)
    return named is None or node.lower() in {name.lower() for name in named}


def recovers_itself(device: Resource) -> bool:
    """Say whether a fence_compute is to recover the servers inside of the fencing."""
    return device.parameters.get("record_only", "1").lower() in FALSE


def switches_one_machine(device: Resource) -> bool:
    """Say whether a device does the same for whatever node it is called."""
    return device.agent in _ONE_MACHINE and not any(map(device.parameters.get, _ADDRESS_BY_NODE))
