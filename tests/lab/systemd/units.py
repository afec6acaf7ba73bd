# SPDX-License-Identifier: Apache-2.0
"""The systemd units that the lab brings into its nodes."""

from __future__ import annotations

from tests.lab.layout import Node

#: What runs on a compute node, by the names of Debian's units.
STAND_INS = ("neutron-openvswitch-agent", "libvirtd", "ceilometer-agent-compute")
SERVICES = (*STAND_INS, "nova-compute")
#: As long as this file exists on the node's disk, the unit does not start; as with cluster/Service.
_BROKEN = "/var/lib/lab/{name}.fails-to-start"

_NETWORK = """\
[Unit]
Description=Network card of the lab
DefaultDependencies=no
Wants=network.target
Before=network.target network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo "$(date +%%s.%%3N) {name} boots" >/dev/console'
ExecStart=/bin/sh -c 'until [ -e /sys/class/net/eth0 ]; do sleep 0.01; done'
ExecStart=/usr/sbin/ip address add {address}/24 dev eth0
ExecStart=/usr/sbin/ip link set eth0 up
"""
# A daemon that says itself when it is ready, as libvirtd does.
_STAND_IN = """\
[Unit]
Description=Stand-in of the lab for {name}
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/bin/lab-service {broken}
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
# Debian's (26.2.2) ends all that is in its control group, where libvirt's guests never are. The lab's are,
# since nova-compute itself starts them; so here it ends alone. It is tried for ever: the cloud comes later.
_NOVA_COMPUTE = """\
[Unit]
Description=OpenStack Nova Compute
After=network-online.target libvirtd.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=simple
ExecStart=/usr/bin/nova-compute --config-file=/etc/nova/nova.conf
Restart=on-failure
RestartSec=5
KillMode=process
TimeoutStopSec=15

[Install]
WantedBy=multi-user.target
"""


def network(node: Node) -> dict[str, str]:
    """Return the units with which a node gets its address."""
    return {"lab-network.service": _NETWORK.format(name=node.name, address=node.address)}


def services() -> dict[str, str]:
    """Return the units of a compute node's services by their file names."""
    stand_ins = {
        f"{name}.service": _STAND_IN.format(name=name, broken=_BROKEN.format(name=name)) for name in STAND_INS
    }
    return {**stand_ins, "nova-compute.service": _NOVA_COMPUTE}
