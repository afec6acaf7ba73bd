# SPDX-License-Identifier: Apache-2.0
"""``nova-ha doctor``: check the deployment, and print what is not as it should be, with the fix for each.

Exit status, as of a monitoring plug-in: 0 notes at most, 1 warnings, 2 errors, 3 nothing could be checked,
because neither Pacemaker nor Nova answers, or because this account may not ask Pacemaker.

``--json`` prints one object: ``version`` (nova-ha's), ``time``, ``worst`` (``note``, ``warning``, ``error``),
``checks`` (names of those that were made) and ``findings``, a list of objects with the keys ``check``,
``subject``, ``severity``, ``problem`` and ``fix``, the worst first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
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
from nova_ha.commands.configuration import FENCE_AGENT
from nova_ha.commands.facts import Facts
from nova_ha.commands.finding import ERROR, NOTE, WARNING, Finding, ranked, worst

Check = Callable[[Facts], Iterator[Finding]]

# Each looks at the facts and yields what is wrong; its docstring says what ought to be the case.

_ANYWHERE: tuple[Check, ...] = (
    doctor_cluster.pacemaker,
    doctor_nova.credentials,
    doctor_nova.nova,
    doctor_hosts.records,
)
#: They need Pacemaker's configuration and state.
_OF_PACEMAKER: tuple[Check, ...] = (
    doctor_here.programs,
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
)
#: They need both.
_OF_PACEMAKER_AND_NOVA: tuple[Check, ...] = (doctor_hosts.host_names,)
#: They need what Nova shows.
_OF_NOVA: tuple[Check, ...] = (
    doctor_services.services,
    doctor_services.capacity,
    doctor_services.service_down_time,
    doctor_nova.clocks,
    doctor_nova.version,
    doctor_guests.guests,
)
CHECKS = (*_ANYWHERE, *_OF_PACEMAKER, *_OF_PACEMAKER_AND_NOVA, *_OF_NOVA)
_EXIT = {NOTE: 0, WARNING: 1, ERROR: 2}
UNKNOWN = 3


def made(facts: Facts) -> tuple[Check, ...]:
    """Return the checks that have something to look at: without Nova, or Pacemaker, not all can be made."""
    has_cluster, has_nova = facts.cluster is not None, facts.nova is not None
    return (
        *_ANYWHERE,
        *(_OF_PACEMAKER if has_cluster else ()),
        *(_OF_PACEMAKER_AND_NOVA if has_cluster and has_nova else ()),
        *(_OF_NOVA if has_nova else ()),
    )


def examine(facts: Facts) -> list[Finding]:
    """Return what all checks find, the worst first."""
    return ranked(_warned(facts, finding) for check in made(facts) for finding in check(facts))


def _warned(facts: Facts, finding: Finding) -> Finding:
    """Say it where a fix restarts compute services.

    Pacemaker unfences all nodes anew when a parameter of a device that provides unfencing has changed, and
    starts again what waits for unfencing (pcs-examples/README.md, What may surprise).
    """
    devices = facts.cluster.configuration.running(FENCE_AGENT) if facts.cluster is not None else ()
    for device in devices:
        changes_a_parameter = re.search(rf"pcs stonith update {re.escape(device.id)} (?!op )", finding.fix)
        if changes_a_parameter and device.meta.get("provides") == "unfencing":
            return replace(finding, problem=f"{finding.problem} (the fix restarts the compute services)")
    return finding


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
        "checks": [check.__name__ for check in made(facts)],
        "findings": [finding.as_json() for finding in findings],
    }
    return json.dumps(shown, indent=2)


def as_text(facts: Facts, findings: list[Finding]) -> str:
    """Return the findings for people: one block each, with what mends it in a line of its own."""
    blocks = [
        f"{finding.severity.word.upper():8} {finding.subject}: {finding.problem}\n{'':9}fix: {finding.fix}"
        for finding in findings
    ]
    counts = [
        (severity, sum(1 for f in findings if f.severity is severity)) for severity in (ERROR, WARNING, NOTE)
    ]
    words = ", ".join(f"{count} {severity.word}{'' if count == 1 else 's'}" for severity, count in counts)
    return "\n".join([*blocks, f"{_count(facts)}: {words}"])


def _count(facts: Facts) -> str:
    """Return how many checks were made, and why not all of them."""
    number, absent = len(made(facts)), [("Pacemaker", facts.cluster), ("Nova", facts.nova)]
    without = " and ".join(name for name, found in absent if found is None)
    return f"{number} checks" if not without else f"{number} of {len(CHECKS)} checks (without {without})"
