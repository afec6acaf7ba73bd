# SPDX-License-Identifier: Apache-2.0
"""Every directory beside this file is a scenario; its whole log is compared.

To record a log anew, delete ``log.expect`` and run the test twice: the first run writes it, to be read by a
person. A file ``END_DEPENDS_ON_TIME`` says why an interruption may lead to another end, as safe as the first.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nova_ha import record
from nova_ha.testing.scenario import Interruption, compare, load

SCENARIOS = sorted(path.parent for path in Path(__file__).parent.glob("*/script.json"))
#: Time for an interrupted recovery to make up for what it lost.
EXTRA = 300.0
#: Interrupt after every effect on both controllers, instead of on either in turn.
THOROUGH = bool(os.environ.get("NOVA_HA_THOROUGH"))


@pytest.mark.parametrize("directory", SCENARIOS, ids=lambda path: path.name)
def test_log(directory):
    """The run of the scenario gives the log that is expected of it, line by line."""
    scenario = load(directory)
    scenario.run()
    difference = compare(directory, scenario.log())
    assert not difference, f"\n{(directory / 'README').read_text(encoding='utf-8')}\n{difference}"


@pytest.mark.parametrize("directory", SCENARIOS, ids=lambda path: path.name)
def test_nothing_doubled(directory):
    """No guest runs twice at any moment, none is lost or resurrected, no request overtakes another."""
    scenario = load(directory)
    scenario.run()
    assert [str(violation) for violation in scenario.world.violations] == []


@pytest.mark.parametrize("directory", SCENARIOS, ids=lambda path: path.name)
def test_same_run_twice(directory):
    """The same scenario gives the same log each time, whatever the machine does meanwhile."""
    first, second = load(directory), load(directory)
    first.run()
    second.run()
    assert first.log() == second.log()


@pytest.mark.parametrize("directory", SCENARIOS, ids=lambda path: path.name)
def test_interrupted(directory):
    """Killed right after any of its effects and started afresh, the evacuator comes to the same end."""
    whole = load(directory, extra=EXTRA)
    whole.run()
    wrong = []
    may_differ = (directory / "END_DEPENDS_ON_TIME").exists()
    for after in range(1, whole.effects + 1):
        for elsewhere in (False, True) if THOROUGH else (after % 2 == 0,):
            interrupted = load(directory, Interruption(after, elsewhere), EXTRA)
            interrupted.run()
            when = f"killed after effect {after}, elsewhere: {elsewhere}"
            wrong += violations(interrupted, when)
            wrong += left_disabled(interrupted, when)
            wrong += [] if may_differ else differences(whole, interrupted, when)
    assert not wrong, "\n".join(wrong)


def left_disabled(interrupted, when):
    """Return the services that are left disabled because their host was lost, though it is back."""
    world = interrupted.world
    return [
        f"{when}: {compute.host} is left disabled: {compute.disabled_reason}"
        for compute in world.cloud.computes.values()
        if compute.disabled and record.is_lost(compute.disabled_reason)
        if world.node_of(compute.host).online
    ]


def violations(interrupted, when):
    """Return what must never happen, a line each."""
    readable = interrupted.world.log.readable
    return [f"{when}: {readable(str(violation))}" for violation in interrupted.world.violations]


def differences(whole, interrupted, when):
    """Return what ended otherwise than without the interruption, a line each."""
    expected, found = whole.outcome(), interrupted.outcome()
    return [
        f"{when}: {name}: {found[name]} instead of {end}"
        for name, end in expected.items()
        if found[name] != end
    ]
