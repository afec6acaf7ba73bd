#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run all steps in order. A rehearsal on a copy, which changes nothing in the cluster:
#   pcs cluster cib /root/try.xml
#   CIB_FILE=/root/try.xml ./apply.sh
#   crm_simulate --xml-file /root/try.xml --simulate
. "$(dirname "$0")/functions.sh"

for step in "$(dirname "$0")"/0*.sh; do
    echo "# --- $(basename "$step")"
    "$step"
done
if [ -n "${CIB_FILE-}" ]; then
    crm_verify --xml-file "$CIB_FILE" --verbose
else
    crm_verify --live-check --verbose
fi
