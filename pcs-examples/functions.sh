# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the steps share. With CIB_FILE=FILE they change the configuration in that file, not the running cluster's.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
# shellcheck source=variables.sh
. "${VARIABLES:-$(dirname "$0")/variables.sh}"

if [ -n "${CIB_FILE-}" ]; then
    # Pacemaker's own tools take the file from here.
    export CIB_file="$CIB_FILE"
fi

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# Show each command before it runs: the output is a transcript that can be typed.
pcs() {
    shown="# pcs"
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_.,:=/%+-]*) shown="$shown '$(echo "$word" | sed "s/'/'\\\\''/g")'" ;;
        *) shown="$shown $word" ;;
        esac
    done
    echo "$shown"
    command pcs ${CIB_FILE:+-f "$CIB_FILE"} "$@"
}

# Say whether something is configured. Only "no such object" (105) means no; no answer is not an answer.
configured() {
    status=0
    cibadmin --query --xpath "$1" >/dev/null 2>&1 || status=$?
    case $status in
    0) return 0 ;;
    105) return 1 ;;
    *) die "cibadmin cannot read the configuration (exit status $status); is the cluster running?" ;;
    esac
}

# What exists already is left as it is: these files never undo what an admin has tuned.
missing() {
    configured "//configuration/*[self::resources or self::constraints]//*[@id='$1']" || return 0
    echo "# $1 exists and is left as it is"
    return 1
}

is_disabled() {
    configured "//resources//*[@id='$1']/meta_attributes/nvpair[@name='target-role'][@value='Stopped']"
}

controllers() {
    echo "$CONTROLLERS" | awk 'NF && !/^#/ { print $1 }'
}

computes() {
    echo "$COMPUTES" | awk 'NF && !/^#/ { print $1 }'
}

# Print a column of a node's line in one of the tables.
column() {
    found=$(echo "$1" | awk -v node="$2" -v column="$3" '$1 == node { print $column }')
    [ -n "$found" ] || die "$2 has no column $3 in variables.sh"
    echo "$found"
}

address_of() {
    column "$COMPUTES" "$1" 2
}

bmc_of() {
    case " $(computes | tr '\n' ' ')" in
    *" $1 "*) column "$COMPUTES" "$1" 3 ;;
    *) column "$CONTROLLERS" "$1" 2 ;;
    esac
}

# End a step that is not for this kind of power fencing.
only_with() {
    if [ "$POWER" != "$1" ]; then
        echo "# POWER=$POWER: nothing to do"
        exit 0
    fi
}
