# SPDX-License-Identifier: Apache-2.0
"""What a server's decision depends on besides the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nova_ha.decisions.policy import Policy
from nova_ha.model import Evacuation, ServerGroup

#: Records older than the fencing by more than this belong to an earlier recovery. Covers clocks that differ.
CLOCK_SKEW = 300.0


@dataclass(frozen=True)
class Situation:
    """What a server's decision depends on besides the server.

    Attributes:
        host: Nova's name of the failed host.
        fenced_at: when it was fenced, epoch seconds.
        now: epoch seconds.
        policy: the admin's settings.
        takeover_until: until when requests of an earlier evacuator may still show.
        dead_hosts: hosts that are fenced and forced down: nothing runs or arrives there.
        destinations: hosts that take servers now, in the failed host's availability zone.
        nowhere: why no other host can be asked for now; None when one can.
        source_is_back: whether the failed node is connected again and waits for the end of this recovery.
        groups: hard server groups by member.
        conductors_since: since when Nova's conductors are known to be up, epoch seconds; None if they are
            not.
        fencings: when Pacemaker remembers to have fenced Nova's hosts; epoch seconds.
    """

    host: str
    fenced_at: float
    now: float
    policy: Policy
    takeover_until: float = 0.0
    dead_hosts: frozenset[str] = frozenset()
    destinations: tuple[str, ...] = ()
    nowhere: str | None = None
    source_is_back: bool = False
    groups: Mapping[str, ServerGroup] = field(default_factory=dict)
    conductors_since: float | None = None
    fencings: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def is_about(self, record: Evacuation) -> bool:
        """Say whether an evacuation record is of this recovery, not of an earlier one of the same host."""
        return record.created_at >= self.fenced_at - CLOCK_SKEW

    def was_fenced_since(self, record: Evacuation) -> bool:
        """Say whether a record's destination was fenced after the record changed last."""
        times = self.fencings.get(record.destination or "", ())
        return any(time >= record.updated_at for time in times)
