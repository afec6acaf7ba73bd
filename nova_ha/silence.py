# SPDX-License-Identifier: Apache-2.0
"""Remember for how long each nova-compute that ought to report to Nova has been silent.

Nova shows a service as ``down`` once it has not reported for ``service_down_time`` (60 s); how long that has
been so must be remembered from look to look. A look that failed, or that may be about Nova itself, makes all
of it begin anew: unknown is not silent.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova_ha.model import ClusterNode, Service


@dataclass(frozen=True)
class _Silence:
    since: float
    last_change: str | None


class SilenceWatch:
    """Remembers the silent services by id."""

    def __init__(self) -> None:
        self._silent: dict[str, _Silence] = {}

    def __bool__(self) -> bool:
        """Say whether any service is silent."""
        return bool(self._silent)

    def look(self, node: ClusterNode, service: Service, now: float) -> float | None:
        """Take a look into account; return since when every look found it silent, None when it is not."""
        if not is_silent(node, service):
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


def is_silent(node: ClusterNode, service: Service) -> bool:
    """Say whether a nova-compute does not report although it ought to.

    Not of a node that was fenced or is not there, and not where somebody has disabled the service or forced
    it down: who did so may well be at work on it.
    """
    is_there = node.online and not node.fenced and node.fenced_since is None
    ought_to = service.is_known and service.status == "enabled" and not service.forced_down
    return is_there and ought_to and service.state == "down"
