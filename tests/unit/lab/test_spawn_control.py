# SPDX-License-Identifier: Apache-2.0
"""The control file decides how long each spawn takes and which ones fail."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.openstack.hypervisor.control import (
    CONTROL_FILE,
    DEFAULT_CONTROL,
    Failure,
    Plan,
    change,
    parse,
    plan,
    plan_spawn,
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
