# SPDX-License-Identifier: Apache-2.0
"""What a look at the cloud shows, and when a recovery counts as done. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

RECORD = "nova-ha-fenced"
STATE = "nova-ha-state"


@dataclass(frozen=True)
class ServerSeen:
    """A server as Nova shows it.

    Attributes:
        id: its UUID.
        name: its name.
        host: the host that Nova names.
        status: ``ACTIVE``, ``SHUTOFF``, ...
        task: what Nova is doing with it now; "" when nothing.
    """

    id: str
    name: str
    host: str
    status: str
    task: str = ""


@dataclass(frozen=True)
class ServiceSeen:
    """A nova-compute service as Nova shows it."""

    id: str
    host: str
    is_up: bool
    is_enabled: bool
    is_forced_down: bool

    @property
    def text(self) -> str:
        """Return it in a few words."""
        words = ["up" if self.is_up else "down", "enabled" if self.is_enabled else "disabled"]
        return ", ".join([*words, "forced down"] if self.is_forced_down else words)


@dataclass(frozen=True)
class NodeSeen:
    """A node as Pacemaker shows it.

    Attributes:
        name: its name.
        condition: ``online``, ``OFFLINE``, ``UNCLEAN``, ``pending``.
        attributes: its node attributes.
    """

    name: str
    condition: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """Everything that one look saw.

    A part that did not answer is None: unknown, not empty.
    """

    servers: tuple[ServerSeen, ...] | None = None
    services: tuple[ServiceSeen, ...] | None = None
    nodes: tuple[NodeSeen, ...] | None = None

    def filled_from(self, before: Look) -> Look:
        """Return this look with what did not answer as it was before."""
        return Look(
            before.servers if self.servers is None else self.servers,
            before.services if self.services is None else self.services,
            before.nodes if self.nodes is None else self.nodes,
        )


@dataclass(frozen=True)
class Goal:
    """What must be the case at the end.

    Attributes:
        victims: the compute nodes that were hit.
        servers: the servers as they were before the hit.
    """

    victims: tuple[str, ...]
    servers: tuple[ServerSeen, ...]

    @property
    def homes(self) -> dict[str, str]:
        """Return the host of each server before the hit."""
        return {server.id: server.host for server in self.servers}

    @property
    def active(self) -> int:
        """Return how many servers run."""
        return sum(server.status == "ACTIVE" for server in self.servers)

    def misplaced(self, servers: Iterable[ServerSeen] | None) -> list[str]:
        """Return what is wrong with each server that is not yet as before on a healthy host, a line each."""
        if servers is None:
            return ["Nova did not list the servers"]
        seen = {server.id: server for server in servers}
        complaints = (self._complaint(was, seen.get(was.id)) for was in self.servers)
        return [complaint for complaint in complaints if complaint]

    def _complaint(self, was: ServerSeen, now: ServerSeen | None) -> str:
        if now is None:
            return f"{was.name}: Nova does not list it any more"
        if was.host in self.victims and now.host == was.host:
            return f"{now.name}: still on {now.host} ({now.status}{', ' + now.task if now.task else ''})"
        if now.status != was.status or now.task:
            return f"{now.name}: was {was.status}, is {now.status} {now.task}".rstrip() + f" on {now.host}"
        return ""

    def not_back(self, look: Look) -> list[str]:
        """Return why the victims are not back in service, a line each."""
        return [line for victim in self.victims for line in self._reasons(victim, look)]

    def _reasons(self, victim: str, look: Look) -> list[str]:
        service = next((seen for seen in look.services or () if seen.host == victim), None)
        node = next((seen for seen in look.nodes or () if seen.name == victim), None)
        reasons = []
        if service is None or service.text != "up, enabled":
            reasons.append(f"{victim}: Nova says {service.text if service else 'nothing'}, not up, enabled")
        if node is None or node.condition != "online":
            reasons.append(f"{victim}: Pacemaker says {node.condition if node else 'nothing'}, not online")
        elif RECORD in node.attributes:
            reasons.append(f"{victim}: its record {RECORD} is not removed ({node.attributes[RECORD]})")
        return reasons

    def missing(self, look: Look) -> list[str]:
        """Return everything that is not as it must be at the end, a line each; empty when all is well."""
        return self.misplaced(look.servers) + self.not_back(look)
