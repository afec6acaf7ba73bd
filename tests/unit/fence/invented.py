# SPDX-License-Identifier: Apache-2.0
"""An invented cluster and cloud for the fence agent."""

from __future__ import annotations

from dataclasses import replace

from nova_ha import record
from nova_ha.errors import (
    ClusterError,
    ClusterUnavailable,
)
from nova_ha.model import ClusterNode, ClusterView, Service

NOON = 1763812800.0
FENCED_AT = "2025-11-22T12:00:00Z"


class FakeClock:
    """Time passes only when somebody sleeps."""

    def __init__(self):
        self.passed = 0.0
        self.at = {}

    def now(self):
        """Return the time of day."""
        return NOON + self.passed

    def monotonic(self):
        """Return the seconds that have passed."""
        return self.passed

    def sleep(self, seconds):
        """Let seconds pass, and what was planned for them happen."""
        self.passed += seconds
        for moment in [m for m in self.at if m <= self.passed]:
            self.at.pop(moment)()


class FakeCluster:
    """Nodes and their records; `down` makes it answer nothing."""

    def __init__(self, *nodes):
        self.nodes = {name: ClusterNode(name, is_remote=True, online=False) for name in nodes}
        self.down = False
        self.asked = 0

    def view(self):
        """Return the nodes."""
        self._answer()
        return ClusterView(quorate=True, nodes=tuple(self.nodes.values()))

    def write_record(self, node, fenced_at):
        """Write a record."""
        self._answer()
        if node not in self.nodes:
            raise ClusterError(f"Pacemaker knows no node '{node}'")
        self.set(node, fenced=record.record_value(fenced_at))

    def set(self, node, **values):
        """Change attributes of a node."""
        self.nodes[node] = replace(self.nodes[node], **values)

    def _answer(self):
        self.asked += 1
        if self.down:
            raise ClusterUnavailable("the cluster does not answer")


class FakeNova:
    """Services, and what they were told."""

    def __init__(self, *services):
        self.list = list(services)
        self.told = []
        self.trouble = None
        self.asked = 0

    def services(self):
        """Return the services, or raise the trouble."""
        self.asked += 1
        if self.trouble:
            raise self.trouble
        return tuple(self.list)

    def tell_down(self, service, reason):
        """Note what was told."""
        self.told.append((service.host, reason))


def service(host="compute-0", **values):
    """Make a service that is up."""
    return Service(**{"id": "1", "host": host, "status": "enabled", "state": "up", **values})
