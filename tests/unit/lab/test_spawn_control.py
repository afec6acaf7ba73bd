# SPDX-License-Identifier: Apache-2.0
"""The control file decides how long each spawn takes and which ones fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.openstack.hypervisor.control import (
    CONTROL_FILE,
    DEFAULT_CONTROL,
    Failure,
    Plan,
    change,
    parse,
    plan,
    plan_spawn,
    wait,
)

LABELS = ("vm-1", "u1", "compute-0")


def test_a_spawn_takes_the_time_it_was_given() -> None:
    """Without rules nothing fails."""
    assert plan(2.0, [], LABELS) == (Plan(2.0), [])


def test_a_rule_matches_name_uuid_or_host() -> None:
    """Patterns choose servers or whole hosts, and leave the others alone."""
    for match in ("vm-*", "u1", "compute-0"):
        assert plan(2.0, [Failure(match, "before")], LABELS)[0].fails == "before"
    assert plan(2.0, [Failure("compute-1", "before")], LABELS)[0].fails == ""


def test_a_count_is_used_up() -> None:
    """A rule for one spawn is gone after it."""
    decided, left = plan(2.0, [Failure("vm-1", "after", count=1)], LABELS)
    assert (decided.fails, left) == ("after", [])


def test_slow_adds_to_the_time_and_does_not_fail() -> None:
    """A slow spawn succeeds late."""
    assert plan(2.0, [Failure("vm-1", "slow", seconds=9.0)], LABELS)[0] == Plan(11.0)


def test_the_file_is_read_at_each_spawn_and_keeps_its_counts(tmp_path: Path) -> None:
    """A change is in force at once; a count that was used up is written back."""
    control = tmp_path / CONTROL_FILE
    control.write_text(json.dumps(DEFAULT_CONTROL))
    change(tmp_path, lambda _seconds, rules: (0.5, [*rules, Failure("vm-1", "before", count=2)]))
    assert [plan_spawn(tmp_path, *LABELS).fails for _ in range(3)] == ["before", "before", ""]
    assert parse(json.loads(control.read_text())) == (0.5, [])


class Clock:
    """A clock that a sleeper moves, and a change of the file at a moment of it.

    Args:
        moment: when the file changes, seconds.
        change: the change.
    """

    def __init__(self, moment: float, change: Callable[[], None]) -> None:
        self.time = 0.0
        self._moment = moment
        self._change = change

    def now(self) -> float:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds
        if self.time >= self._moment:
            self._change()


@pytest.mark.parametrize(
    ("spawn", "takes", "told", "ended"),
    [(2.0, 2.0, 2.0, 2.0), (2.0, 2.0, 90.0, 2.0), (90.0, 90.0, 0.5, 4.0), (90.0, 99.0, 0.5, 9.5)],
    ids=["as planned", "longer", "shorter", "shorter, and slow"],
)
def test_a_spawn_is_shortened_with_the_spawn_time(
    tmp_path: Path, spawn: float, takes: float, told: float, ended: float
) -> None:
    """A spawn under way ends as early as the new spawn time says, and never later than it was to end."""
    (tmp_path / CONTROL_FILE).write_text(json.dumps({**DEFAULT_CONTROL, "spawn_seconds": spawn}))
    clock = Clock(4.0, lambda: change(tmp_path, lambda _seconds, rules: (told, rules)))
    wait(tmp_path, takes, clock.now, clock.sleep)
    assert ended == clock.time
