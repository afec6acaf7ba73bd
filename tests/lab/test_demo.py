# SPDX-License-Identifier: Apache-2.0
"""The demo: what a new user sees first must tell the truth, by its words and by its exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import fabric_process
from tests.lab.demo import show
from tests.lab.demo.view import PlainView
from tests.lab.lab import Lab
from tests.lab.layout import RunFolder
from tests.lab.recoveries import LIMIT

pytestmark = pytest.mark.lab

CHECKOUT = Path(__file__).resolve().parents[2]
#: Two compute nodes and the evacuator's controller die.
HARDEST = ("--servers", "6", "--victims", "2", "--kill-evacuator")


def test_demo_of_the_worst_night(tmp_path: Path) -> None:
    """With two dead hosts and a dead evacuator it ends with 0, a table of stages, and without its lab."""
    command = (sys.executable, "-m", "tests.lab.demo", "--dir", str(tmp_path / "lab"), *HARDEST)
    done = subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=2 * LIMIT
    )
    print(done.stdout, done.stderr, sep="\n")
    assert (0, "") == (done.returncode, done.stderr)
    assert "POWER CUT in the middle" in done.stdout
    assert "6 of 6 servers are as before on other hosts" in done.stdout
    assert "seconds per stage" in done.stdout
    assert fabric_process.find(RunFolder(tmp_path / "lab")) is None


def test_demo_of_a_recovery_that_never_comes(
    cloud: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an evacuator it fails, and names every server that is not where it should be."""
    cloud.openstack.client.boot(2, host="compute-0", prefix="vm")
    cloud.run_on_controller("pcs", "resource", "disable", "nova-evacuate", "--wait", timeout=LIMIT)
    monkeypatch.setattr(show, "LIMIT", 20.0)
    assert not show.Show(cloud, show.Story(servers=2), PlainView()).run()
    said = capsys.readouterr().out
    assert "FAILED" in said
    for name in ("vm-0", "vm-1"):
        assert name in said.partition("FAILED")[2]
