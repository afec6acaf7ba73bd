# SPDX-License-Identifier: Apache-2.0
"""Every directory beside this file is a scenario; its whole log is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_ha.testing.scenario import compare, load

SCENARIOS = sorted(path.parent for path in Path(__file__).parent.glob("*/script.json"))


@pytest.mark.parametrize("directory", SCENARIOS, ids=lambda path: path.name)
def test_scenario(directory):
    """The run of the scenario gives the log that is expected of it, line by line."""
    scenario = load(directory)
    scenario.run()
    difference = compare(directory, scenario.log())
    assert not difference, f"\n{(directory / 'README').read_text(encoding='utf-8')}\n{difference}"


@pytest.mark.parametrize("directory", SCENARIOS, ids=lambda path: path.name)
def test_same_run_twice(directory):
    """The same scenario gives the same log each time, whatever the machine does meanwhile."""
    first, second = load(directory), load(directory)
    first.run()
    second.run()
    assert first.log() == second.log()
