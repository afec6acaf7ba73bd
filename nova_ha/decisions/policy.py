# SPDX-License-Identifier: Apache-2.0
"""What an admin decides about recoveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Policy:
    """The settings that the decisions depend on. All times in seconds.

    Attributes:
        max_in_flight: evacuations under way at once, all hosts together; Nova does not bound them
            (nova.md 4).
        per_destination: evacuations under way at once per healthy destination host.
        settle_time: how long a trace of a request may take to show when its answer was lost; until then no
            other request is sent for that server. Longer than the longest time-out of a proxy before Nova.
        dead_after: age at which an accepted evacuation that no conductor has begun counts as lost (rule
            15 b).
        stuck_after: time without progress after which an evacuation is reported and its place is given to
            another server; it is followed on.
        shared_storage: whether every host reaches the servers' disks.
        rebuild_from_image: whether a server without shared disk may be rebuilt, which loses its data.
        evacuate_error: whether a server that was in ERROR before its host failed is evacuated too.
        reset_states: whether PAUSED, SUSPENDED and RESCUED servers are reset to ERROR, so that they can move.
        disable_lost: whether the service of a host that Pacemaker has lost is disabled at once.
        wedged_after: how long a nova-compute may be silent until it is to be restarted; 0 means for ever.
        fence_wedged_after: how many restarts may not help until its node is fenced; 0 means any number.
        threshold: with more failed hosts than this nothing new is begun; 0 means no threshold.
        domain: DNS suffix that makes a node's name its host's name in Nova; empty where names tell by
            themselves.
        priority_key: metadata key whose integer value orders servers, highest first; empty means no order.
        retry_first: delay before the first retry of a server.
        retry_longest: longest delay between retries; they never end.
        poll: time between two looks while a recovery is under way.
        idle: time between two looks at the cluster otherwise.
        ledger: time between two looks at Nova's services when nothing is under way.
    """

    max_in_flight: int = 20
    per_destination: int = 10
    settle_time: float = 60.0
    dead_after: float = 900.0
    stuck_after: float = 300.0
    shared_storage: bool = True
    rebuild_from_image: bool = False
    evacuate_error: bool = False
    reset_states: bool = False
    disable_lost: bool = True
    wedged_after: float = 120.0
    fence_wedged_after: int = 0
    threshold: int = 0
    domain: str = ""
    priority_key: str = ""
    retry_first: float = 10.0
    retry_longest: float = 300.0
    poll: float = 1.0
    idle: float = 2.0
    ledger: float = 60.0

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Policy:
        """Return the policy that resolved options say; what they leave out has its default."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in settings.items() if name in known and value is not None})

    def retry_delay(self, failures: int) -> float:
        """Return the seconds to wait after that many failures: doubled each time, up to the longest."""
        return min(self.retry_longest, self.retry_first * 2.0 ** min(failures - 1, 20))
