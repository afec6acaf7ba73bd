# SPDX-License-Identifier: Apache-2.0
"""``nova-ha doctor``: check the deployment, and print what is not as it should be, with the fix for each.

Exit status, as of a monitoring plug-in: 0 notes at most, 1 warnings, 2 errors, 3 nothing could be checked,
because neither Pacemaker nor Nova answers.

``--json`` prints one object: ``version`` (nova-ha's), ``time``, ``worst`` (``note``, ``warning``, ``error``),
``checks`` (names of those that were made) and ``findings``, a list of objects with the keys ``check``,
``subject``, ``severity``, ``problem`` and ``fix``, the worst first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Callable

from nova_ha import __version__
from nova_ha.clock import format_time
from nova_ha.commands import (
    doctor_cluster,
    doctor_fencing,
    doctor_guests,
    doctor_here,
    doctor_hosts,
    doctor_nova,
    doctor_places,
    doctor_services,
)
from nova_ha.commands.facts import Facts
from nova_ha.commands.finding import ERROR, NOTE, WARNING, Finding, ranked, worst

#: Each looks at the facts and yields what is wrong; its docstring says what ought to be the case.
CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    doctor_here.programs,
    doctor_nova.credentials,
    doctor_nova.nova,
    doctor_cluster.pacemaker,
    doctor_cluster.properties,
    doctor_cluster.resources,
    doctor_cluster.health,
    doctor_cluster.legacy,
    doctor_fencing.levels,
    doctor_fencing.watchdog,
    doctor_fencing.record_device,
    doctor_places.evacuator_places,
    doctor_places.compute_places,
    doctor_places.monitors,
    doctor_places.timeouts,
    doctor_hosts.host_names,
    doctor_services.services,
    doctor_services.capacity,
    doctor_services.service_down_time,
    doctor_hosts.records,
    doctor_nova.clocks,
    doctor_nova.version,
    doctor_guests.guests,
)
_EXIT = {NOTE: 0, WARNING: 1, ERROR: 2}
UNKNOWN = 3


def examine(facts: Facts) -> list[Finding]:
    """Return what all checks find, the worst first."""
    return ranked(finding for check in CHECKS for finding in check(facts))


def exit_status(facts: Facts, findings: list[Finding]) -> int:
    """Return the exit status."""
    if facts.cluster is None and facts.nova is None:
        return UNKNOWN
    return _EXIT[worst(findings)]


def as_json(facts: Facts, findings: list[Finding]) -> str:
    """Return the findings for programs."""
    shown = {
        "version": __version__,
        "time": format_time(facts.now),
        "worst": worst(findings).word,
        "checks": [check.__name__ for check in CHECKS],
        "findings": [finding.as_json() for finding in findings],
    }
    return json.dumps(shown, indent=2)


def as_text(findings: list[Finding]) -> str:
    """Return the findings for people: one block each, the command that mends it in a line of its own."""
    blocks = [
        f"{finding.severity.word.upper():8} {finding.subject}: {finding.problem}\n{'':9}fix: {finding.fix}"
        for finding in findings
    ]
    counts = [
        (severity, sum(1 for f in findings if f.severity is severity)) for severity in (ERROR, WARNING, NOTE)
    ]
    words = ", ".join(f"{count} {severity.word}{'' if count == 1 else 's'}" for severity, count in counts)
    return "\n".join([*blocks, f"{len(CHECKS)} checks: {words}"])
