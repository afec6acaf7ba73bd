#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Say of each node what it is for; 080-constraints.sh makes rules of it. A node without a role runs neither the
# compute services nor the evacuator, so a new node is safe until its role is set.
. "$(dirname "$0")/functions.sh"

give_role() {
    if ! configured "//nodes/node[@uname='$1']//nvpair[@name='osprole'][@value='$2']"; then
        pcs node attribute "$1" osprole="$2"
    fi
}

for node in $(controllers); do
    give_role "$node" controller
done
for node in $(computes); do
    give_role "$node" compute
done
