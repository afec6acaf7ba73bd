# SPDX-License-Identifier: Apache-2.0
"""Content that one guest after another wrote is sound; everything else is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.openstack.diskwatch import Content, DiskWatch
from tests.lab.openstack.hypervisor.diskformat import Damaged, Line, last_number, parse


def line(number: int, host: str = "compute-0", pid: int = 7) -> str:
    """Return a line as a guest writes it."""
    return str(Line(number, 1795347212.5, host, "4711", pid))


def troubles(*texts: str) -> list[str]:
    """Return what is wrong with a disk that has these lines."""
    content = Content()
    return [trouble for text in texts for trouble in content.add(text)]


def test_a_line_survives_the_disk() -> None:
    """What is written is read back with all of its fields."""
    assert parse(line(3)) == Line(3, 1795347212.5, "compute-0", "4711", 7)


@pytest.mark.parametrize("text", ["", "garbage", line(3)[:-1], line(3).replace("compute-0", "compute-1")])
def test_a_changed_line_is_damaged(text: str) -> None:
    """Any change is seen by the checksum."""
    with pytest.raises(Damaged):
        parse(text)


def test_a_guest_goes_on_after_the_last_sound_line() -> None:
    """Numbers continue over reboots and evacuations, also after damage."""
    assert last_number(f"{line(8)}\n{line(9)}\nhalf a li") == 9
    assert last_number("") == 0


def test_writers_one_after_the_other_are_sound() -> None:
    """An evacuated server goes on with the next number under another writer."""
    assert troubles(line(1), line(2), line(3, "compute-1"), line(4, "compute-1"), line(5, pid=8)) == []


def test_interleaved_writers_are_found() -> None:
    """A writer that comes back after another one was never gone."""
    found = troubles(line(1), line(2, "compute-1"), line(3))
    assert len(found) == 1
    assert "at the same time" in found[0]


def test_numbers_that_go_back_are_found() -> None:
    """Two copies write the same number: the second of them goes back."""
    found = troubles(line(1), line(2), line(2, "compute-1"))
    assert len(found) == 1
    assert "went back from line 2 to 2" in found[0]


def test_missing_lines_are_found() -> None:
    """A gap is content that was lost."""
    assert troubles(line(1), line(4)) == ["lines 2 to 3 are missing"]


def test_a_damaged_line_is_found() -> None:
    """Something that no guest wrote lies on the disk."""
    assert len(troubles(line(1), "garbage", line(2))) == 1


def test_disks_are_read_as_they_grow(tmp_path: Path) -> None:
    """Each round reads what is new; a half written line waits for its end."""
    disk = tmp_path / "u1" / "disk"
    disk.parent.mkdir()
    watch = DiskWatch()
    disk.write_text(f"{line(1)}\n{line(2)}"[:-5])
    assert watch.look([disk]) == []
    disk.write_text(f"{line(1)}\n{line(2)}\n{line(2, 'compute-1')}\n")
    assert [trouble.uuid for trouble in watch.look([disk])] == ["u1"]
    assert watch.look([disk]) == []


def test_a_disk_that_was_made_anew_is_found(tmp_path: Path) -> None:
    """A server rebuilt from its image has lost its content, wherever the new disk lies."""
    watch = DiskWatch()
    for folder in ("shared", "compute-1"):
        disk = tmp_path / folder / "u1" / "disk"
        disk.parent.mkdir(parents=True)
        disk.write_text(line(1, folder) + "\n")
        found = watch.look([disk])
    assert [trouble.uuid for trouble in found] == ["u1"]
