# SPDX-License-Identifier: Apache-2.0
"""Every directory beside this file is a scenario; its whole log is compared.

To record a log anew, delete ``log.expect`` and run the test twice: the first run writes it, to be read by a
person. A line ``which: why`` in a file ``KNOWN_FAILURE`` says that one of the checks below is known to fail;
when it passes again, the line has to go.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nova_ha.testing.scenario import LOG, Interruption, compare, load

SCENARIOS = sorted(path.parent for path in Path(__file__).parent.glob("*/script.json"))
#: Time for an interrupted recovery to make up for what it lost.
EXTRA = 300.0
#: Interrupt after every effect on both controllers, instead of on either in turn.
THOROUGH = bool(os.environ.get("NOVA_HA_THOROUGH"))


def known_failures(directory):
    """Return the checks of a scenario that are known to fail, with the reason of each."""
    path = directory / "KNOWN_FAILURE"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split(": ", 1) for line in lines)


def scenarios(check):
    """Return all scenarios as arguments of a check."""
    return [argument(directory, known_failures(directory).get(check)) for directory in SCENARIOS]


def argument(directory, reason):
    """Return a scenario as an argument of a check that is known to fail for a reason, if there is one."""
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(directory, id=directory.name, marks=marks)


def check_names():
    """Return every word that a file KNOWN_FAILURE uses."""
    return {check for directory in SCENARIOS for check in known_failures(directory)}


def test_known_failures_name_checks():
    """A misspelt check in a file KNOWN_FAILURE would excuse nothing."""
    assert check_names() <= {"log", "nothing-doubled", "interrupted"}


@pytest.mark.parametrize("directory", scenarios("log"))
def test_log(directory):
    """The run of the scenario gives the log that is expected of it, line by line."""
    scenario = load(directory)
    scenario.run()
    if "log" in known_failures(directory) and not (directory / LOG).exists():
        pytest.fail("no log is expected as long as the outcome is wrong")
    difference = compare(directory, scenario.log())
    assert not difference, f"\n{(directory / 'README').read_text(encoding='utf-8')}\n{difference}"


@pytest.mark.parametrize("directory", scenarios("nothing-doubled"))
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


@pytest.mark.parametrize("directory", scenarios("interrupted"))
def test_interrupted(directory):
    """Killed right after any of its effects and started afresh, the evacuator comes to the same end."""
    whole = load(directory, extra=EXTRA)
    whole.run()
    wrong = []
    for after in range(1, whole.effects + 1):
        for elsewhere in (False, True) if THOROUGH else (after % 2 == 0,):
            interrupted = load(directory, Interruption(after, elsewhere), EXTRA)
            interrupted.run()
            wrong += differences(whole, interrupted, f"killed after effect {after}, elsewhere: {elsewhere}")
    assert not wrong, "\n".join(wrong)


def differences(whole, interrupted, when):
    """Return what ended otherwise than without the interruption, a line each."""
    expected, found = whole.outcome(), interrupted.outcome()
    readable = interrupted.world.log.readable
    wrong = [f"{when}: {readable(str(violation))}" for violation in interrupted.world.violations]
    return wrong + [
        f"{when}: {name}: {found[name]} instead of {end}"
        for name, end in expected.items()
        if found[name] != end
    ]
