# SPDX-License-Identifier: Apache-2.0
"""Learn from successive looks at a service whether its nova-compute is alive.

Nova does not show a heartbeat as such: ``updated_at`` moves with every heartbeat *and* with every PUT
that changes the row (nova.md 1.2). A move that comes with a change of the fields a PUT can change is
therefore not counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nova_ha.decisions.observation import Heartbeat
from nova_ha.model import Service

#: A heartbeat that has not moved for so long has stopped: three times Nova's longest usual report_interval.
SILENT_AFTER = 60.0


@dataclass(frozen=True)
class _Seen:
    service: Service
    heartbeat: Heartbeat
    at: float


class HeartbeatWatch:
    """Remembers the last look at each service.

    Invariant: `advances` counts only moves that no PUT explains, since the last PUT or silence.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def look(self, service: Service, now: float) -> Heartbeat:
        """Take a look into account; return what all looks say."""
        before = self._seen.get(service.id)
        heartbeat = _next(before, service, now) if before else Heartbeat()
        self._seen[service.id] = _Seen(service, heartbeat, now)
        return heartbeat

    def forget(self, service_id: str) -> None:
        """Begin anew: the host was fenced again, or a request of ours is about to move ``updated_at``."""
        self._seen.pop(service_id, None)


def _next(before: _Seen, service: Service, now: float) -> Heartbeat:
    old = before.service
    was_put = (old.forced_down, old.status, old.disabled_reason) != (
        service.forced_down,
        service.status,
        service.disabled_reason,
    )
    if was_put:
        return Heartbeat()
    if old.updated_at != service.updated_at:
        return replace(before.heartbeat, advances=before.heartbeat.advances + 1, last_advance=now)
    if before.heartbeat.advances and now - before.heartbeat.last_advance > SILENT_AFTER:
        return Heartbeat()
    return before.heartbeat
