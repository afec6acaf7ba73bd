# SPDX-License-Identifier: Apache-2.0
"""Simulated hypervisors: which guest lives where, counted at every moment.

What Nova believes is of no interest here. A guest is *defined* on a host (libvirt keeps the definition on the
host's disk, it survives a power cut) and *live* on a host (its processes may write to its disk). A frozen
host's guests are live: they go on as soon as it thaws.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nova_ha.testing.clock import VirtualClock
from nova_ha.testing.event_log import EventLog


@dataclass(frozen=True)
class Violation:
    """Something that must never happen, with its time in virtual seconds and its cause."""

    at: float
    what: str
    cause: str

    def __str__(self) -> str:
        return f"{self.at:.3f} s: {self.what} ({self.cause})"


@dataclass
class Hypervisors:
    """The guests of all hosts.

    Attributes:
        live: host names by server id; more than one is a violation.
        defined: server ids by host name.
        violations: what must never have happened.
    """

    clock: VirtualClock
    log: EventLog
    live: dict[str, list[str]] = field(default_factory=dict)
    defined: dict[str, set[str]] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def place(self, host: str, server_id: str, *, live: bool) -> None:
        """Put a guest on a host before the world begins."""
        self.defined.setdefault(host, set()).add(server_id)
        if live:
            self.live.setdefault(server_id, []).append(host)

    def start(self, host: str, server_id: str, cause: str) -> None:
        """Start a guest; a second live copy of it is a violation."""
        self.defined.setdefault(host, set()).add(server_id)
        copies = self.live.setdefault(server_id, [])
        if host in copies:
            return
        copies.append(host)
        self.log.add(host, f"guest {server_id} started ({cause})")
        if len(copies) > 1:
            self.accuse(f"guest {server_id} runs on {' and '.join(copies)}", cause)

    def end(self, host: str, server_id: str, cause: str) -> None:
        """End a guest, if it lives; its definition stays."""
        if host in self.live.get(server_id, ()):
            self.live[server_id].remove(host)
            self.log.add(host, f"guest {server_id} ended ({cause})")

    def destroy(self, host: str, server_id: str, cause: str) -> None:
        """End a guest and remove its definition."""
        self.end(host, server_id, cause)
        self.defined.get(host, set()).discard(server_id)

    def power_cut(self, host: str) -> int:
        """End every guest of a host; return how many lived."""
        ended = [server_id for server_id, hosts in self.live.items() if host in hosts]
        for server_id in ended:
            self.live[server_id].remove(host)
        return len(ended)

    def is_defined(self, host: str, server_id: str) -> bool:
        """Say whether the host's libvirt knows that guest."""
        return server_id in self.defined.get(host, ())

    def hosts_of(self, server_id: str) -> list[str]:
        """Return where a guest lives."""
        return list(self.live.get(server_id, ()))

    def accuse(self, what: str, cause: str) -> None:
        """Note a violation."""
        violation = Violation(self.clock.monotonic(), what, cause)
        self.violations.append(violation)
        self.log.add("VIOLATION", f"{what} ({cause})")
