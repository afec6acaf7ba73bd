# SPDX-License-Identifier: Apache-2.0
"""The product's own fence actions, on the virtual clock."""

from __future__ import annotations

from typing import Callable

from nova_ha.errors import NovaHaError
from nova_ha.fence.fence_actions import FenceActions, recover_inline
from nova_ha.ports import ClusterPort, NovaPort
from nova_ha.settings.options import resolve
from nova_ha.testing.clock import VirtualClock

_LOOK_SECONDS = 0.1


class VirtualFenceActions(FenceActions):
    """`FenceActions` with a time limit of the virtual clock; a thread's would be one of the real clock."""

    def __init__(
        self, nova: NovaPort, cluster: ClusterPort, clock: VirtualClock, given: dict[str, str]
    ) -> None:
        settings = resolve("fence_compute", given, {})

        def recover(node: str, deadline: float) -> None:
            recover_inline(nova, cluster, clock, node, deadline, settings)

        super().__init__(cluster, lambda: nova, clock, settings, recover)
        self._virtual = clock

    def _within(self, seconds: float, work: Callable[[], str | None]) -> str | None:
        """Do the work beside, and go on without it when it takes too long."""
        results: list[str | None] = []
        errors: list[NovaHaError] = []

        def run() -> None:
            try:
                results.append(work())
            except NovaHaError as error:
                errors.append(error)

        deadline = self._virtual.monotonic() + seconds
        actor = self._virtual.spawn(run)
        while not actor.is_over and self._virtual.monotonic() < deadline:
            self._virtual.sleep(_LOOK_SECONDS)
        if errors:
            raise errors[0]
        return results[0] if actor.is_over else f"no answer within {seconds:g} s"
