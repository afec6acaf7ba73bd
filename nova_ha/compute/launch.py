# SPDX-License-Identifier: Apache-2.0
"""What a start of nova-compute needs to know; each way to run it uses what it needs."""

from __future__ import annotations

from dataclasses import dataclass

from nova_ha.runner import Identity


@dataclass(frozen=True)
class Launch:
    """A start of nova-compute.

    Attributes:
        command: program and arguments, for a plain process.
        output: file to which a plain process's output is appended.
        log: file that nova-compute writes its log into; None when that is not known.
        identity: whose rights a plain process gets; those of this process when None.
        survival: seconds that it must live to count as started.
        patience: seconds that a unit or a container may take until its process is there.
    """

    command: tuple[str, ...]
    output: str
    log: str | None
    identity: Identity | None
    survival: float
    patience: float
