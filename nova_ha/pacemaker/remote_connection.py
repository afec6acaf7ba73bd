# SPDX-License-Identifier: Apache-2.0
"""Tell from the CIB whether the connection to a remote node is up, for Pacemaker 2.1.7 and later.

Older ones say so in the node's ``node_state`` (``in_ccm="true"``). Recorded on 3.0.0
(tests/unit/pacemaker/samples/cib-3.0.0-*.xml): there ``in_ccm`` of a remote node is ``0`` for ever, also
while it is online and runs resources. What tells is what Pacemaker's own scheduler goes by: the history of
the connection, which is a resource of the node's name, on the controllers.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from nova_ha.pacemaker.operation_history import call_id, succeeded

#: op-status of an operation whose result is not known yet.
_PENDING = "-1"
#: After these, successful, the connection is up; migrate_to leaves it up until the stop that follows.
_LEAVE_UP = frozenset(("start", "monitor", "migrate_from", "migrate_to"))


def is_up(root: ET.Element, node: str) -> bool:
    """Say whether some controller has the connection to a remote node.

    A controller that has died still counts until it is fenced, as with older ones.

    Args:
        root: the CIB.
        node: a remote node.
    """
    path = f"status/node_state/lrm/lrm_resources/lrm_resource[@id='{node}']"
    return any(_left_up(resource.findall("lrm_rsc_op")) for resource in root.iterfind(path))


def _left_up(operations: list[ET.Element]) -> bool:
    """Say whether the newest operation has left the connection up, and none is about to change that."""
    if any(one.get("op-status") == _PENDING and _changes(one) for one in operations):
        return False
    newest = max((call_id(one) for one in operations), default=-1)
    # A recurring monitor that fails gets a second entry, with the number of the first, successful one.
    last = [one for one in operations if call_id(one) == newest]
    return bool(last) and all(succeeded(one) and one.get("operation") in _LEAVE_UP for one in last)


def _changes(operation: ET.Element) -> bool:
    """Say whether an operation brings the connection up or down; a monitor does neither."""
    return operation.get("operation") != "monitor"
