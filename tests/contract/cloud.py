# SPDX-License-Identifier: Apache-2.0
"""What a contract test can do to a cloud, whether its Nova is real or simulated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from nova_ha.model import Evacuation, Server, Service
from nova_ha.ports import NovaPort

HOSTS = ("host-0", "host-1", "host-2", "host-3")
MARKER = "nova-ha: fenced at 2026-11-22T06:40:12Z"


class ContractCloud(ABC):
    """A cloud of `HOSTS`, empty and in service when a test begins.

    Attributes:
        nova: Nova, to an admin; what the tests are about.
        moment: see `embedded.moments.NAMES`.
    """

    nova: NovaPort

    # --- what each cloud does in its own way --------------------------------------------------------------

    @abstractmethod
    def add_server(self, host: str, state: str = "active", group: str | None = None) -> str:
        """Create a server on a host: ``active``, ``stopped``, ``error`` or ``paused``; return its id."""

    @abstractmethod
    def add_group(self, policy: str) -> str:
        """Create a server group; return its id."""

    @abstractmethod
    def delete_server(self, server_id: str) -> None:
        """Delete a server as its owner does."""

    @abstractmethod
    def power_off(self, host: str) -> None:
        """Cut a host's power: its nova-compute and its guests end."""

    @abstractmethod
    def start_compute(self, host: str) -> None:
        """Start a host's nova-compute; return when it has cleaned up."""

    @abstractmethod
    def let_heartbeat_be_old(self, host: str) -> None:
        """Let the last heartbeat of a host that was powered off be long ago."""

    @abstractmethod
    def hold(self, moment: str, *server_ids: str) -> None:
        """Let evacuations of those servers wait at a moment: ``cast``, ``check``, ``spawn`` or ``finish``."""

    @abstractmethod
    def are_held(self, moment: str, *server_ids: str) -> bool:
        """Say whether an evacuation of each of those servers waits at that moment."""

    @abstractmethod
    def release(self, moment: str, *server_ids: str) -> None:
        """Let them go on."""

    @abstractmethod
    def fail(self, moment: str, server_id: str) -> None:
        """Let evacuations of a server fail: at ``schedule``, ``claim``, ``check``, ``spawn`` or ``state``."""

    @abstractmethod
    def mend(self) -> None:
        """End all failures and holds."""

    @abstractmethod
    def shut_cell(self, shut: bool) -> None:
        """Make the cell of all hosts a down cell, or reachable again."""

    @abstractmethod
    def running_on(self, server_id: str) -> list[str]:
        """Return the hosts on which a guest really runs."""

    @abstractmethod
    def defined_on(self, server_id: str) -> list[str]:
        """Return the hosts whose hypervisor knows a guest, running or not."""

    @abstractmethod
    def unprivileged(self) -> NovaPort:
        """Return Nova, to a user who may list everything and has no right to filter by host."""

    @abstractmethod
    def disturbed(self, call: str, way: str) -> NovaPort:
        """Return Nova, with one call (``services``, ``tell_down``, ``evacuate``) disturbed in a way.

        The ways are those of `embedded.proxy.WAYS`.
        """

    @abstractmethod
    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until a condition holds, at most so long; fail if it does not."""

    # --- the same for all ---------------------------------------------------------------------------------

    def service(self, host: str) -> Service:
        """Return a host's nova-compute."""
        return next(service for service in self.nova.services() if service.host == host)

    def server(self, server_id: str) -> Server:
        """Return a server that must exist."""
        server = self.nova.server(server_id)
        assert server is not None, f"server {server_id} does not exist"
        return server

    def records(self, server_id: str, source: str) -> tuple[Evacuation, ...]:
        """Return a server's evacuation records, oldest first."""
        return tuple(one for one in self.nova.evacuations(source) if one.server_id == server_id)

    def record(self, server_id: str, source: str) -> Evacuation:
        """Return a server's only evacuation record."""
        (record,) = self.records(server_id, source)
        return record

    def lose(self, host: str) -> None:
        """Cut a host's power and tell Nova."""
        self.power_off(host)
        self.nova.tell_down(self.service(host), MARKER)

    def use_only(self, *hosts: str) -> None:
        """Let the scheduler use no other hosts."""
        for host in HOSTS:
            if host not in hosts:
                self.nova.disable(self.service(host), "not for this test")

    def evacuate(self, server_id: str, destination: str | None = None) -> str:
        """Evacuate a server and wait until that has come to an end; return the request id."""
        request = self.nova.evacuate(server_id, destination)
        self.until(lambda: self.is_over(server_id, request))
        return request

    def is_over(self, server_id: str, request: str) -> bool:
        """Say whether a request can have no further effect."""
        attempts = self.nova.attempts(server_id)
        return any(attempt.request_id == request and attempt.is_over for attempt in attempts)

    def where(self, server_id: str) -> tuple[str, str | None, str | None]:
        """Return a server's status, task state and host."""
        server = self.server(server_id)
        return server.status, server.task_state, server.host

    def add_servers(self, host: str, states: Sequence[str]) -> list[str]:
        """Create several servers on a host."""
        return [self.add_server(host, state) for state in states]
