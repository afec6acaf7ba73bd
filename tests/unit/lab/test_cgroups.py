# SPDX-License-Identifier: Apache-2.0
"""The control groups of nodes: in every layout a machine may have, and gone with their lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.systemd import cgroups

LAB = Path("/somewhere/.lab")
OTHER = Path("/somewhere/else")


@pytest.fixture(autouse=True)
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the groups into a folder of the test."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    return tmp_path


def unified(folder: Path) -> None:
    """Let the folder look like the unified hierarchy."""
    (folder / "cgroup.controllers").touch()


def older(folder: Path, *names: str) -> None:
    """Put hierarchies of the older layouts into the folder."""
    for name in names:
        (folder / name).mkdir()
        (folder / name / "cgroup.procs").touch()


def test_layouts(mounted: Path) -> None:
    """Of the older layouts only the hierarchies that systemd uses count; the unified one is alone."""
    older(mounted, "cpu", "systemd", "unified")
    assert [mounted / "systemd", mounted / "unified"] == cgroups.hierarchies()
    unified(mounted)
    assert [mounted] == cgroups.hierarchies()


def test_a_machine_without_control_groups_is_refused() -> None:
    """Whoever wants nodes with systemd there learns what is missing and what to do."""
    with pytest.raises(LabError, match=r"none are mounted below .*: mount -t cgroup2"):
        cgroups.check()


def test_a_node_enters_its_groups(mounted: Path) -> None:
    """The groups are there before the command that enters them all."""
    older(mounted, "systemd", "unified")
    command = cgroups.command_inside(LAB, "compute-0", ["systemd-nspawn", "--boot"])
    groups = [path / "compute-0" for path in cgroups.of_lab(LAB)]
    assert [True, True] == [path.is_dir() for path in groups]
    assert [*map(str, groups), "--", "systemd-nspawn", "--boot"] == command[4:]


def test_the_groups_of_one_lab_are_removed(mounted: Path) -> None:
    """With all that systemd has made below; those of another lab stay, and none is no error."""
    unified(mounted)
    cgroups.remove(LAB)
    for lab in (LAB, OTHER):
        (cgroups.of_lab(lab)[0] / "compute-0/payload/system.slice").mkdir(parents=True)
    cgroups.remove(LAB)
    assert [cgroups.of_lab(OTHER)[0]] == list(mounted.glob("nova-ha-*"))
