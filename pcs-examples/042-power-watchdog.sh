#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Watchdog fencing with sbd, for controllers without a BMC: one that loses the cluster is reset by its own watchdog.
# Before this step, on a live cluster: "pcs stonith sbd enable", then restart the cluster.
#
# Nobody switches the power off; Pacemaker waits for stonith-watchdog-timeout and takes the node for reset.
# On a compute node that would be wrong. sbd resets it when it hangs, or when sbd or pacemaker_remoted dies. When it
# is only cut off from the network, sbd goes on feeding the watchdog, and the servers go on running (sbd 1.5.2 with
# Pacemaker 2.1.5: its Pacemaker watcher asks for pacemakerd, which no Pacemaker Remote node has, so it never gets as
# far as to miss the cluster). Their evacuation would start them a second time, on the same disks.
# So compute nodes have no fencing here: a lost one waits until you have switched it off and say so with
# "pcs stonith confirm". With WATCHDOG_COMPUTES=yes it does not wait. Then
# * the record device is never called, neither with off nor with on, not even as part of a level with the watchdog.
#   So 050-fence-compute.sh configures none. The evacuator sees in Pacemaker's state that the node was fenced
#   (node_fenced), writes the record itself and goes on as usual.
# * Pacemaker keeps that state until the node is connected again. An evacuator that does not run in all of that
#   time never learns of the fencing. With a record device that cannot happen.
# * the node comes back at once. Only nova-compute is held back there, by the record, once it is written.
. "$(dirname "$0")/functions.sh"
only_with watchdog

# Pacemaker itself sets this property where sbd runs, and ends at once where a watchdog is to be waited for and no sbd
# runs. pcs sees only sbd's unit on this machine, whatever the file is for; so the property is set without pcs.
if ! configured "//crm_config//nvpair[@name='have-watchdog'][@value='true']"; then
    die "Pacemaker sees no sbd: run pcs stonith sbd enable, and restart the cluster"
fi
if ! configured "//crm_config//nvpair[@name='stonith-watchdog-timeout'][@value='$WATCHDOG_TIMEOUT']"; then
    echo "# crm_attribute --name stonith-watchdog-timeout --update $WATCHDOG_TIMEOUT"
    crm_attribute --type crm_config --name stonith-watchdog-timeout --update "$WATCHDOG_TIMEOUT"
fi

# Without this resource the watchdogs of all nodes count. Its name is not free.
nodes=$(controllers | tr '\n' ' ')
case $WATCHDOG_COMPUTES in
no) ;;
yes) nodes="$nodes$(computes | tr '\n' ' ')" ;;
*) die "WATCHDOG_COMPUTES=$WATCHDOG_COMPUTES: use yes or no" ;;
esac
if missing watchdog; then
    pcs stonith create watchdog fence_watchdog pcmk_host_list="${nodes% }"
fi
