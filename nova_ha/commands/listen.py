# SPDX-License-Identifier: Apache-2.0
"""Listen whether a nova-compute still reports to Nova."""

from __future__ import annotations

from nova_ha.clock import Clock
from nova_ha.decisions.heartbeat import HeartbeatWatch
from nova_ha.ports import NovaPort

#: Two and a half of Nova's usual report_interval (10 s); a busy nova-compute may skip one.
LISTEN = 25.0
_STEP = 1.0


def is_heard(nova: NovaPort, clock: Clock, host: str, seconds: float = LISTEN) -> bool:
    """Say whether a heartbeat of a host comes within that many seconds; raise the errors of Nova's port."""
    watch, end = HeartbeatWatch(), clock.monotonic() + seconds
    while True:
        for service in nova.services():
            if service.host == host and watch.look(service, clock.now()).advances:
                return True
        if clock.monotonic() >= end:
            return False
        clock.sleep(_STEP)
