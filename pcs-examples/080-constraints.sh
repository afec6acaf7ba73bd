#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Where the services run, and in which order. Fence devices need no rule: Pacemaker never runs one on a remote node.
. "$(dirname "$0")/functions.sh"

# "ne" holds for a node without the attribute, too. resource-discovery=never: nobody looks for nova-compute on
# controllers, or for the evacuator where there are no credentials.
keep_on() {
    if missing "$2-on-$1"; then
        pcs constraint location "$2" rule id="$2-on-$1-rule" constraint-id="$2-on-$1" \
            resource-discovery=never score=-INFINITY osprole ne "$1"
    fi
}

# Both are needed: order says when, colocation says where. Together: if one cannot run on a node, what comes after
# it does not run there; if one is restarted, what comes after it is stopped before and started after.
chain() {
    if missing "$2-after-$1"; then
        pcs constraint order start "$1-clone" 'then' start "$2-clone" id="$2-after-$1"
    fi
    if missing "$2-with-$1"; then
        pcs constraint colocation add "$2-clone" with "$1-clone" id="$2-with-$1"
    fi
}

for name in neutron-openvswitch-agent libvirtd ceilometer-compute nova-compute; do
    keep_on compute "$name-clone"
done
keep_on controller nova-evacuate

# nova-compute destroys, when it starts, the guests that are being evacuated from its host. So it stays down on a
# node with a record until the mark says that the recovery is complete. NovaCompute looks for itself, but this
# costs nothing while it waits: no action runs, none fails, and nothing is to be cleaned up.
# It is looked for by what it says: pcs has given it another name if it was typed as "nova-ha doctor" advises, and
# refuses to add it again.
if configured "//rsc_location[@rsc='nova-compute-clone']//expression[@attribute='nova-ha-fenced']"; then
    echo "# nova-compute has its gate"
else
    pcs constraint location nova-compute-clone rule id=nova-compute-gate-rule constraint-id=nova-compute-gate \
        score=-INFINITY defined nova-ha-fenced and not_defined nova-ha-evacuated
fi

chain neutron-openvswitch-agent libvirtd
chain libvirtd ceilometer-compute
chain ceilometer-compute nova-compute
