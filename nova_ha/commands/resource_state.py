# SPDX-License-Identifier: Apache-2.0
"""Where a resource runs, and how its last action ended, from the CIB's status section. No effects."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from nova_ha.agents.ocf import DEGRADED, NOT_RUNNING, SUCCESS
from nova_ha.commands.configuration import Resource
from nova_ha.pacemaker.operation_history import call_id

#: Runs as promoted, and the same, degraded.
_PROMOTED = 8, 191
#: Exit status of an action that has not ended (2.1: 193; older: -1).
_PENDING = frozenset(("193", "-1", ""))


@dataclass(frozen=True)
class ResourceState:
    """How a resource is on one node.

    Attributes:
        node: the node.
        operation: the last action that ended: ``start``, ``stop`` or ``monitor``.
        exit_status: its OCF exit code.
        reason: what the agent said about it.
    """

    node: str
    operation: str
    exit_status: int
    reason: str = ""

    @property
    def is_running(self) -> bool:
        """Say whether it runs there."""
        return self.operation != "stop" and self.exit_status in (SUCCESS, DEGRADED, *_PROMOTED)

    @property
    def is_degraded(self) -> bool:
        """Say whether it runs, and says itself that not all is well."""
        return self.is_running and self.exit_status == DEGRADED

    @property
    def has_failed(self) -> bool:
        """Say whether its last action failed."""
        return not self.is_running and self.exit_status not in (SUCCESS, NOT_RUNNING)


def states(root: ET.Element, resource: Resource) -> tuple[ResourceState, ...]:
    """Return how a resource is on each node on which Pacemaker has ever had to do with it."""
    found = (_state(node, history) for node, history in _histories(root, resource))
    return tuple(state for state in found if state is not None)


def running_on(root: ET.Element, resource: Resource) -> ResourceState | None:
    """Return where a resource that is no clone runs; None when it runs nowhere."""
    return next((state for state in states(root, resource) if state.is_running), None)


def failure(root: ET.Element, resource: Resource) -> ResourceState | None:
    """Return a failure that Pacemaker remembers until somebody cleans it up; None when there is none."""
    found = (
        _as_state(node, action)
        for node, history in _histories(root, resource)
        for action in history.iterfind("lrm_rsc_op")
        if "_last_failure_" in action.get("id", "")
    )
    return next((state for state in found if state.has_failed), None)


def _histories(root: ET.Element, resource: Resource) -> Iterator[tuple[str, ET.Element]]:
    """Yield each node's name with its history of a resource."""
    for state in root.iterfind("status/node_state"):
        for history in state.iterfind("lrm/lrm_resources/lrm_resource"):
            # The instances of a clone are numbered: nova-compute:0.
            if history.get("id", "").partition(":")[0] == resource.id:
                yield state.get("uname", ""), history


def _state(node: str, history: ET.Element) -> ResourceState | None:
    """Return what the newest action of a history says; None when none has ended."""
    actions = sorted(_ended(history), key=call_id)
    return _as_state(node, actions[-1]) if actions else None


def _as_state(node: str, action: ET.Element) -> ResourceState:
    exit_status = int(action.get("rc-code") or "0")
    return ResourceState(node, action.get("operation", ""), exit_status, action.get("exit-reason", ""))


def _ended(history: ET.Element) -> Iterator[ET.Element]:
    """Yield the actions that have ended; a failure that is only remembered says nothing about now."""
    for action in history.iterfind("lrm_rsc_op"):
        is_memory = "_last_failure_" in action.get("id", "")
        if not is_memory and action.get("rc-code", "") not in _PENDING:
            yield action
