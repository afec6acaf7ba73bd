# SPDX-License-Identifier: Apache-2.0
"""Ask Nova about single servers, only when a decision needs it and not more often than it helps."""

from __future__ import annotations

from dataclasses import dataclass

from nova_ha.clock import Clock
from nova_ha.model import Attempt, Evacuation, Server
from nova_ha.ports import NovaPort

#: Seconds between two questions about the same server.
INTERVAL = 5.0


@dataclass(frozen=True)
class CloserLook:
    """What Nova said of one server by name.

    Attributes:
        server: the server; None when it was not asked for, or does not exist.
        is_gone: whether Nova says that it does not exist.
        attempts: its evacuate actions; None when they were not asked for since its records last changed.
    """

    server: Server | None = None
    is_gone: bool = False
    attempts: tuple[Attempt, ...] | None = None


@dataclass
class _Kept:
    records: tuple[Evacuation, ...]
    look: CloserLook
    asked_at: float = float("-inf")
    is_wanted: bool = False


class CloserLooks:
    """Keeps what was learned of each server as long as its evacuation records stay the same."""

    def __init__(self, nova: NovaPort, clock: Clock) -> None:
        self._nova = nova
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def want(self, server_id: str) -> None:
        """Have a server asked for at the next look."""
        self._kept.setdefault(server_id, _Kept((), CloserLook())).is_wanted = True

    def see(self, server_id: str, records: tuple[Evacuation, ...]) -> None:
        """Drop what was learned when the server's records have changed since."""
        kept = self._kept.get(server_id)
        if kept is not None and kept.records != records:
            self._kept[server_id] = _Kept(records, CloserLook(), is_wanted=kept.is_wanted)

    def forget(self, server_id: str) -> None:
        """Drop what was learned: a request of ours changes it."""
        self._kept.pop(server_id, None)

    def look(self, server_id: str, *, with_server: bool) -> CloserLook:
        """Return what is known of a server, asking Nova if that is wanted and due."""
        kept = self._kept.get(server_id)
        if kept is None:
            return CloserLook()
        now = self._clock.now()
        if kept.is_wanted and now - kept.asked_at >= INTERVAL:
            kept.look = self._ask(server_id, with_server=with_server)
            kept.asked_at, kept.is_wanted = now, False
        return kept.look

    def _ask(self, server_id: str, *, with_server: bool) -> CloserLook:
        """Ask for the actions first: what they say must not be newer than what the server shows."""
        attempts = self._nova.attempts(server_id)
        server = self._nova.server(server_id) if with_server else None
        return CloserLook(server, is_gone=with_server and server is None, attempts=attempts)
