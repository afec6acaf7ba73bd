# SPDX-License-Identifier: Apache-2.0
"""What tells NovaEvacuate's monitor within a pass that the evacuator lives."""

from __future__ import annotations

import os
import threading

import pytest

from nova_ha.agents.rundir import RunDirectory
from nova_ha.evacuator_main import StatusFile

LONG_AGO = 1000.0


@pytest.fixture
def directory(tmp_path):
    """Make a runtime folder whose status is old."""
    directory = RunDirectory(str(tmp_path))
    StatusFile(directory).write(("host compute-0: held",))
    os.utime(directory.status, (LONG_AGO, LONG_AGO))
    return directory


def test_beat_keeps_what_was_said(directory):
    """A sign of life renews the time of the status, and not its words."""
    StatusFile(directory).beat()
    word, sentence, changed = directory.read_status()
    assert ("degraded", "host compute-0: held") == (word, sentence)
    assert changed > LONG_AGO


def test_threads_beside_the_loop_are_no_sign(directory):
    """An answer in another thread does not hide that the loop hangs."""
    thread = threading.Thread(target=StatusFile(directory).beat)
    thread.start()
    thread.join()
    assert LONG_AGO == directory.read_status()[2]


def test_beat_before_the_first_status(tmp_path):
    """Before the loop has said how it is, there is nothing to renew."""
    directory = RunDirectory(str(tmp_path))
    StatusFile(directory).beat()
    assert directory.read_status() is None
