# SPDX-License-Identifier: Apache-2.0
"""The lab breaks something for every check of nova-ha doctor, and nothing that no check looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_ha.commands import doctor
from tests.lab.breakages import BREAKAGES, IN_ANOTHER_LAB
from tests.unit.commands import breakages, breakages_of_fencing, breakages_of_hosts
from tests.unit.commands.deployment import Deployment

LAB = Path(__file__).resolve().parents[2] / "lab"


def what_can_be_found():
    """Return each check that finds something in a broken deployment, with the name of what it finds."""
    found = set()
    for break_it, *_ in breakages.CASES + breakages_of_fencing.CASES + breakages_of_hosts.CASES:
        deployment = Deployment()
        break_it(deployment)
        facts = deployment.all_facts()
        found |= {(check.__name__, one.check) for check in doctor.CHECKS for one in check(facts)}
    return found


def test_every_check_is_broken_in_the_lab():
    """Each finding of each check has a case of tests/lab/test_doctor.py, and each case has a check."""
    broken = {(breakage.by, breakage.check) for breakage in BREAKAGES.values()} | set(IN_ANOTHER_LAB)
    assert what_can_be_found() == broken
    assert {check.__name__ for check in doctor.CHECKS} == {by for by, _ in broken}


@pytest.mark.parametrize("name", IN_ANOTHER_LAB.values())
def test_tests_of_other_labs_exist(name):
    """A test that stands for a case is there."""
    file, _, test = name.partition("::")
    assert f"\ndef {test}(" in (LAB / file).read_text(encoding="utf-8")
