#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The services of a compute node, each a clone. Created disabled: until 080-constraints.sh says where they belong,
# Pacemaker would start them on the controllers too. On the compute nodes take them away from systemd:
#   systemctl disable --now neutron-openvswitch-agent libvirtd ceilometer-agent-compute nova-compute
# and the sockets of libvirt, which would start it behind Pacemaker's back (systemctl list-unit-files 'libvirtd*').
. "$(dirname "$0")/functions.sh"

# start, stop: systemd itself ends a unit that does not stop within 90 s (DefaultTimeoutStopSec). A stop that
#   fails here gets the node fenced, so Pacemaker must be the more patient of the two.
# monitor: asks systemd over D-Bus, and costs next to nothing.
# failure-timeout: a start that failed keeps all that depends on the service down on this node; after that time it
#   is tried again, without an admin.
# interleave: what depends on this clone waits for the instance on its own node, not for all of them.
# --force: pcs looks for the unit on this controller, where it need not be.
service() {
    if missing "$1"; then
        # shellcheck disable=SC2086 # an agent and its parameters
        pcs resource create "$1" $2 \
            op start timeout=100s stop timeout=120s monitor interval=30s timeout=60s \
            meta failure-timeout=120s clone interleave=true --disabled --force
    fi
}

service neutron-openvswitch-agent "$OVS_AGENT"
service libvirtd "$LIBVIRT"
service ceilometer-compute "$CEILOMETER"

# requires=unfencing: not even probed before fence_compute has let the node back. A cluster with watchdog fencing
#   only has no such device, and nothing to wait for.
# start: longer than start_wait, for which it waits for an open recovery of its host before it fails. Not much
#   longer: what Pacemaker decides meanwhile, the fencing of another node too, waits for actions that run.
# failure-timeout: a start that has waited in vain is tried again after that time.
# stop: nova-compute of Nova 33 and later needs up to 160 s to end what it is doing; what does not end is killed
#   15 s before the limit. A stop that fails gets the node fenced.
# monitor: reads a file and /proc; needs neither Nova nor credentials.
# monitor with OCF_CHECK_LEVEL=10: can a nova-compute that runs also work? Its connection to RabbitMQ, its log, and
#   what the evacuator says of its heartbeats. It costs some processes and perhaps a connection, so once a minute
#   is enough; it gives itself 15 s, and gets four times that on a machine that is out of breath. Each operation
#   needs an interval of its own.
# What runs nova-compute is found out (run_as=auto): the unit of systemd, if one is installed, else the program
#   itself as NOVA_USER. For a container add run_as=podman (or docker) and config=FILE, the nova.conf that goes
#   into it.
requires=unfencing
[ "$POWER" != watchdog ] || requires=fencing
if missing nova-compute; then
    pcs resource create nova-compute ocf:openstack:NovaCompute user="$NOVA_USER" \
        op start timeout=120s stop timeout=240s monitor interval=10s timeout=30s \
        op monitor interval=60s timeout=60s OCF_CHECK_LEVEL=10 \
        meta requires="$requires" failure-timeout=60s clone interleave=true --disabled
fi
