#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What holds for the whole cluster.
. "$(dirname "$0")/functions.sh"

# stonith-enabled: no server is started elsewhere before its host is proven to be off.
# stonith-action=reboot: a fenced node is powered on again at the end. With "off" it would be as well, by
#   unfencing, which sends "on" to all devices of its level; so "off" keeps no node down.
# stonith-timeout: for one action of a device that has no pcmk_*_timeout of its own. A BMC that is busy with its
#   own start needs a minute; the default is one minute.
# concurrent-fencing: a rack that loses its power is fenced at once, not one node after the other.
# cluster-recheck-interval: after ten failed attempts (stonith-max-attempts) to fence or unfence a node Pacemaker
#   gives up until the next recheck. The default of 15 minutes is long for servers that wait.
# load-threshold: with a load average above it (times the cores, times 1.2 to 2) Pacemaker carries out fewer actions
#   at a time, with three controllers one. Controllers are busy just when many servers are evacuated, and a node that
#   does not switch on would then keep all others from being fenced (seen on 2.1.5). The default is 80%.
properties="stonith-enabled=true stonith-action=reboot stonith-timeout=120s concurrent-fencing=true
    cluster-recheck-interval=1min load-threshold=1000%"

changed=
for property in $properties; do
    if ! configured "//crm_config//nvpair[@name='${property%%=*}'][@value='${property#*=}']"; then
        changed="$changed $property"
    fi
done
if [ -n "$changed" ]; then
    # shellcheck disable=SC2086 # a list of words
    pcs property set $changed
fi
