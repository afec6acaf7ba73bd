# SPDX-License-Identifier: Apache-2.0
"""For how long a nova-compute is silent, and whether its host may be blamed."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from nova_ha.decisions.observation import HostView
from nova_ha.decisions.policy import Policy
from nova_ha.errors import NovaUnavailable
from nova_ha.evacuation.silence import LOOK, SilenceWatch
from nova_ha.model import ClusterNode, Service

NODE = ClusterNode("compute-0", is_remote=True, online=True, compute_since=0.0)
SILENT = Service("id", "compute-0", "enabled", "down", updated_at="2026-11-22T06:38:10Z")
UP = Service("other", "compute-1", "enabled", "up")


class Conductors:
    """A Nova that says only whether its conductors are up, or does not answer."""

    def __init__(self, answer=True):
        self.answer = answer
        self.asked = 0

    def conductors_up(self):
        """Answer."""
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def nova():
    """Give a Nova whose conductors are up."""
    return Conductors()


@pytest.fixture
def watch(nova):
    """Give a watch that has seen nothing yet."""
    return SilenceWatch(nova, Policy())


def test_first_look_counts(watch):
    """Silence counts from the first look that found it, as long as nothing is heard."""
    assert [watch.look(NODE, SILENT, now) for now in (1000.0, 1050.0)] == [1000.0, 1000.0]


def test_heartbeat_in_between(watch):
    """A row that has changed since begins anew: it has reported once, or somebody was at it."""
    watch.look(NODE, SILENT, 1000.0)
    assert watch.look(NODE, replace(SILENT, updated_at="2026-11-22T06:39:10Z"), 1050.0) == 1050.0


@pytest.mark.parametrize(
    ("node", "service"),
    [
        (NODE, replace(SILENT, state="up")),
        (NODE, replace(SILENT, status="disabled")),
        (NODE, replace(SILENT, forced_down=True)),
        (NODE, replace(SILENT, status="UNKNOWN", state=None)),
        (replace(NODE, online=False), SILENT),
        (replace(NODE, fenced="fenced x"), SILENT),
        (replace(NODE, fenced_since=5.0), SILENT),
    ],
)
def test_not_silent(watch, node, service):
    """Not one that reports, is not expected to, or is not there; nor is it remembered."""
    watch.look(NODE, SILENT, 1000.0)
    assert watch.look(node, service, 1050.0) is None
    assert watch.look(NODE, SILENT, 1100.0) == 1100.0


def test_switched_off(nova):
    """With wedged_after=0 nothing is silent."""
    assert SilenceWatch(nova, Policy(wedged_after=0)).look(NODE, SILENT, 1000.0) is None


def test_pace(watch):
    """While one is silent Nova's services are looked at more often."""
    assert watch.pace == Policy().ledger
    watch.look(NODE, SILENT, 1000.0)
    assert watch.pace == LOOK


def view(watch, now):
    """Return the host as a look shows it."""
    return HostView("compute-0", NODE, SILENT, silent_since=watch.look(NODE, SILENT, now))


def test_conductors_are_asked_late(watch, nova):
    """Only when a host is about to be blamed it is asked how the rest of Nova is."""
    assert watch.health([view(watch, 1000.0)], [SILENT, UP], 1000.0) is None
    assert nova.asked == 0
    assert watch.health([view(watch, 1120.0)], [SILENT, UP], 1120.0).is_well


@pytest.mark.parametrize("answer", [False, NovaUnavailable("no answer")])
def test_nova_is_not_well(watch, nova, caplog, answer):
    """With conductors down, or unknown, nobody is blamed, and all silence begins anew."""
    caplog.set_level(logging.INFO, "nova_ha")
    nova.answer = answer
    watch.look(NODE, SILENT, 1000.0)
    assert not watch.health([view(watch, 1120.0)], [SILENT, UP], 1120.0).is_well
    assert watch.look(NODE, SILENT, 1130.0) == 1130.0


def test_most_are_silent(watch):
    """When nobody else reports, the host is not blamed."""
    watch.look(NODE, SILENT, 1000.0)
    assert not watch.health([view(watch, 1120.0)], [SILENT], 1120.0).is_well
