#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything has its place: start what was created disabled. Also starts what an admin has disabled since.
. "$(dirname "$0")/functions.sh"

waiting=
for name in nova-evacuate neutron-openvswitch-agent-clone libvirtd-clone ceilometer-compute-clone \
    nova-compute-clone; do
    if is_disabled "$name"; then
        waiting="$waiting $name"
    fi
done
if [ -n "$waiting" ]; then
    # shellcheck disable=SC2086 # a list of words
    pcs resource enable $waiting
fi
