# SPDX-License-Identifier: Apache-2.0
"""Tell from the CIB whether Pacemaker has lost a remote node, or let it go in good order.

Both leave ``in_ccm="false"`` in the node's ``node_state``, and in both cases the last operation of its
connection is a ``stop`` that succeeded. Seen on 2.1.5 with three controllers, in what the controller that had
the connection says of it (``lrm_resource`` of the node's name; call-id in brackets):

cable cut, BMC silent     ``monitor [5] rc 0``, ``stop [6] rc 0``, and ``monitor [5] rc 1`` (the entry
                          ``compute-0_last_failure_0``, op-status 2, "Remote executor did not respond"), 5 s
                          after the cut. So it stays, ``UNCLEAN (offline)``, also with the cable repaired,
                          until a fencing has succeeded, which removes the failure
``pcs resource cleanup``  of that connection removes the failure; the node stays unclean, and Pacemaker goes
                          on fencing it, for what runs there was never stopped (``nova-compute``: ``monitor``)
``stonith_admin``         ``stop [6]``, ``monitor [5] rc 1`` (op-status 4), 0.5 s before it counts as fenced
``pcs resource disable``  ``stop [6]``, ``monitor [5] rc 0``: no failure; ``nova-compute``: ``stop``
enabled again after that  ``start [7]``, ``monitor [8] rc 0``
connection moved          ``migrate_to``, ``migrate_from``; ``in_ccm`` stays ``true``
its controller killed     ``in_ccm`` stays ``true`` for the 9 s until the connection is up elsewhere
never up                  ``start [7] rc 1``, ``stop [8]``: a start has failed, no monitor ever ran, and
                          nothing runs there

So a node is lost when a monitor of its connection has failed since the connection was last known to be up, or
when something is left on it that was not stopped. A failure stays in the history until ``pcs resource
cleanup``, also when the connection has come up since, perhaps on another controller; ``last-rc-change`` tells
which was later.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from nova_ha.pacemaker.operation_history import call_id, succeeded

#: op-status of an operation whose result is not known yet.
_PENDING = "-1"
_COMES_UP = frozenset(("start", "monitor", "migrate_from"))


def is_lost(root: ET.Element, node: str) -> bool:
    """Say whether the connection to an offline remote node has failed, and no operator has ended it.

    Args:
        root: the CIB.
        node: a remote node that is not online.
    """
    is_lost = lost_since(root, node) is not None or _has_left_something(root, node)
    return is_lost and not _is_stopped(root, node)


def lost_since(root: ET.Element, node: str) -> float | None:
    """Return when the connection of an offline remote node failed, epoch seconds; None if it did not."""
    operations = list(_operations(root, node))
    failed = _latest(one for one in operations if _has_failed(one))
    up = _latest(one for one in operations if _has_come_up(one))
    return float(failed) if failed >= max(up, 1) else None


def _operations(root: ET.Element, node: str) -> Iterable[ET.Element]:
    """Return what every controller remembers to have done with the connection."""
    return root.iterfind(f"status/node_state/lrm/lrm_resources/lrm_resource[@id='{node}']/lrm_rsc_op")


def _has_failed(operation: ET.Element) -> bool:
    """Say whether an operation is a recurring monitor that has failed; a probe of an idle one fails too."""
    is_monitor = operation.get("operation") == "monitor" and operation.get("interval", "0") != "0"
    return is_monitor and not succeeded(operation) and operation.get("op-status") != _PENDING


def _has_come_up(operation: ET.Element) -> bool:
    return operation.get("operation") in _COMES_UP and succeeded(operation)


def _has_left_something(root: ET.Element, node: str) -> bool:
    """Say whether something ran on the node when it went, as far as the node's own history tells."""
    path = f"status/node_state[@uname='{node}']/lrm/lrm_resources/lrm_resource"
    return any(_runs(resource.findall("lrm_rsc_op")) for resource in root.iterfind(path))


def _runs(operations: list[ET.Element]) -> bool:
    """Say whether the last operation of a resource left it running, as far as is known."""
    last = max(operations, key=call_id, default=None)
    if last is None:
        return False
    if last.get("operation") == "stop":
        return not succeeded(last)
    is_recurring = last.get("operation") == "monitor" and last.get("interval", "0") != "0"
    return is_recurring or succeeded(last)


def _latest(operations: Iterable[ET.Element]) -> int:
    """Return when the latest result came, epoch seconds; 0 without one."""
    times = (operation.get("last-rc-change", "") for operation in operations)
    return max((int(time) for time in times if time.isdigit()), default=0)


def _is_stopped(root: ET.Element, node: str) -> bool:
    """Say whether an operator wants the connection to be down (``pcs resource disable``)."""
    path = f"configuration/resources//primitive[@id='{node}']/meta_attributes/nvpair[@name='target-role']"
    return any(pair.get("value", "").lower() == "stopped" for pair in root.iterfind(path))
