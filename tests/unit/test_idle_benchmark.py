# SPDX-License-Identifier: Apache-2.0
"""The watcher of an idle evacuator counts nobody's memory twice, and forgives a disturbance."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import idle

EVACUATOR, CHILD = 100, 101


class Processes:
    """An evacuator of 40 MiB whose child runs its own program, of 2 MiB, from the first look at it on."""

    def __init__(self):
        self.has_exchanged_program = False

    def read(self, path):
        """Return what the kernel says in this file."""
        if path.name == "children":
            return f"{CHILD} "
        return f"Name:\tx\nVmRSS:\t{1024 * (2 if self._looks_small(path) else 40)} kB\n"

    def program(self, path):
        """Return what the process runs."""
        return Path("/bin/cibadmin" if self._looks_small(path) else "/bin/python3")

    def _looks_small(self, path):
        if path.parts[2] != str(CHILD):
            return False
        before, self.has_exchanged_program = self.has_exchanged_program, True
        return before


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_child_is_never_counted_with_its_parents_memory(mocker, has_begun):
    """A child that is its parent's copy counts for nothing, even if it ends to be one just then."""
    processes = Processes()
    processes.has_exchanged_program = has_begun
    mocker.patch.object(Path, "read_text", lambda path, **_: processes.read(path))
    mocker.patch.object(Path, "readlink", lambda path, **_: processes.program(path))
    assert idle._memory_mib(EVACUATOR, without=0) == (42.0 if has_begun else 40.0)


def measured(mocker, *percent):
    """Let measurements find these shares of a core, one after the other, and one MiB more each time."""
    found = [idle.Idle(100.0, one, 1, 40.0 + n) for n, one in enumerate(percent)]
    return mocker.patch.object(idle, "measure", side_effect=found)


def test_a_disturbed_measurement_is_repeated(mocker):
    """The machine's trouble only adds CPU time: the least of what was seen counts, and the most memory."""
    measure = measured(mocker, 2.5, 0.7, 9.0)
    assert idle.measure_undisturbed(8.0, 2.0) == idle.Idle(100.0, 0.7, 1, 41.0)
    assert measure.call_count == 2


def test_an_evacuator_that_costs_too_much_is_found(mocker):
    """What costs too much each time is told, after three measurements."""
    measured(mocker, 2.5, 2.3, 2.4, 0.1)
    assert idle.measure_undisturbed(8.0, 2.0) == idle.Idle(100.0, 2.3, 1, 42.0)
