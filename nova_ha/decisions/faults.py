# SPDX-License-Identifier: Apache-2.0
"""Read Nova's faults: may another host be tried, and did the guest stay where an attempt failed?

Rule 16 of nova.md: an attempt that failed at its destination may have failed *after* its guest was
started there. Nova then says that the server is still on its old host, and another destination would run
a second copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nova_ha.model import Evacuation

#: What a destination says whose driver cannot evacuate: ironic's and VMware's (nova.md 2.6,
#: InstanceEvacuateNotSupported, raised in nova/compute/manager.py before it looks for the guest).
_DRIVER_CANNOT = ("instance evacuate is not supported",)

#: Faults that come before Nova has looked whether the destination has such a guest: they say nothing about
#: one that an earlier attempt may have left there.
_BEFORE_THE_LOOK = (
    "no valid host",
    "insufficient compute resources",
    "affinity",
    "server group",
    "group policy",
    *_DRIVER_CANNOT,
)

#: Faults that come after that look and before a guest is started, or after which Nova's driver cleans up what
#: it has started (nova.md 2.6): storage, ports and VIFs. Of what os-brick raises Nova shows the class alone
#: (exception_to_dict in nova/compute/utils.py), and so it does of libvirtError, DBConnectionError and
#: MessagingTimeout: those come before the start of a guest as well as after it.
_AFTER_THE_LOOK = (
    "virtual interface creation failed",
    "binding failed for port",
    "unexpected vif_type",
    "invalidsharedstorage",
    "invalid shared storage",
    "connection to cinder host failed",
    "volumedevicenotfound",
    "volumepathsnotfound",
    "failediscsitargetportallogin",
)

#: Faults that say that the guest is, or may be, running at the destination.
_GUEST_IS_THERE = (
    "already exists",
    "conflict updating instance",
    "unexpected task state",
    "unexpectedtaskstate",
)

#: Refusals that no retry changes (nova.md 2.2, rule 18), and the HTTP statuses that they have.
_NEVER = re.compile(
    r"\b(not supported|vtpm|shares?|accelerators?|cyborg|can't be the same one)\b", re.IGNORECASE
)
_REFUSALS = (400, 409)


@dataclass(frozen=True)
class RetryPlace:
    """Where a failed server may be asked for next.

    Attributes:
        destination: the only safe host, because the guest may run there; None leaves it to the scheduler.
        guest_stayed: whether Nova has seen that guest: then no retry at all.
    """

    destination: str | None = None
    guest_stayed: bool = False


def can_never_move(status: int | None, refusal: str) -> bool:
    """Say whether an answer of Nova's is a refusal for ever; None is the status of no answer at all."""
    return status in _REFUSALS and bool(_NEVER.search(refusal))


def says_it_exists(fault: str | None) -> bool:
    """Say whether an attempt failed because the destination has such a guest, before anything was started."""
    return _says(fault, ("already exists",))


def driver_cannot_evacuate(fault: str | None) -> bool:
    """Say whether an attempt failed because its destination's driver evacuates no servers at all."""
    return _says(fault, _DRIVER_CANNOT)


def leaves_nothing(failure: Evacuation, fault: str | None) -> bool:
    """Say whether an attempt ended before anything was started; no fault means that only the claim failed."""
    if failure.status != "failed" or failure.destination is None or fault is None:
        return True
    return _says(fault, _BEFORE_THE_LOOK + _AFTER_THE_LOOK) and not _says(fault, _GUEST_IS_THERE)


def found_nothing(fault: str | None) -> bool:
    """Say whether an attempt has seen that its destination has no such guest, and has left none there."""
    return _says(fault, _AFTER_THE_LOOK) and not _says(fault, _BEFORE_THE_LOOK + _GUEST_IS_THERE)


def says_it_stayed(fault: str | None) -> bool:
    """Say whether an attempt failed in a way that tells that its guest is, or may be, at its destination."""
    return _says(fault, _GUEST_IS_THERE)


def _says(text: str | None, words: Iterable[str]) -> bool:
    lowered = (text or "").lower()
    return any(word in lowered for word in words)
