# SPDX-License-Identifier: Apache-2.0
"""A small world in which compute-0 is dead, and a client that knows no caution."""

from __future__ import annotations

import pytest

from nova_ha.testing import SimulatedWorld


class DeadHost:
    """Three hosts; the first, with one server, has lost its power and is forced down."""

    def __init__(self) -> None:
        self.world = SimulatedWorld()
        for number in range(3):
            self.world.add_host(f"compute-{number}")
        self.server = self.world.cloud.add_server("web", "compute-0")
        self.world.fencing.reboots = False
        self.nova = self.world.nova

    @property
    def service(self):
        """The dead host's service."""
        return self.nova.services()[0]

    @property
    def records(self):
        """The dead host's evacuation records, as (status, destination)."""
        return [(r.status, r.destination) for r in self.nova.evacuations("compute-0")]

    @property
    def now(self):
        """The server as Nova shows it."""
        return self.nova.server(self.server.id)

    def die(self):
        """Cut the power and wait until fencing has told Nova."""
        self.world.machines.switch_off("compute-0", "power cut")
        self.world.run(10.0)
        return self

    def evacuate(self, destination=None):
        """Send an evacuate request."""
        return self.nova.evacuate(self.server.id, destination)

    def plan(self, outcome, **more):
        """Decide what becomes of an attempt."""
        from nova_ha.testing.cloud import Plan

        self.world.cloud.plans.append(Plan(outcome, self.server.id, **more))

    def fault(self, call, kind, **more):
        """Let a call fail."""
        from nova_ha.testing.faults import Fault

        self.nova.faults.add(Fault(call, kind, **more))

    def run(self, seconds):
        """Let time pass."""
        self.world.run(seconds)

    def what(self):
        """Return what the violations are, without their time."""
        return [self.world.log.readable(v.what) for v in self.world.violations]


@pytest.fixture
def host():
    """Hand out a world with a host that is about to die."""
    dead = DeadHost()
    yield dead
    dead.world.close()
