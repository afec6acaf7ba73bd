# SPDX-License-Identifier: Apache-2.0
"""What demo and tests do with the lab's cloud beside looking at it: boot servers, ask the auditor."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.lab.errors import LabError
from tests.lab.lab import Lab

_ONE_IN_TEN = 10
_AUDIT_PATIENCE = 15.0


def boot(lab: Lab, hosts: Sequence[str], count: int) -> None:
    """Boot servers on the hosts, one in ten of them SHUTOFF, and wait until they are as they shall be."""
    off = count // _ONE_IN_TEN
    batches = [
        (share, host, f"{word}{number}", state)
        for state, word, all_of_them in (("ACTIVE", "vm", count - off), ("SHUTOFF", "off", off))
        for number, (host, share) in enumerate(shares(hosts, all_of_them).items())
        if share
    ]
    with ThreadPoolExecutor(len(batches)) as pool:
        list(pool.map(lambda batch: _boot_batch(lab, *batch), batches))


def shares(hosts: Sequence[str], count: int) -> dict[str, int]:
    """Return how many of `count` servers each host gets; they differ by one at most."""
    return {host: len(range(number, count, len(hosts))) for number, host in enumerate(hosts)}


def _boot_batch(lab: Lab, count: int, host: str, prefix: str, state: str) -> None:
    lab.openstack.client.boot(count, host=host, prefix=prefix, state=state)


def audit_complaints(lab: Lab, active: int, since: float = 0.0) -> list[str]:
    """Return what the auditor has against the run, a line each; none when all was well.

    Args:
        lab: the lab.
        active: how many servers must have a live guest now.
        since: epoch seconds; what was wrong before is not of interest.
    """
    try:
        lab.wait_until(
            "as many live guests as ACTIVE servers", lambda: _copies(lab) == active, _AUDIT_PATIENCE
        )
    except LabError:
        return [*_findings(lab, since), f"auditor: {_copies(lab)} guests live, {active} servers are ACTIVE"]
    return _findings(lab, since)


def _copies(lab: Lab) -> int:
    copies: int = lab.openstack.audit().copies
    return copies


def _findings(lab: Lab, since: float) -> list[str]:
    status = lab.openstack.audit()
    if not status.sees_nova:
        return ["auditor: it does not work, so nothing is known about lost and doubled servers"]
    found = [finding for finding in status.findings if finding.since >= since]
    return [f"auditor: {finding.kind.value}: server {finding.uuid}: {finding.text}" for finding in found]
