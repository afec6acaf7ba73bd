# SPDX-License-Identifier: Apache-2.0
"""Remember for how long each nova-compute that ought to report to Nova has been silent.

Nova shows a service as ``down`` once it has not reported for ``service_down_time`` (60 s); how long that has
been so must be remembered from look to look. A look that failed, or that may be about Nova itself, makes all
of it begin anew: unknown is not silent.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from nova_ha.decisions.decide_wedged import is_due
from nova_ha.decisions.observation import HostView, NovaHealth
from nova_ha.decisions.policy import Policy
from nova_ha.errors import NovaHaError
from nova_ha.model import ClusterNode, Service
from nova_ha.ports import NovaPort

_log = logging.getLogger(__name__)

#: Time between two looks at Nova's services while one of them is silent that ought to report.
LOOK = 10.0


@dataclass(frozen=True)
class _Silence:
    since: float
    last_change: str | None


class SilenceWatch:
    """Remembers the silent services by id, and learns whether their hosts may be blamed."""

    def __init__(self, nova: NovaPort, policy: Policy) -> None:
        self._nova = nova
        self._policy = policy
        self._silent: dict[str, _Silence] = {}

    @property
    def pace(self) -> float:
        """Return the time between two looks at Nova's services when nothing else is under way, seconds."""
        return min(self._policy.ledger, LOOK) if self._silent else self._policy.ledger

    def look(self, node: ClusterNode, service: Service, now: float) -> float | None:
        """Take a look into account; return since when every look found it silent, None when it is not."""
        if not (self._policy.wedged_after and is_silent(node, service)):
            self._silent.pop(service.id, None)
            return None
        before = self._silent.get(service.id)
        if before is None or before.last_change != service.updated_at:
            # It has reported in between, if only once, or somebody has changed it.
            before = self._silent[service.id] = _Silence(now, service.updated_at)
        return before.since

    def begin_anew(self) -> None:
        """Forget everything."""
        self._silent.clear()

    def health(self, views: Sequence[HostView], services: Sequence[Service], now: float) -> NovaHealth | None:
        """Return how Nova is, when a silent host is to be blamed; if it is not well, silence begins anew."""
        if not any(is_due(view, now, self._policy) for view in views):
            return None
        reporting = sum(service.state == "up" for service in services)
        silent = sum(view.silent_since is not None for view in views)
        health = NovaHealth(self._conductors_up(), reporting, silent)
        if not health.is_well:
            self.begin_anew()
        return health

    def _conductors_up(self) -> bool:
        try:
            return self._nova.conductors_up()
        except NovaHaError as error:
            _log.info("no silent host is blamed: it is unknown whether Nova's conductors are up: %s", error)
            return False


def is_silent(node: ClusterNode, service: Service) -> bool:
    """Say whether a nova-compute does not report although it ought to.

    Not of a node that was fenced or is not there, and not where somebody has disabled the service or forced
    it down: who did so may well be at work on it.
    """
    is_there = node.online and not node.fenced and node.fenced_since is None
    ought_to = service.is_known and service.status == "enabled" and not service.forced_down
    return is_there and ought_to and service.state == "down"
