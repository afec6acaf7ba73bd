# SPDX-License-Identifier: Apache-2.0
"""Why a lost node is not fenced, as doctor learns it from Pacemaker's fencing history."""

from __future__ import annotations

import pytest

from nova_ha.commands.doctor_facts import Gatherer
from nova_ha.runner import CommandFailed, Result
from nova_ha.testing.clock import VirtualClock


class Pacemaker:
    """Pacemaker's tools, which tell a history; agents tell nothing.

    Args:
        history: what stonith_admin prints, or the error that it ends with.
    """

    def __init__(self, history):
        self._history = history
        self.asked = []

    def run(self, *command, timeout=30.0):
        """Answer."""
        if command[0] != "stonith_admin":
            return Result(command, 0, "", "", timeout)
        self.asked.append(command)
        if isinstance(self._history, Exception):
            raise self._history
        return Result(command, 0, self._history, "", timeout)


def failed_fencings(commands, runner):
    """Return why fencings have failed, as the facts tell it."""
    here = commands.here()
    gatherer = Gatherer(runner, VirtualClock(), here.open_account, dict, ())
    return gatherer.facts(here.configuration).cluster.failed_fencings


HISTORY = """\
<pacemaker-result api-version="2.25" request="stonith_admin --history * --verbose --output-as=xml">
  <list name="fencing history">
    <fence_event action="reboot" target="compute-0" client="c" origin="o" status="{first}"
        exit-reason="Connection timed out" completed="2026-11-22 12:04:46Z"/>
    <fence_event action="reboot" target="compute-0" client="c" origin="o" status="{second}"
        completed="2026-11-22 12:03:46Z"/>
    <fence_event action="on" target="compute-0" client="c" origin="o" status="failed"
        completed="2026-11-22 12:05:46Z"/>
    <fence_event action="off" target="compute-0" client="c" origin="o" status="pending"/>
  </list>
  <status code="0" message="OK"/>
</pacemaker-result>"""


def test_history_of_a_lost_node(commands):
    """Why a fencing failed is asked for while a node is lost, and only then."""
    commands.with_pacemaker(evacuator=True)
    runner = Pacemaker(HISTORY.format(first="failed", second="success"))
    assert {} == failed_fencings(commands, runner)
    assert [] == runner.asked
    commands.root.find("status/node_state[@uname='compute-0']").set("in_ccm", "false")
    assert {"compute-0": "Connection timed out"} == failed_fencings(commands, runner)


@pytest.mark.parametrize(
    "answer",
    [HISTORY.format(first="success", second="failed"), "Traceback", CommandFailed("no stonith_admin")],
    ids=["success", "nonsense", "no answer"],
)
def test_history_without_a_failure(commands, answer):
    """A fencing that has succeeded since is no failure; a history that cannot be had is none either."""
    commands.with_pacemaker(evacuator=True)
    commands.root.find("status/node_state[@uname='compute-0']").set("in_ccm", "false")
    assert {} == failed_fencings(commands, Pacemaker(answer))
