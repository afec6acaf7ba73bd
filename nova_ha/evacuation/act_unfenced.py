# SPDX-License-Identifier: Apache-2.0
"""Do what was decided about hosts that were not fenced; what takes long is sent beside the loop."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Callable

from nova_ha.clock import Clock
from nova_ha.decisions.plan import HostPlan
from nova_ha.decisions.plan_unfenced import (
    Disable,
    FenceWedged,
    ForgetState,
    MarkWedged,
    TakeBack,
    UnmarkWedged,
)
from nova_ha.evacuation.asides import Asides
from nova_ha.ports import ClusterPort, NovaPort

_log = logging.getLogger(__name__)

#: Seconds until a fencing that was asked for and has not come is asked for again.
FENCE_AGAIN = 300.0


class UnfencedActs:
    """Performs these steps; `by_step` names the method for each."""

    def __init__(self, nova: NovaPort, cluster: ClusterPort, clock: Clock, asides: Asides) -> None:
        self._nova = nova
        self._cluster = cluster
        self._clock = clock
        self._asides = asides
        self._fencings_asked: dict[str, float] = {}
        self.by_step: Mapping[type, Callable[[Any, HostPlan], None]] = {
            Disable: self._disable,
            TakeBack: self._take_back,
            ForgetState: self._forget_state,
            MarkWedged: self._mark_wedged,
            UnmarkWedged: self._unmark_wedged,
            FenceWedged: self._fence_wedged,
        }

    def _disable(self, step: Disable, plan: HostPlan) -> None:
        service, reason = step.service, step.reason
        if self._asides.send("disabling", plan.view.host, lambda: self._nova.disable(service, reason)):
            _log.info("host '%s': is being disabled in Nova", plan.view.host)

    def _take_back(self, step: TakeBack, plan: HostPlan) -> None:
        if self._asides.send("enabling", plan.view.host, lambda: self._nova.enable(step.service)):
            _log.info("host '%s': is being enabled in Nova", plan.view.host)

    def _mark_wedged(self, step: MarkWedged, plan: HostPlan) -> None:
        self._cluster.publish_wedged(step.node, step.value)
        _log.warning("host '%s': NovaCompute is told that nova-compute is to be restarted", plan.view.host)

    def _unmark_wedged(self, step: UnmarkWedged, _plan: HostPlan) -> None:
        self._cluster.publish_wedged(step.node, None)

    def _fence_wedged(self, step: FenceWedged, plan: HostPlan) -> None:
        """Ask for the fencing, and not again before that may have been tried several times."""
        now = self._clock.monotonic()
        if now - self._fencings_asked.get(step.node, float("-inf")) < FENCE_AGAIN:
            return
        if self._asides.send("fencing", plan.view.host, lambda: self._cluster.fence(step.node)):
            self._fencings_asked[step.node] = now
            _log.warning("host '%s': Pacemaker is asked to fence it: %s", plan.view.host, step.reason)

    def _forget_state(self, step: ForgetState, _plan: HostPlan) -> None:
        self._cluster.publish_state(step.node, None)
