#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Power fencing with IPMI: one device for each node, because each BMC has its own address.
. "$(dirname "$0")/functions.sh"
only_with ipmi

# pcmk_host_list: the one node that this BMC switches. Without it Pacemaker would have to ask the BMC, which does
#   not know the name.
# lanplus: IPMI 2.0, encrypted. cipher=3: without it ipmitool asks which ciphers there are, and some BMCs let it
#   wait for 10 s; use 17 where the BMC offers it.
# pcmk_on_timeout: a node that does not switch on is tried again and again, and while Pacemaker waits for an attempt
#   no other node is fenced. The default is that of the whole fencing, stonith-timeout.
# monitor: finds a dead BMC or a changed password before the night in which it is needed.
for node in $(controllers) $(computes); do
    if missing "ipmi-$node"; then
        pcs stonith create "ipmi-$node" fence_ipmilan ip="$(bmc_of "$node")" \
            username="$BMC_USER" password_script="$BMC_PASSWORD_SCRIPT" lanplus=1 cipher=3 \
            pcmk_host_list="$node" pcmk_on_timeout=30s \
            op monitor interval=60s timeout=60s
    fi
done
