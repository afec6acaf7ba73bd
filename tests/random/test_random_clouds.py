# SPDX-License-Identifier: Apache-2.0
"""Random clouds, random faults, random schedules: whatever happens, every server runs once or is named.

The failing case is printed as the two files of a scenario; saved below ``tests/scenarios`` it stays. The
profile ``ci`` always draws the same 2,000 cases, ``dev`` other 100 ones each time; ``long`` draws 20,000
(``HYPOTHESIS_PROFILE=long``, or NOVA_HA_THOROUGH set).
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.random.random_run import RandomRun
from tests.random.strategies import THEMES, cases

EXAMPLES = {"dev": 100, "ci": 2000, "long": 20000}


def profile():
    """Return the name of the profile that the environment asks for."""
    named = "long" if os.environ.get("NOVA_HA_THOROUGH") else "ci" if os.environ.get("CI") else "dev"
    return os.environ.get("HYPOTHESIS_PROFILE") or named


PROFILE = profile()
SETTINGS = settings(
    max_examples=EXAMPLES[PROFILE] // len(THEMES),
    derandomize=PROFILE == "ci",
    deadline=None,
    report_multiple_bugs=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def play(case):
    """Run a case; fail with the two files of a scenario when anything is wrong."""
    run = RandomRun(case)
    try:
        run.run()
    except Exception as error:
        raise AssertionError(run.report([f"{type(error).__name__}: {error}"])) from error
    complaints = run.complaints()
    assert not complaints, "\n" + run.report(complaints)
    return run


@pytest.mark.parametrize("theme", THEMES)
@SETTINGS
@given(data=st.data())
def test_random_cloud(theme, data):
    """No server ever runs twice, none is forgotten, and everything comes to rest when the faults end."""
    play(data.draw(cases(theme)))
