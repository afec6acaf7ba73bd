# SPDX-License-Identifier: Apache-2.0
"""Processes of the fabric are started again only when their predecessors have ended."""

from __future__ import annotations

import sys

import pytest

from tests.lab import background
from tests.lab.background import Background
from tests.lab.errors import LabError

pytestmark = [pytest.mark.real_subprocess, pytest.mark.real_time]

#: Its main thread ends (exit(2) of the thread alone), another one goes on for a while.
LEADER_ENDS_FIRST = """
import ctypes, os, threading, time
threading.Thread(target=lambda: time.sleep(0.7)).start()
open("started", "w").close()
ctypes.CDLL(None).syscall(ctypes.c_long({"x86_64": 60}.get(os.uname().machine, 93)), 0)
"""


def test_process_that_is_ending_is_waited_for(tmp_path):
    """A process that is a zombie but for a thread has not ended yet, and is no obstacle."""
    processes = Background(tmp_path)
    first = processes.start("nova-api", (sys.executable, "-c", LEADER_ENDS_FIRST), cwd=str(tmp_path))
    while not (tmp_path / "started").exists():
        assert processes.exit_status("nova-api") is None
    second = processes.start("nova-api", ("sleep", "60"))
    assert first != second
    processes.stop("nova-api")


def test_process_that_runs_is_not_started_again(tmp_path, monkeypatch):
    """A name is taken while its process runs."""
    monkeypatch.setattr(background, "_ENDING", 0.1)
    processes = Background(tmp_path)
    processes.start("nova-api", ("sleep", "60"))
    with pytest.raises(LabError, match="'nova-api' runs already"):
        processes.start("nova-api", ("sleep", "60"))
    processes.stop("nova-api")
