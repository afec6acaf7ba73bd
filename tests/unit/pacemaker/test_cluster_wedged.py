# SPDX-License-Identifier: Apache-2.0
"""What is asked of Pacemaker's tools for a nova-compute that is wedged."""

from __future__ import annotations

import pytest

from nova_ha.errors import ClusterError, ClusterUnavailable
from nova_ha.pacemaker.cluster import Pacemaker
from nova_ha.runner import CommandFailed, Result
from nova_ha.testing.clock import VirtualClock

VALUE = "2026-11-22T06:40:12Z no heartbeat in Nova since 2026-11-22T06:38:10Z (restart 1)"


class Tools:
    """Answers each command with an exit status."""

    def __init__(self, status=0, failure=None):
        self.status = status
        self.failure = failure
        self.calls = []

    def run(self, *command, timeout):
        """Note a command, and answer it."""
        self.calls.append((command, timeout))
        if self.failure:
            raise self.failure
        return Result(command, self.status, "", "" if self.status == 0 else "Couldn't fence compute-0")


def test_published():
    """The attribute is a transient one of the compute node, which its own attrd_updater can read."""
    tools = Tools()
    Pacemaker(tools, VirtualClock()).publish_wedged("compute-0", VALUE)
    name = ("attrd_updater", "--name", "nova-ha-wedged", "--node", "compute-0")
    assert [command for command, _ in tools.calls] == [(*name, "--update", VALUE)]


def test_removed():
    """Nothing stays of it but its removal."""
    tools = Tools()
    Pacemaker(tools, VirtualClock()).publish_wedged("compute-0", None)
    assert tools.calls[0][0][-1] == "--delete"


def test_not_published():
    """Pacemaker's refusal is an error."""
    with pytest.raises(ClusterUnavailable):
        Pacemaker(Tools(status=102), VirtualClock()).publish_wedged("compute-0", VALUE)


def test_fenced():
    """A node is fenced by its levels, and the tool has as much time as a fencing takes."""
    tools = Tools()
    Pacemaker(tools, VirtualClock()).fence("compute-0")
    ((command, timeout),) = tools.calls
    assert command[:3] == ("stonith_admin", "--reboot", "compute-0")
    assert timeout > 120


def test_not_fenced():
    """A fencing that has failed is told in a line."""
    with pytest.raises(ClusterError, match="'compute-0' could not be fenced: Couldn't"):
        Pacemaker(Tools(status=1), VirtualClock()).fence("compute-0")


def test_fencing_without_an_end():
    """A tool that does not end is ended, and may be asked again."""
    failure = CommandFailed("stonith_admin has not ended within 140 s")
    with pytest.raises(ClusterUnavailable, match="140 s"):
        Pacemaker(Tools(failure=failure), VirtualClock()).fence("compute-0")
