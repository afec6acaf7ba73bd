# SPDX-License-Identifier: Apache-2.0
"""Whether there is a Pacemaker, as a command finds out where Pacemaker does not answer."""

from __future__ import annotations

import argparse
import os

import pytest

from nova_ha.commands import run
from nova_ha.commands.surroundings import RUN_AS_ROOT, Surroundings
from nova_ha.runner import CommandFailed, Result


class SilentTools:
    """Pacemaker's tools where Pacemaker does not answer.

    Args:
        is_there: whether they are installed at all.
    """

    def __init__(self, *, is_there=True):
        self._is_there = is_there

    def run(self, *command, timeout=30.0):
        """Fail as cibadmin does without a connection."""
        if not self._is_there:
            raise CommandFailed("cibadmin: not found")
        return Result(command, 102, "", "Could not connect to the CIB", timeout)


@pytest.fixture
def hide(monkeypatch):
    """Return what makes a file one that this account may not look for."""
    stat = os.stat

    def hide_it(path):
        def refuse(asked, *arguments, **named):
            if asked == path:
                raise PermissionError(13, "Permission denied", asked)
            return stat(asked, *arguments, **named)

        monkeypatch.setattr(os, "stat", refuse)

    return hide_it


def here(sign, *, is_there=True):
    """Return the surroundings on a machine whose Pacemaker does not answer."""
    return Surroundings(runner=SilentTools(is_there=is_there), sign=str(sign), environ={})


def test_no_pacemaker(tmp_path):
    """Where there has never been a member of a cluster there is nothing to complain of."""
    found = here(tmp_path / "cib.xml", is_there=False)
    assert (None, None, False) == (found.cluster_problem, found.configuration, found.is_blindfolded)


def test_member_whose_pacemaker_is_down(tmp_path):
    """A member of a cluster says why Pacemaker does not answer."""
    sign = tmp_path / "cib.xml"
    sign.touch()
    assert "Could not connect to the CIB" in here(sign).cluster_problem
    assert not here(sign).is_blindfolded


@pytest.mark.parametrize("is_there", [True, False], ids=["refused", "not in the PATH"])
def test_account_that_may_not_look(tmp_path, hide, is_there):
    """Whoever may not see whether there is a Pacemaker is never told that there is none (rule R3)."""
    sign = str(tmp_path / "cib.xml")
    hide(sign)
    assert RUN_AS_ROOT == here(sign, is_there=is_there).cluster_problem


def test_doctor_of_an_account_that_may_not_look(tmp_path, hide, capsys):
    """The exit status is 3 then, whatever Nova says, for it has not looked at Pacemaker."""
    sign = str(tmp_path / "cib.xml")
    hide(sign)
    assert 3 == run.doctor(here(sign), argparse.Namespace(json=False))
    said = capsys.readouterr()
    assert ("", f"nova-ha: {RUN_AS_ROOT}\n") == (said.out, said.err)
