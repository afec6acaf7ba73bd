# SPDX-License-Identifier: Apache-2.0
"""Tell from the CIB since when Pacemaker runs nova-compute on a node, and may restart it.

A node's own history (``node_state/lrm``) has one entry for each operation of a resource; the one with the
highest ``call-id`` is the last. Seen on 2.1.5: a resource that runs has ``start`` (rc 0) and a recurring
``monitor``; one whose node's connection came up again elsewhere has a probe (``monitor``, interval 0) that
found it running (rc 0) in place of the ``start``; a failed monitor has an entry of its own with the monitor's
call-id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET

from nova_ha.pacemaker.operation_history import call_id

_AGENT = "NovaCompute"
_GROUPS = ("clone", "master", "group")
#: Exit codes of what runs: well, or degraded, which Pacemaker takes for success (OCF 0 and 190). NovaCompute
#: says degraded as long as something other than Pacemaker would start nova-compute at boot.
_RUNNING = ("0", "190")
_FALSE, _TRUE = ("false", "no", "off", "0", "n"), ("true", "yes", "on", "1", "y")


def managed_resources(root: ET.Element) -> frozenset[str]:
    """Return the ids of the resources of NovaCompute that Pacemaker may restart."""
    if _is_true(root, "configuration/crm_config//nvpair[@name='maintenance-mode']"):
        return frozenset()
    found = {one.get("id", "") for one in _computes(root) if not _is_left_alone(one)}
    for kind in _GROUPS:
        for outer in root.iterfind(f"configuration/resources//{kind}"):
            if _is_left_alone(outer):
                found -= {one.get("id", "") for one in _computes(outer)}
    return frozenset(found)


def running_since(state: ET.Element | None, resources: Iterable[str]) -> float | None:
    """Return since when one of the resources runs on a node, epoch seconds; None when none does.

    Args:
        state: the node's ``node_state``.
        resources: see `managed_resources`.
    """
    if state is None:
        return None
    wanted = frozenset(resources)
    found = (
        _since(resource.findall("lrm_rsc_op"))
        for resource in state.iterfind("lrm/lrm_resources/lrm_resource")
        if resource.get("id", "").partition(":")[0] in wanted
    )
    return next((since for since in found if since is not None), None)


def _computes(element: ET.Element) -> Iterator[ET.Element]:
    """Yield the resources of NovaCompute below an element of the configuration."""
    for primitive in element.iter("primitive"):
        if primitive.get("type") == _AGENT and primitive.get("provider") == "openstack":
            yield primitive


def _is_left_alone(resource: ET.Element) -> bool:
    """Say whether Pacemaker neither starts nor stops a resource, by its own meta attributes."""
    pairs = list(resource.iterfind("meta_attributes/nvpair"))
    values = {pair.get("name"): pair.get("value", "").lower() for pair in pairs}
    return values.get("is-managed") in _FALSE or values.get("maintenance") in _TRUE


def _is_true(root: ET.Element, path: str) -> bool:
    return any(pair.get("value", "").lower() in _TRUE for pair in root.iterfind(path))


def _since(operations: list[ET.Element]) -> float | None:
    """Return when a resource was started, or found running; None when it does not run now."""
    last = max(operations, key=call_id, default=None)
    is_running = last is not None and last.get("operation") in ("start", "monitor") and _found_running(last)
    begun = [one for one in operations if _is_beginning(one)]
    if not is_running or not begun or any(call_id(one) < 0 for one in operations):
        return None
    return float(max(begun, key=call_id).get("last-rc-change", "0"))


def _is_beginning(operation: ET.Element) -> bool:
    """Say whether an operation has started a resource, or has found it running."""
    is_probe = operation.get("operation") == "monitor" and operation.get("interval", "0") == "0"
    return (operation.get("operation") == "start" or is_probe) and _found_running(operation)


def _found_running(operation: ET.Element) -> bool:
    return operation.get("rc-code") in _RUNNING
