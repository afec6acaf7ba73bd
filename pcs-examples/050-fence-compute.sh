#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The record device: the second device of each compute node's fencing level. It writes down that the node was
# fenced, and tells Nova.
. "$(dirname "$0")/functions.sh"

if [ "$POWER" = watchdog ]; then
    echo "# POWER=watchdog: Pacemaker would never call fence_compute"
    exit 0
fi

# fence_compute switches nothing off. As long as a node has no level, Pacemaker takes any device that names the
# node, this one alone too, and would hold a running node for dead. So it is created disabled, enabled when all
# levels stand, and names no node without a level.
#
# provides=unfencing: a node that joins gets "on" first, and resources with requires=unfencing wait for that. pcs
#   sets this by itself only for devices that act on the node itself (fence_scsi); it has to be written here.
# pcmk_off_timeout: longer than cluster_wait, in which the record is written and Nova is told.
# pcmk_on_timeout: longer than on_wait, for which "on" may wait for an open recovery.
# monitor: asks Pacemaker and Nova, up to api_timeout (30 s) for each answer.
# failure-timeout: a monitor that fails because Nova is away is forgotten when it is back.
nodes=$(computes | tr '\n' ' ')
if missing fence-nova; then
    pcs stonith create fence-nova fence_compute cloud="$CLOUD" clouds_yaml="$CLOUDS_YAML" \
        pcmk_host_list="${nodes% }" pcmk_off_timeout=120s pcmk_on_timeout=60s \
        op monitor interval=60s timeout=60s \
        meta provides=unfencing failure-timeout=120s --disabled
fi

# The order in a level is the order of the calls: power first. Only when the power is proven to be off, the node is
# recorded; when any of the two fails, the node does not count as fenced, and Pacemaker begins anew.
for node in $(computes); do
    if configured "//fencing-topology/fencing-level[@target='$node'][@devices='$POWER-$node,fence-nova']"; then
        echo "# $node has its level"
    elif configured "//fencing-topology/fencing-level[@target='$node'][contains(@devices, 'fence-nova')]"; then
        # A second level of the same number would be added to the first: Pacemaker would need all devices of both.
        echo "# $node has a level with another power device, which is left as it is (README.md: Another power device)"
    else
        pcs stonith level add 1 "$node" "$POWER-$node" fence-nova
    fi
done

if is_disabled fence-nova; then
    pcs stonith enable fence-nova
fi
