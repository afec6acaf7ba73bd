#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Watchdog fencing with sbd, for nodes without a BMC: a node that loses the cluster is reset by its own watchdog.
# Before this step, on a live cluster: "pcs stonith sbd enable", then restart the cluster.
#
# What it means for the recovery:
# * Nobody switches the power off; Pacemaker waits for stonith-watchdog-timeout and takes the node for reset.
# * The record device is never called, neither with off nor with on, not even as part of a level with the
#   watchdog. So 050-fence-compute.sh configures none. The evacuator sees in Pacemaker's state that the node was
#   fenced (node_fenced), writes the record itself and goes on as usual.
# * Pacemaker keeps that state until the node is connected again. An evacuator that does not run in all of that
#   time never learns of the fencing. With a record device that cannot happen.
# * The node comes back at once. Only nova-compute is held back there, by the record, once it is written.
. "$(dirname "$0")/functions.sh"
only_with watchdog

if ! configured "//crm_config//nvpair[@name='stonith-watchdog-timeout'][@value='$WATCHDOG_TIMEOUT']"; then
    if [ -n "${CIB_FILE-}" ]; then
        # pcs wants to see sbd on this machine, whatever the file is for.
        crm_attribute --type crm_config --name stonith-watchdog-timeout --update "$WATCHDOG_TIMEOUT"
    else
        pcs property set stonith-watchdog-timeout="$WATCHDOG_TIMEOUT"
    fi
fi
