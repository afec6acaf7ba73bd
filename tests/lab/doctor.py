# SPDX-License-Identifier: Apache-2.0
"""nova-ha doctor on a controller of the lab, and the hands of the admin who breaks and mends things there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.lab.lab import Lab
from tests.lab.recoveries import RESTARTED, wait_for_restarts

Findings = list[dict[str, str]]

CLOUDS = "/etc/nova-ha/clouds.yaml"
#: The exit status tells the worst; 3 says that nobody was there to ask.
_EXIT = {"note": {0}, "warning": {1}, "error": {2, 3}}
_RANKS = ("note", "warning", "error")
#: Seconds until the cluster is as it was; nothing takes longer.
PATIENCE = RESTARTED


class Doctor:
    """nova-ha doctor on a controller.

    Attributes:
        lab: the lab.
        controller: one that runs neither the evacuator nor fence_compute: what is broken there hurts nobody.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.controller = lab.controllers[0].name

    def visit_idle_controller(self) -> None:
        """Go where neither the evacuator nor fence_compute runs at the moment."""
        status = self.lab.cluster_status()
        assert status is not None
        busy = {*status.started.get("nova-evacuate", ()), *status.started.get("fence-nova", ())}
        self.controller = next(node.name for node in self.lab.controllers if node.name not in busy)

    def findings(self, controller: str | None = None) -> Findings:
        """Return what is worse than a note."""
        return without_notes(self.examine(controller))

    def examine(self, controller: str | None = None) -> Findings:
        """Return everything that is found, on this controller or another; the exit status agrees with it."""
        done = self.lab.run(controller or self.controller, "nova-ha", "doctor", "--json", check=False)
        shown: dict[str, Any] = json.loads(done.stdout)
        found: Findings = shown["findings"]
        worst = max((one["severity"] for one in found), key=_RANKS.index, default="note")
        assert (worst, True) == (shown["worst"], done.returncode in _EXIT[worst]), done.stderr
        return found

    def wait(
        self, what: str, condition: Callable[[Findings], bool], look: Callable[[], Findings] | None = None
    ) -> Findings:
        """Return the findings, without notes unless `look` says otherwise, once they are as wanted."""
        seen: list[Findings] = [[]]

        def as_wanted() -> bool:
            seen[0] = (look or self.findings)()
            return condition(seen[0])

        try:
            self.lab.wait_until(what, as_wanted, PATIENCE)
        finally:
            print(f"{what}: {json.dumps(seen[0], indent=1)}")
        return seen[0]

    def wait_sound(self, controller: str | None = None) -> None:
        """Wait until every nova-compute has started again that had to, and nothing is worse than a note."""
        wait_for_restarts(self.lab)
        self.wait("nothing is found", lambda found: not found, lambda: self.findings(controller))

    def type(self, command: str, node: str | None = None) -> str:
        """Type a command into a node's shell, the controller's unless said; return what it prints."""
        return self.lab.run(node or self.controller, "sh", "-c", command).stdout


def without_notes(found: Findings) -> Findings:
    """Return the findings that are worth an alarm."""
    return [one for one in found if one["severity"] != "note"]
