# SPDX-License-Identifier: Apache-2.0
"""May nova-compute start? Whatever is not a clear yes means no."""

from __future__ import annotations

import pytest

from nova_ha.compute.gate import why_closed
from nova_ha.runner import CommandFailed, Result

FENCED = '<nvpair id="f" name="nova-ha-fenced" value="fenced 2026-11-22T06:40:12Z"/>'
DONE = '<nvpair id="e" name="nova-ha-evacuated" value="2026-11-22T06:40:12Z"/>'
OLDER = '<nvpair id="e" name="nova-ha-evacuated" value="2026-11-20T00:00:00Z"/>'


class Says:
    """A cibadmin that says this."""

    def __init__(self, text, returncode=0):
        self.text, self.returncode = text, returncode

    def run(self, *command, timeout):
        """Answer."""
        assert ("cibadmin", "--query", "--scope", "nodes") == command
        if self.text is None:
            raise CommandFailed(f"cibadmin did not end within {timeout:g} s")
        return Result(command, self.returncode, self.text, "Transport endpoint is not connected")


def nodes(attributes, name="compute-0"):
    """Return the section of the CIB with one node."""
    inner = f'<instance_attributes id="x">{attributes}</instance_attributes>'
    return (
        f'<nodes><node id="1" uname="controller-0"/><node id="{name}" uname="{name}">{inner}</node></nodes>'
    )


@pytest.mark.parametrize(
    "text", ["<nodes/>", nodes(""), nodes(FENCED + DONE), nodes(DONE), nodes(FENCED, "compute-1")]
)
def test_open_gate(text):
    """Without a record of this node, or with one whose recovery is complete, nova-compute may start."""
    assert why_closed(Says(text), "compute-0") is None


@pytest.mark.parametrize("attributes", [FENCED, FENCED + OLDER])
def test_closed_gate(attributes):
    """With a record whose recovery is not complete it must wait, and the reason names node and time."""
    reason = why_closed(Says(nodes(attributes)), "compute-0")
    assert "the recovery of compute-0, fenced 2026-11-22T06:40:12Z, is not complete" == reason


def test_progress():
    """The reason says how far the recovery is, and who is at it."""
    state = '<nvpair id="s" name="nova-ha-state" value="evacuating 12/20 by controller-1"/>'
    reason = why_closed(Says(nodes(FENCED + state)), "compute-0")
    assert reason.endswith("is not complete (evacuating 12/20 by controller-1)")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Says(None), "cibadmin did not end within 20 s"),
        (Says("", 102), "cibadmin failed: Transport endpoint is not connected"),
        (Says(""), "Pacemaker's answer is no XML"),
        (Says("<html/>"), "Pacemaker answered <html> where <nodes> belongs"),
    ],
)
def test_unknown_is_closed(answer, reason):
    """An answer that is missing or makes no sense keeps nova-compute waiting."""
    said = why_closed(answer, "compute-0")
    assert said.startswith("it is unknown whether a recovery of compute-0 is open: ")
    assert reason in said
