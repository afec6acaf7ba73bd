#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Roll back: remove what the steps from 050 on have made. Nodes, roles, properties and power fencing stay, and
# Pacemaker goes on fencing compute nodes; nobody recovers their servers then. Servers that run are not touched.
. "$(dirname "$0")/functions.sh"

# A recovery that is removed in its middle leaves servers behind.
if configured "//nodes/node//nvpair[@name='nova-ha-fenced']" && [ "${FORCE-}" != 1 ]; then
    die "a node is fenced and not back in service (crm_mon -1A shows which); wait, or set FORCE=1"
fi

# Out of use before its levels go: for a node without a level it would count as a way to switch it off.
if configured "//primitive[@id='fence-nova']" && ! is_disabled fence-nova; then
    pcs stonith disable fence-nova
fi
for node in $(computes); do
    if configured "//fencing-level[@target='$node'][@devices='$POWER-$node,fence-nova']"; then
        pcs stonith level remove 1 target "$node"
    fi
done
if configured "//primitive[@id='fence-nova']"; then
    pcs stonith delete fence-nova
fi

# Stopped before they are removed, dependants first, as their order says; their constraints go with them.
running=
for name in nova-evacuate nova-compute-clone ceilometer-compute-clone libvirtd-clone neutron-openvswitch-agent-clone; do
    if configured "//resources//*[@id='$name']" && ! is_disabled "$name"; then
        running="$running $name"
    fi
done
if [ -n "$running" ]; then
    # shellcheck disable=SC2086 # a list of words
    pcs resource disable $running
fi
# A file has no cluster that could stop anything.
[ -n "${CIB_FILE-}" ] || crm_resource --wait --timeout=10min
for name in nova-evacuate nova-compute ceilometer-compute libvirtd neutron-openvswitch-agent; do
    if configured "//primitive[@id='$name']"; then
        pcs resource delete "$name"
    fi
done
echo "# on the compute nodes, give the services back to systemd: systemctl enable --now ... (060-compute-services.sh)"
