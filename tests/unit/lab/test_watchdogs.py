# SPDX-License-Identifier: Apache-2.0
"""A node's watchdog runs out when it is armed and nobody feeds it."""

from __future__ import annotations

import os
import time

import pytest

from tests.lab import watchdog
from tests.lab.layout import RunFolder

NODE = "compute-0"


@pytest.fixture
def run(tmp_path):
    """Give the folder of a run with a node."""
    folder = RunFolder(tmp_path)
    folder.private(NODE, "/var/lib/lab").mkdir(parents=True)
    watchdog.disarm(folder, NODE)
    return folder


def feed(run, fed, ago):
    """Write what sbd writes, some seconds ago."""
    path = run.private(NODE, watchdog.SETTINGS["SBD_WATCHDOG_DEV"])
    with path.open("ab") as file:
        file.write(fed)
    os.utime(path, (time.time() - ago, time.time() - ago))


@pytest.mark.parametrize(
    ("fed", "ago", "runs_out"),
    [
        (b"", 60.0, False),
        (b"\0\0", watchdog.TIMEOUT - 2, False),
        (b"\0\0", watchdog.TIMEOUT + 1, True),
        (b"\0\0V", 60.0, False),
    ],
    ids=["never armed", "fed", "not fed", "disarmed"],
)
def test_when_it_runs_out(run, fed, ago, runs_out):
    """Only an armed one that has not been fed for its time does."""
    feed(run, fed, ago)
    assert runs_out is watchdog.has_run_out(run, NODE)


def test_a_machine_that_is_switched_on_has_an_unarmed_one(run):
    """What was written before the machine was off does not reset it."""
    feed(run, b"\0", 60.0)
    watchdog.disarm(run, NODE)
    assert not watchdog.has_run_out(run, NODE)
