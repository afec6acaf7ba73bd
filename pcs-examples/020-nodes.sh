#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compute nodes join as Pacemaker Remote nodes: they run resources and have no vote, so that there may be many.
# The controllers are there already: "pcs cluster setup" has made them a cluster.
. "$(dirname "$0")/functions.sh"

for node in $(controllers); do
    configured "//nodes/node[@uname='$node']" ||
        die "CONTROLLERS names $node, and the cluster has no such member; crm_node --list says which it has"
done

# reconnect_interval: pause between attempts to reach a node that is lost. A server needs minutes to boot, and
#   each attempt occupies the controller that makes it. Longer than a fencing takes: otherwise a node that is fenced
#   while its connection works, because a stop failed there, may be fenced again and again (seen on 2.1.5).
# monitor: the node counts as lost 10 s after its connection went silent, plus up to 5 s until that is asked.
#   Shorter means sooner, and that a network which stutters for so long kills compute nodes.
# start: when the controller that holds the connection dies together with the node, another one tries to connect
#   for so long before the node is fenced.
# stop: the node hands over nothing, so it is quick.
for node in $(computes); do
    if missing "$node"; then
        address=$(address_of "$node")
        case $NODES_BY in
        pcsd)
            # pcs compares the name with the cluster's members, which it does not find in the file.
            pcs ${CIB_FILE:+--corosync_conf "${COROSYNC_CONF:-/etc/corosync/corosync.conf}"} \
                cluster node add-remote "$node" "$address" reconnect_interval=60s \
                op monitor interval=5s timeout=10s start timeout=30s stop timeout=30s
            ;;
        resource)
            # --force: pcs would rather have add-remote, which needs pcsd on the compute node.
            pcs resource create "$node" ocf:pacemaker:remote server="$address" reconnect_interval=60s \
                op monitor interval=5s timeout=10s start timeout=30s stop timeout=30s --force
            ;;
        *) die "NODES_BY=$NODES_BY: use pcsd or resource" ;;
        esac
    fi
done
