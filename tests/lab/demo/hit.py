# SPDX-License-Identifier: Apache-2.0
"""What befalls the compute nodes in the demo, and the controller in the middle of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.lab.errors import LabError
from tests.lab.lab import Lab

EVACUATOR = "nova-evacuate"


def _cut_cable(lab: Lab, node: str) -> None:
    lab.cable(node, up=False)


HOW: dict[str, tuple[str, Callable[[Lab, str], None]]] = {
    "power-cut": ("power cut of {nodes}", Lab.power_off),
    "freeze": ("{nodes} frozen", Lab.freeze),
    "cable": ("network cable of {nodes} cut", _cut_cable),
}


def title(how: str, nodes: Sequence[str]) -> str:
    """Return in a few words what happens to the nodes."""
    return HOW[how][0].format(nodes=" and ".join(nodes))


def hit(lab: Lab, how: str, nodes: Sequence[str]) -> float:
    """Let it happen to all nodes at once; return when it began, epoch seconds."""
    strike = HOW[how][1]
    began = time.time()
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(lambda node: strike(lab, node), nodes))
    return began


def controller_of_evacuator(lab: Lab) -> str:
    """Return the controller on which the evacuator runs; raise LabError if it runs on none."""
    status = lab.cluster_status()
    where = sorted(status.started.get(EVACUATOR, ())) if status else []
    if not where:
        raise LabError(
            f"resource {EVACUATOR} is not started on any controller: see 'pcs status' in controller-0"
        )
    return where[0]
