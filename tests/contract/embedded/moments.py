# SPDX-License-Identifier: Apache-2.0
"""Points of an evacuation at which a test can make Nova wait or fail.

Nova's own code runs up to such a point and on from it. A failure is one that a cloud can really have there:
no answer of the scheduler, no room, a hypervisor's error.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

#: The moments, in the order of an evacuation; what it means when one fails.
NAMES = {
    "schedule": "the conductor gets no answer from the scheduler",
    "claim": "the destination has no room after all",
    "check": "the destination has claimed; it fails if its driver cannot evacuate at all",
    "spawn": "the guest does not start",
    "state": "the guest starts and goes on, and the hypervisor fails when Nova asks for its state",
    "finish": "(it can only be held) the server is ACTIVE, the destination records its new host next",
}
#: A hold ends by itself after so many seconds, so that a failed test does not hang.
_PATIENCE = 120.0


class Moments:
    """What is held and what fails, by moment and server."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: set[tuple[str, str]] = set()
        self._failing: set[tuple[str, str]] = set()
        self._waiting: dict[tuple[str, str], int] = {}
        self._dead: list[object] = []

    def plan_hold(self, moment: str, server_id: str) -> None:
        """Let every evacuation of that server wait at that moment."""
        with self._changed:
            self._held.add(_known(moment, server_id))

    def release(self, moment: str, server_id: str) -> None:
        """Let those that wait there go on, and no more wait."""
        with self._changed:
            self._held.discard((moment, server_id))
            self._changed.notify_all()

    def plan_failure(self, moment: str, server_id: str) -> None:
        """Let every evacuation of that server fail at that moment."""
        self._failing.add(_known(moment, server_id))

    def mend(self) -> None:
        """End all holds and failures."""
        with self._changed:
            self._held.clear()
            self._failing.clear()
            self._changed.notify_all()

    def bury(self, driver: object) -> None:
        """Let a nova-compute be dead: what waits in it does not go on."""
        with self._changed:
            self._dead.append(driver)
            self._changed.notify_all()

    def waiting(self, moment: str, server_id: str) -> int:
        """Return how many evacuations of that server wait there."""
        return self._waiting.get((moment, server_id), 0)

    def fails(self, moment: str, server_id: str) -> bool:
        """Say whether that server's evacuations fail at that moment."""
        return (moment, server_id) in self._failing

    def hold(self, moment: str, server_id: str, driver: object) -> None:
        """Wait as long as that moment is held; for ever when nova-compute is killed meanwhile."""
        key = (moment, server_id)
        with self._changed:
            if key in self._held:
                self._waiting[key] = self._waiting.get(key, 0) + 1
                self._changed.wait_for(lambda: key not in self._held or self._is_dead(driver), _PATIENCE)
                self._waiting[key] -= 1
        if self._is_dead(driver):
            # A process that is gone does nothing any more; a thread can only fall silent.
            threading.Event().wait()

    def _is_dead(self, driver: object) -> bool:
        return any(driver is one for one in self._dead)


def _known(moment: str, server_id: str) -> tuple[str, str]:
    if moment not in NAMES:
        raise ValueError(f"unknown moment: {moment}")
    return moment, server_id


MOMENTS = Moments()


def install() -> None:
    """Put the moments into Nova that lie outside of the hypervisor."""
    import oslo_messaging
    from nova.compute import claims, manager, resource_tracker
    from nova.scheduler.client import query

    def schedule(_client: Any, _context: Any, spec: Any, *_rest: Any, **_options: Any) -> None:
        if MOMENTS.fails("schedule", spec.instance_uuid):
            raise oslo_messaging.MessagingTimeout("Timed out waiting for a reply to message ID 7")

    def check(compute: Any, _context: Any, instance: Any, *_rest: Any) -> None:
        MOMENTS.hold("check", instance.uuid, compute.driver)
        can_evacuate = not MOMENTS.fails("check", instance.uuid)
        compute.driver.capabilities = {**compute.driver.capabilities, "supports_evacuate": can_evacuate}

    def finish(tracker: Any, instance: Any, *_rest: Any) -> None:
        MOMENTS.hold("finish", instance.uuid, tracker.driver)

    _before(query.SchedulerQueryClient, "select_destinations", schedule)
    _before(manager.ComputeManager, "_validate_instance_group_policy", check)
    _before(resource_tracker.ResourceTracker, "finish_evacuation", finish)
    _refuse_claims(claims.MoveClaim)


def _before(owner: Any, name: str, first: Callable[..., None]) -> None:
    """Let something happen before each call of a method."""
    original = getattr(owner, name)

    def method(*arguments: Any, **options: Any) -> Any:
        first(*arguments, **options)
        return original(*arguments, **options)

    setattr(owner, name, method)


def _refuse_claims(claim_class: Any) -> None:
    """Let a claim find no room where a test says so: one of its tests returns the reason."""
    original = claim_class._test_pci

    def method(claim: Any) -> Any:
        if MOMENTS.fails("claim", claim.instance.uuid):
            return "The claim was told to fail"
        return original(claim)

    claim_class._test_pci = method
