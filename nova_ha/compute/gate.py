# SPDX-License-Identifier: Apache-2.0
"""On a compute node: may nova-compute start, or is a recovery of this host still open?

nova-compute, when it starts, destroys the guests of every evacuation that Nova has begun from its host. So it
waits until the recovery is complete. The answer comes from Pacemaker's CIB through pacemaker_remoted, without
credentials. Whatever is not a clear answer means: wait (rule R3).
"""

from __future__ import annotations

from nova_ha import record
from nova_ha.errors import ClusterError
from nova_ha.pacemaker import cib
from nova_ha.runner import CommandFailed, Runner

_TIMEOUT = 20.0


def why_closed(runner: Runner, node: str) -> str | None:
    """Return why nova-compute must not start on a node now; None when it may.

    The attributes come from one answer: between two, a recovery could end and the next fencing happen.
    """
    try:
        answer = runner.run("cibadmin", "--query", "--scope", "nodes", timeout=_TIMEOUT)
        if answer.returncode != 0:
            return f"it is unknown whether a recovery of {node} is open: cibadmin failed: {answer.complaint}"
        fenced, evacuated, state = cib.record_of(answer.stdout, node)
    except (CommandFailed, ClusterError) as error:
        return f"it is unknown whether a recovery of {node} is open: {error}"
    if not record.is_open(fenced, evacuated):
        return None
    progress = f" ({state})" if state else ""
    return f"the recovery of {node}, fenced {record.fenced_at(fenced)}, is not complete{progress}"
