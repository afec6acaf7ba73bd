#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The evacuator: one in the cluster, on a controller.
. "$(dirname "$0")/functions.sh"

# It gets no order against nova-compute, in neither direction. After an outage of the whole site nova-compute waits
# for the recovery of its host, which only the evacuator can finish; an evacuator that waits for nova-compute would
# never start. It needs no order after Keystone, the database or RabbitMQ either: while they are away it says so
# (degraded) and goes on when they are back.
#
# start: until the first look at Pacemaker is over. stop: until answers of Nova that are on their way have been
#   written down.
# monitor: reads two small files; "degraded" carries the reason.
# resource-stickiness: a recovery may go on anywhere, but there is no reason to move it.
# requires: once any device unfences, everything else waits for unfencing by default, the evacuator too.
# failure-timeout: a controller on which the start failed (no clouds.yaml?) becomes a candidate again.
if missing nova-evacuate; then
    pcs resource create nova-evacuate ocf:openstack:NovaEvacuate \
        cloud="$CLOUD" clouds_yaml="$CLOUDS_YAML" \
        op start timeout=60s stop timeout=60s monitor interval=10s timeout=30s \
        meta resource-stickiness=1 failure-timeout=120s requires=fencing --disabled
fi
