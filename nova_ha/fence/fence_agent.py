# SPDX-License-Identifier: Apache-2.0
"""fence_compute without fencing's own library: an action's name in, an exit status out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from nova_ha.clock import SystemClock
from nova_ha.fence.fence_actions import FenceActions, recover_inline
from nova_ha.openstack.credentials import Settings
from nova_ha.pacemaker.cluster import Pacemaker
from nova_ha.ports import NovaPort
from nova_ha.runner import SystemRunner

_log = logging.getLogger(__name__)

OK, FAILED, IS_OFF = 0, 1, 2


def perform(action: str, nodes: Iterable[str], actions: FenceActions) -> tuple[int, list[str]]:
    """Perform an action on each node; return the exit status and what to print.

    Raises:
        NovaHaError: it failed; exit status `FAILED`, and its text is for the admin.
    """
    if action == "monitor":
        _log.info("%s", actions.monitor())
        return OK, []
    if action == "validate-all":
        actions.validate()
        return OK, []
    if action == "status":
        is_off = {actions.status(node) for node in nodes} == {"off"}
        return (IS_OFF, ["Status: OFF"]) if is_off else (OK, ["Status: ON"])
    do = {"off": actions.off, "on": actions.on}[action]
    return OK, [f"Success: {do(node)}" for node in nodes]


def real_actions(settings: Settings) -> FenceActions:
    """Return the actions on this machine's cluster and the cloud that the settings describe."""
    runner, clock = SystemRunner(), SystemClock()
    cluster = Pacemaker(runner, clock)

    def connect() -> NovaPort:
        # Imported here: most calls of a fence agent need no Nova, and novaclient costs half a second.
        from nova_ha.openstack.nova import connect

        return connect(settings)

    def recover(node: str, deadline: float) -> None:
        from nova_ha.fence.fence_inline import has_evacuator, wait_for_evacuator

        if has_evacuator(runner):
            wait_for_evacuator(cluster, clock, node, deadline)
        else:
            recover_inline(connect(), cluster, clock, node, deadline, settings)

    # An admin who calls the agent by hand says that the node is off; Pacemaker follows its configuration.
    if os.environ.get("PCMK_service") == "pacemaker-fenced":  # noqa: SIM112 (as Pacemaker spells it)
        why, away = cluster.why_power_may_be_on, True
        return FenceActions(cluster, connect, clock, settings, recover, why, nova_may_be_away=away)
    return FenceActions(cluster, connect, clock, settings, recover)
