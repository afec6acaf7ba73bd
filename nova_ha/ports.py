# SPDX-License-Identifier: Apache-2.0
"""Every effect that nova-ha may have on the world, and every way it may learn of it.

Reading this file tells the program's whole contact with Nova and Pacemaker. `nova_ha.openstack.nova` and
`nova_ha.pacemaker.cluster` hold the real ones, `nova_ha.testing` the simulated ones.
"""

from __future__ import annotations

from typing import Protocol

from nova_ha.model import (
    Attempt,
    ClusterView,
    Evacuation,
    Server,
    ServerGroup,
    Service,
)


class NovaPort(Protocol):
    """Nova. Reads raise `NovaUnavailable`, `AccessDenied` or `UntrustworthyAnswer`."""

    def services(self) -> tuple[Service, ...]:
        """Return every nova-compute service of every cell."""

    def tell_down(self, service: Service, reason: str | None) -> None:
        """Force the service down and, with a reason, disable it, in one request (rule 2). Idempotent."""

    def clear_forced_down(self, service: Service) -> None:
        """Clear forced_down; raise `StillInUse` while old evacuations are not cleaned up (Nova >= 24)."""

    def disable(self, service: Service, reason: str) -> None:
        """Disable the service with a reason, in a request that is never repeated; may take a minute."""

    def enable(self, service: Service) -> None:
        """Enable the service, in a request that is never repeated; may take a minute."""

    def servers(self, host: str) -> tuple[Server, ...]:
        """Return every server of every project on that host; each one's host attribute was checked."""

    def server(self, server_id: str) -> Server | None:
        """Return a server, or None when it does not exist."""

    def evacuations(self, host: str) -> tuple[Evacuation, ...]:
        """Return every evacuation record whose source is that host, oldest first."""

    def attempts(self, server_id: str) -> tuple[Attempt, ...]:
        """Return the server's ``evacuate`` instance actions with their events, oldest first."""

    def server_groups(self) -> tuple[ServerGroup, ...]:
        """Return every server group of every project."""

    def conductors_up(self) -> bool:
        """Say whether at least one nova-conductor is up, and none is down."""

    def evacuate(self, server_id: str, destination: str | None) -> str:
        """Send one evacuate request, never repeated; return its request id.

        Raises:
            RequestRefused: Nova said no; nothing was done.
            StillInUse: Nova does not see the source as down yet.
            NovaUnavailable: the request was never sent.
            AmbiguousAnswer: it may have taken effect.
        """

    def stop(self, server_id: str) -> None:
        """Shut a server off. Idempotent: a server that is off already is no error."""

    def hard_reboot(self, server_id: str) -> None:
        """Start a server on the host that it is on: ACTIVE without a guest, SHUTOFF, or in ERROR."""

    def reset_to_error(self, server_id: str) -> None:
        """Set a server's state to ERROR, so that Nova accepts to evacuate it (nova.md 5)."""


class ClusterPort(Protocol):
    """Pacemaker. Every method raises `ClusterUnavailable` when it does not answer."""

    def view(self) -> ClusterView:
        """Return nodes, records, membership and fencing history."""

    def change_token(self) -> object:
        """Return a value that differs when a record may have changed; costs no process."""

    def write_record(self, node: str, fenced_at: str) -> None:
        """Write the record of a fencing and read it back; raise `ClusterError` when it was not kept."""

    def mark_evacuated(self, node: str, fenced_at: str) -> None:
        """Write that the recovery of that fencing is complete; not beside the record of a later one."""

    def clear_record(self, node: str, fenced_at: str) -> bool:
        """Remove record and mark, but only if the record is still of that fencing; say whether it was."""

    def remember(self, node: str, fenced_at: str, facts: frozenset[str]) -> None:
        """Write facts about single servers (`record.OFF` ...) in place of what was there; read them back."""

    def restart_compute(self, node: str) -> None:
        """Have the node's nova-compute restarted; raise `ClusterError` when no resource runs it."""

    def publish_wedged(self, node: str, value: str | None) -> None:
        """Write the attribute `record.WEDGED` of a node that is online; None removes it. Idempotent."""

    def fence(self, node: str) -> None:
        """Have Pacemaker fence a node now, and return when it is done; takes up to two minutes.

        Raises:
            ClusterError: it could not be fenced.
        """

    def publish_state(self, node: str, text: str | None) -> None:
        """Write the sentence for people; None removes it."""
