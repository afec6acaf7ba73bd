# SPDX-License-Identifier: Apache-2.0
"""Read Nova's faults: may another host be tried, and did the guest stay where an attempt failed?

Rule 16 of nova.md: an attempt that failed at its destination may have failed *after* its guest was
started there. Nova then says that the server is still on its old host, and another destination would run
a second copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nova_ha.model import Evacuation
from nova_ha.notes import Failure

#: Faults that come before anything is started at the destination, or after which Nova's driver cleans up
#: what it started (nova.md 2.6): another destination is safe.
_NOTHING_STARTED = (
    "no valid host",
    "insufficient compute resources",
    "virtual interface creation failed",
    "affinity",
    "server group",
    "group policy",
    "invalidsharedstorage",
    "invalid shared storage",
)

#: Faults that say that the guest is, or may be, running at the destination.
_GUEST_IS_THERE = (
    "already exists",
    "conflict updating instance",
    "unexpected task state",
    "unexpectedtaskstate",
)

#: Refusals that no retry changes (nova.md 2.2, rule 18).
_NEVER = ("not supported", "vtpm", "share", "accelerator", "cyborg", "can't be the same one")


@dataclass(frozen=True)
class RetryPlace:
    """Where a failed server may be asked for next.

    Attributes:
        destination: the only safe host, because the guest may run there; None leaves it to the scheduler.
        guest_stayed: whether Nova has seen that guest: then no retry at all.
    """

    destination: str | None = None
    guest_stayed: bool = False


def can_never_move(refusal: str) -> bool:
    """Say whether a refusal of Nova's is for ever."""
    return _says(refusal, _NEVER)


def says_it_exists(fault: str | None) -> bool:
    """Say whether an attempt failed because the destination has such a guest, before anything was started."""
    return _says(fault, ("already exists",))


def leaves_nothing(failure: Evacuation, fault: str | None) -> bool:
    """Say whether an attempt ended before anything was started; no fault means that only the claim failed."""
    if failure.status != "failed" or failure.destination is None or fault is None:
        return True
    return _says(fault, _NOTHING_STARTED) and not _says(fault, _GUEST_IS_THERE)


def where_to_retry(failure: Evacuation, fault: str | None, earlier: Iterable[Failure]) -> RetryPlace:
    """Return where a server may be asked for after an attempt that may have left its guest.

    A guest that an attempt left at its destination shows when the same destination is asked again: Nova
    refuses with "already exists" before it starts anything. So an unclear fault is retried there; the
    same fault twice, the second time after Nova had seen that no such guest was there, proves that this
    fault leaves nothing behind.

    Args:
        failure: the attempt.
        fault: why it failed.
        earlier: such attempts before it.
    """
    if _says(fault, _GUEST_IS_THERE):
        return RetryPlace(destination=failure.destination, guest_stayed=True)
    before = [e for e in earlier if e.record != failure.uuid]
    repeated = bool(before) and before[-1].destination == failure.destination and before[-1].fault == fault
    return RetryPlace() if repeated else RetryPlace(destination=failure.destination)


def _says(text: str | None, words: Iterable[str]) -> bool:
    lowered = (text or "").lower()
    return any(word in lowered for word in words)
