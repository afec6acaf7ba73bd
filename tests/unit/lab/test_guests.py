# SPDX-License-Identifier: Apache-2.0
"""What counts as a live guest, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.openstack.hypervisor.guests import GUEST, NAME, GuestProcess, running

WORDS = (NAME, "-I", "-S", GUEST, "u1", "compute-0", "/instances/u1/disk", "/instances/u1/disk", "/events")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Return a /proc with one live guest, and an entry that is no process."""
    (tmp_path / "uptime").touch()
    add(tmp_path, 7)
    return tmp_path


def add(proc: Path, pid: int, name: str = NAME, state: str = "S", words: tuple[str, ...] = WORDS) -> None:
    """Add a process."""
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "cmdline").write_text("\0".join(words) + "\0")
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {state} 1 7 7 0")


def test_a_guest_is_seen_with_all_that_it_is(proc: Path) -> None:
    """Server, host and disk stand in its command line."""
    assert running(proc) == [GuestProcess(7, "u1", "compute-0", "/instances/u1/disk", stopped=False)]


def test_who_starts_a_guest_is_no_guest(proc: Path) -> None:
    """The starter shares the command line, which must not be taken for a second copy."""
    add(proc, 6, name="python3")
    assert [guest.pid for guest in running(proc)] == [7]


def test_a_zombie_is_dead(proc: Path) -> None:
    """A process that nobody has buried yet runs no more."""
    add(proc, 8, state="Z")
    assert [guest.pid for guest in running(proc)] == [7]


def test_a_paused_guest_is_alive(proc: Path) -> None:
    """A stopped process still holds its disk."""
    add(proc, 8, state="T")
    assert [guest.stopped for guest in sorted(running(proc), key=lambda guest: guest.pid)] == [False, True]


def test_a_process_that_vanishes_is_none(proc: Path) -> None:
    """Between listing and looking a process may end; others may have strange names."""
    (proc / "9").mkdir()
    add(proc, 10, name="a) S (b", words=("a", "b"))
    assert [guest.pid for guest in running(proc)] == [7]
