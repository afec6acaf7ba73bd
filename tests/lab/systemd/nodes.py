# SPDX-License-Identifier: Apache-2.0
"""Wait for nodes that run systemd."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.lab.errors import LabError

if TYPE_CHECKING:
    from tests.lab.lab import Lab

_BOOT_SECONDS = 180.0


def wait_booted(lab: Lab) -> None:
    """Wait until every node has started all that it starts.

    Raises:
        LabError: a unit failed, or it took too long; the text names the units.
    """
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: _wait_one(lab, node), lab.nodes))


def _wait_one(lab: Lab, node: str) -> None:
    states = ["unknown"]

    def booted() -> bool:
        # While systemd is not there yet the answer is empty; "offline" and "initializing" come next.
        done = lab.run(node, "systemctl", "is-system-running", check=False)
        states.append(done.stdout.strip())
        return states[-1] in ("running", "degraded")

    lab.wait_until(f"{node} has booted", booted, _BOOT_SECONDS)
    if states[-1] != "running":
        failed = lab.run(node, "systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout
        raise LabError(f"units failed on {node}: {failed.strip()}")
