# SPDX-License-Identifier: Apache-2.0
"""The lab's command line, called with an interpreter that lacks its libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
#: Hides a library, as in a Python that was not made for the lab.
WITHOUT = (
    "import runpy, sys; sys.modules['keystoneauth1'] = None; runpy.run_module('tests.lab', None, '__main__')"
)


@pytest.mark.real_subprocess
def test_wrong_interpreter():
    """A Python without the lab's libraries says in one line which one to use."""
    ended = subprocess.run(
        (sys.executable, "-c", WITHOUT), cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    (line,) = ended.stderr.splitlines()
    assert (1, "") == (ended.returncode, ended.stdout)
    assert line.startswith("lab: ")
    assert ".tox/lab/bin/python -m tests.lab" in line
    assert "keystoneauth1" in line
