# SPDX-License-Identifier: Apache-2.0
"""On a compute node: does the evacuator say that this nova-compute is wedged?

Nova's heartbeats can be seen with credentials only, so the evacuator looks and tells the node by the
transient attribute `nova_ha.record.WEDGED`. It condemns the nova-compute that ran at that moment, no later
one: the attribute stays until Nova gets heartbeats again.
"""

from __future__ import annotations

import calendar
import os
import time

from nova_ha import process, record
from nova_ha.errors import ClusterError
from nova_ha.pacemaker import cib
from nova_ha.runner import CommandFailed, Runner

_TIMEOUT = 5.0


def value_of(runner: Runner, node: str) -> str | None:
    """Return the attribute's value for a node; None when there is none, or Pacemaker does not say."""
    command = ("attrd_updater", "--name", record.WEDGED, "--node", node, "--query", "--output-as=xml")
    try:
        answer = runner.run(*command, timeout=_TIMEOUT)
        return cib.private_attributes(answer.stdout).get(node) if answer.returncode == 0 else None
    except (CommandFailed, ClusterError):
        return None


def why(value: str | None, started_at: float) -> str | None:
    """Return why a nova-compute is wedged; None when it is not known to be.

    Args:
        value: of the attribute.
        started_at: when that nova-compute started, epoch seconds.
    """
    moment, _, sentence = (value or "").partition(" ")
    try:
        told_at = calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None
    if told_at <= started_at:
        return None
    return f"nova-compute is wedged, says the evacuator at {moment}: {sentence or 'no heartbeat in Nova'}"


def started_at(pid: int) -> float | None:
    """Return when a process started, epoch seconds; None when it does not live."""
    ticks = process.start_time(pid)
    if ticks is None:
        return None
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")
    return time.time() - age
