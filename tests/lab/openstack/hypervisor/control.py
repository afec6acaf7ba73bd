# SPDX-License-Identifier: Apache-2.0
"""The file through which a test tells every hypervisor how long a spawn takes and which ones fail."""

from __future__ import annotations

import fcntl
import fnmatch
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CONTROL_FILE = "control.json"
LOCK_FILE = "control.lock"
_LOOK_EVERY = 0.5
DEFAULT_CONTROL: dict[str, Any] = {"spawn_seconds": 2.0, "failures": []}
KINDS = {
    "before": "the spawn fails before the guest was started",
    "after": "the guest is started and keeps running, then the spawn fails",
    "slow": "the spawn takes longer by the given number of seconds",
}


@dataclass(frozen=True)
class Failure:
    """One rule for spawns that go wrong.

    Attributes:
        match: shell pattern for the server's name, its uuid, or the host.
        kind: one of KINDS.
        count: how many more spawns it applies to; -1 for all.
        seconds: how much longer a slow spawn takes.
    """

    match: str
    kind: str
    count: int = -1
    seconds: float = 30.0

    def applies(self, *labels: str) -> bool:
        """Say whether a spawn with this server name, uuid and host is one that goes wrong."""
        return self.count != 0 and any(fnmatch.fnmatchcase(label, self.match) for label in labels)


@dataclass(frozen=True)
class Plan:
    """What one spawn will do."""

    seconds: float
    fails: str = ""


def parse(document: Mapping[str, Any]) -> tuple[float, list[Failure]]:
    """Return the spawn time and the rules of a control file."""
    return float(document["spawn_seconds"]), [Failure(**rule) for rule in document["failures"]]


def plan(seconds: float, rules: Iterable[Failure], labels: tuple[str, ...]) -> tuple[Plan, list[Failure]]:
    """Return what a spawn does, and the rules with their counts used up by it."""
    fails = ""
    left = []
    for rule in rules:
        used = rule.applies(*labels) and (rule.kind == "slow" or not fails)
        if used and rule.kind == "slow":
            seconds += rule.seconds
        elif used:
            fails = rule.kind
        left.append(
            Failure(rule.match, rule.kind, rule.count - 1, rule.seconds) if used and rule.count > 0 else rule
        )
    return Plan(seconds, fails), [rule for rule in left if rule.count != 0]


def change(folder: Path, edit: Callable[[float, list[Failure]], tuple[float, list[Failure]]]) -> None:
    """Rewrite the control file, one at a time: hypervisors on several nodes use up its counts.

    A node may lose its power at any line of this, so the file is replaced in one step.
    """
    control = folder / CONTROL_FILE
    with (folder / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = parse(json.loads(control.read_text()))
        seconds, rules = edit(before[0], list(before[1]))
        if (seconds, rules) != before:
            document = {"spawn_seconds": seconds, "failures": [asdict(rule) for rule in rules]}
            new = control.with_suffix(".new")
            new.write_text(json.dumps(document, indent=2) + "\n")
            new.rename(control)


def wait(folder: Path, seconds: float, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
    """Wait as long as a spawn takes; shorter by as much as the file's spawn time is shortened meanwhile.

    Args:
        folder: where the file is.
        seconds: how long it takes if the file stays as it is.
        now: a clock, seconds.
        sleep: sleeps for so many seconds.
    """
    end, first = now() + seconds, _spawn_seconds(folder)
    while (left := end - max(0.0, first - _spawn_seconds(folder)) - now()) > 0:
        sleep(min(left, _LOOK_EVERY))


def _spawn_seconds(folder: Path) -> float:
    return parse(json.loads((folder / CONTROL_FILE).read_text()))[0]


def plan_spawn(folder: Path, *labels: str) -> Plan:
    """Return what the spawn that is about to happen does; labels are server name, uuid and host."""
    made: list[Plan] = []

    def use(seconds: float, rules: list[Failure]) -> tuple[float, list[Failure]]:
        decided, left = plan(seconds, rules, labels)
        made.append(decided)
        return seconds, left

    change(folder, use)
    return made[0]
