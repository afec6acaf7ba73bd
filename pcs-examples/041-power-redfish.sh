#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Power fencing with Redfish, in place of IPMI.
. "$(dirname "$0")/functions.sh"
only_with redfish

# systems_uri: which computer; without it the agent asks the BMC at each call and takes the only one.
# The certificate is checked. Give the BMCs certificates that the controllers trust; ssl_insecure=1 would hand the
#   password to whoever answers at the address.
# pcmk_on_timeout, monitor: as with IPMI.
for node in $(controllers) $(computes); do
    if missing "redfish-$node"; then
        pcs stonith create "redfish-$node" fence_redfish ip="$(bmc_of "$node")" \
            username="$BMC_USER" password_script="$BMC_PASSWORD_SCRIPT" ssl_secure=1 \
            systems_uri="$REDFISH_SYSTEM" pcmk_host_list="$node" pcmk_on_timeout=30s \
            op monitor interval=60s timeout=60s
    fi
done
