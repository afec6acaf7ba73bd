# SPDX-License-Identifier: Apache-2.0
"""How often Nova is asked in the course of a recovery."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from nova_ha.testing.scenario import load

SIXTY_SERVERS = Path(__file__).parents[2] / "scenarios" / "sixty-servers-bounded-width"
#: Calls for each server, the looks at the services left out: those go on for as long as the scenario does.
CALLS_PER_SERVER = 3


class Counting:
    """Passes every call on to Nova, and counts it by name."""

    def __init__(self, nova):
        self.nova = nova
        self.calls = Counter()

    def __getattr__(self, name):
        """Return what Nova has by that name; a method is counted when it is taken to be called."""
        found = getattr(self.nova, name)
        self.calls[name] += callable(found)
        return found


def test_calls_do_not_grow_with_each_look():
    """A recovery of 60 servers asks for lists: besides one evacuate there are few calls for each server."""
    scenario = load(SIXTY_SERVERS)
    scenario.world.nova = counting = Counting(scenario.world.nova)
    scenario.run()
    assert 60 == counting.calls["evacuate"]
    assert counting.calls["server"] + counting.calls["attempts"] < 10
    about_servers = sum(counting.calls.values()) - counting.calls["services"]
    assert about_servers <= 60 * CALLS_PER_SERVER
