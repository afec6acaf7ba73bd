# SPDX-License-Identifier: Apache-2.0
"""Which recovery an evacuate request belongs to while its answer has not come."""

from __future__ import annotations

from nova_ha.evacuation.journal import Journal
from nova_ha.model import ClusterNode

#: Names a recovery in the journal: Pacemaker's name of the node, and when it was fenced.
Recovery = tuple[str, str]


class OnTheirWay:
    """The requests that were sent and not answered.

    A node may be fenced again while one hangs. The recovery that begins then must wait for it as the one that
    has sent it would (rule 14 of nova.md): the answer may be lost, and the effect show long after.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._recoveries: dict[str, Recovery] = {}

    def add(self, server_id: str, recovery: Recovery) -> None:
        """Note a request for a server that is about to be sent."""
        self._recoveries[server_id] = recovery

    def take(self, server_id: str) -> Recovery:
        """Return the recovery that a server's answer belongs to, and forget the request."""
        return self._recoveries.pop(server_id)

    def carry_over(self, node: ClusterNode) -> None:
        """Write the requests of a node's earlier recoveries into the journal of the one that it has now."""
        if node.fenced_at is None:
            return
        now = (node.name, node.fenced_at)
        for server_id, before in self._recoveries.items():
            if before[0] == node.name and before != now:
                self._write_again(server_id, before, now)
                self._recoveries[server_id] = now

    def _write_again(self, server_id: str, before: Recovery, now: Recovery) -> None:
        notes = self._journal.notes(*before).of(server_id)
        ask = notes.last_ask
        if ask is None:
            return
        self._journal.append(
            *now,
            "asking",
            server=server_id,
            destination=ask.destination,
            known=sorted(ask.known),
            vm_state=ask.vm_state,
            was_off=notes.was_off,
        )
