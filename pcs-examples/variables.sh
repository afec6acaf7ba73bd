# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# Everything that differs from site to site. The steps read this file, or the one that VARIABLES names.

# Members of the corosync cluster: the node's name in Pacemaker, and the address of its BMC.
CONTROLLERS="
controller-0  192.0.2.20
controller-1  192.0.2.21
controller-2  192.0.2.22
"

# Compute nodes: the name in Pacemaker, which is also what Nova calls the host (host in nova.conf), the address
# on which pacemaker_remoted is reached (TCP 3121), and the address of the BMC.
COMPUTES="
compute-0  192.0.2.100  192.0.2.200
compute-1  192.0.2.101  192.0.2.201
"

# How compute nodes join. pcsd: pcs copies the key and starts pacemaker_remote there ("pcs host auth" comes first).
# resource: you have copied /etc/pacemaker/authkey and started pacemaker_remote yourself.
NODES_BY=pcsd

# What proves that a node is off: ipmi, redfish, or watchdog (read 042-power-watchdog.sh before you choose it).
POWER=ipmi

# The user of the BMCs, who needs the right to switch the power, and a command that prints the password.
# Everybody who may read the cluster's configuration reads what is in it, so the password is not.
BMC_USER=fencing
BMC_PASSWORD_SCRIPT="cat /etc/nova-ha/bmc-password"

# Redfish only: the computer in the BMC; most have a single one, and many call it so.
REDFISH_SYSTEM=/redfish/v1/Systems/1

# Watchdog only: longer than twice SBD_WATCHDOG_TIMEOUT, which is 5 s unless you have changed it.
WATCHDOG_TIMEOUT=15s

# Watchdog only: whether compute nodes, too, count as reset after that time. With "yes" the servers of a compute node
# that is only cut off from the network run twice, unless something other than sbd resets it then.
WATCHDOG_COMPUTES=no

# The cloud's name in clouds.yaml, which lies on each controller, readable for root only.
CLOUD=mycloud
CLOUDS_YAML=/etc/nova-ha/clouds.yaml

# What runs the other services of compute nodes: an agent as pcs names it, and its parameters if it needs some.
# These are Debian's units of systemd; RDO has openstack-ceilometer-compute, and in place of libvirtd virtqemud.
OVS_AGENT=systemd:neutron-openvswitch-agent
LIBVIRT=systemd:libvirtd
CEILOMETER=systemd:ceilometer-agent-compute

# The user that runs nova-compute where it is no unit of systemd.
NOVA_USER=nova
