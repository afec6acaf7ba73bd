# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about Nova: credentials, rights, version, clocks. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nova_ha.commands.configuration import FENCE_AGENT
from nova_ha.commands.facts import AccessFacts, Facts
from nova_ha.commands.finding import ERROR, NOTE, WARNING, Finding
from nova_ha.pacemaker.cib_secrets import plain_secret_warning

#: The file that is proposed where the parameters name none.
_OWN_FILE = "/etc/nova-ha/credentials.ini"

#: Clocks that differ by more make times in records and in Nova hard to compare.
LARGEST_OFFSET = 5.0

#: The newest microversion of each release of Nova (its rest_api_version_history), and the release's number.
#: Two releases may share one; the older counts.
_RELEASES = (
    ((2, 65), 18, "Rocky"),
    ((2, 72), 19, "Stein"),
    ((2, 79), 20, "Train"),
    ((2, 87), 21, "Ussuri or Victoria"),
    ((2, 88), 23, "Wallaby"),
    ((2, 90), 24, "Xena or Yoga"),
    ((2, 93), 26, "Zed"),
    ((2, 95), 27, "2023.1 or 2023.2"),
    ((2, 96), 29, "2024.1 or 2024.2"),
    ((2, 100), 31, "2025.1 or 2025.2"),
    ((2, 103), 33, "2026.1"),
    ((2, 104), 34, "2026.2"),
)
#: What nova-ha asks for; older APIs show no down cells and no UUIDs of services.
_OLDEST = (2, 72)


@dataclass(frozen=True)
class Bug:
    """A bug of Nova that an evacuation can meet (ids of Launchpad).

    Attributes:
        number: its id.
        fixed_in: number of the first release without it; older ones may have got the fix in an update.
        effect: what happens.
        fix: what helps.
    """

    number: int
    fixed_in: int
    effect: str
    fix: str


BUGS = (
    Bug(1550919, 22, "a failed evacuation deletes disks on shared storage", "update Nova"),
    Bug(
        1784983,
        21,
        "a server is in ERROR although only its destination was full",
        "update Nova to 21.0 or later",
    ),
    Bug(
        1897716, 23, "nova-compute does not start on a host whose evacuated server was deleted", "update Nova"
    ),
    Bug(
        1922053,
        24,
        "it lets a host be forced up before the guests that left it are removed there",
        "leave forced_down to nova-ha: nova-ha return HOST",
    ),
    Bug(1890244, 26, "servers of a deleted server group cannot be evacuated", "update Nova to 26.0 or later"),
    Bug(
        2085975,
        31,
        "folders that are left on a host make a later evacuation to it fail",
        "remove folders of servers that are elsewhere from the instances path before you enable the host",
    ),
)


def credentials(facts: Facts) -> Iterator[Finding]:
    """Every set of credentials works, may do what a recovery needs, and is not for everybody to read."""
    for access in facts.access:
        if access.problem:
            yield Finding("credentials", access.subject, ERROR, access.problem, _credentials_fix(access))
        if access.uncovered:
            calls = ", ".join(access.uncovered)
            problem = f"the access rules of the application credential do not cover {calls}"
            yield Finding("rights", access.subject, ERROR, problem, _RULES)
        for refused in access.refused:
            yield Finding("rights", access.subject, ERROR, refused, _ROLE)
        if not access.refused and access.roles is not None and "admin" not in access.roles:
            roles = ", ".join(sorted(access.roles)) or "none"
            problem = f"the roles are {roles}; Nova's own policy wants admin for evacuations"
            yield Finding("rights", access.subject, WARNING, problem, _ROLE)
        for name in access.plain:
            yield Finding(
                "plain-secret", access.subject, WARNING, plain_secret_warning(name), _into_file(access, name)
            )


def _credentials_fix(access: AccessFacts) -> str:
    """Return the command that the problem names, or the one that shows where the credentials come from."""
    _, found, command = (access.problem or "").rpartition("run: ")
    if found:
        return command
    if not access.agent:
        return "nova-ha --cloud CLOUD --clouds-yaml /etc/nova-ha/clouds.yaml doctor"
    only = re.search(r"has no such cloud, only: (\w+)$", access.problem or "")
    return f"{_update(access)} cloud={only[1]}" if only else f"pcs {_kind(access)} config {access.subject}"


def _into_file(access: AccessFacts, name: str) -> str:
    """Return how a secret gets out of the configuration; a second file beside the first would be refused."""
    file, also = access.file, ""
    if file is None:
        file, also = _OWN_FILE, f" credentials_file={_OWN_FILE}"
    return (
        f"write it into {file} of each controller (root only), and only then: {_update(access)} {name}={also}"
    )


def _update(access: AccessFacts) -> str:
    return f"pcs {_kind(access)} update {access.subject}"


def _kind(access: AccessFacts) -> str:
    """Return what pcs calls such a resource."""
    return "stonith" if access.agent == FENCE_AGENT else "resource"


_ROLE = "openstack role add --user USER --project PROJECT admin"
#: The file is made with the rules of pcs-examples/CREDENTIALS.md.
_RULES = "openstack application credential create --role admin --access-rules access-rules.json NAME"


def nova(facts: Facts) -> Iterator[Finding]:
    """Nova answers, and has what brings an evacuation forward."""
    if facts.nova is None:
        # Credentials that do not work have been reported as such.
        if facts.nova_problem and not any(one.problem or one.uncovered for one in facts.access):
            yield Finding("nova", "Nova", ERROR, facts.nova_problem, "openstack compute service list")
        return
    if facts.nova.has_conductor is False:
        problem = "a nova-conductor is down, or none is up: evacuations wait for it"
        yield Finding("nova", "nova-conductor", WARNING, problem, "openstack compute service list")
    for host, reason in facts.nova.unlisted.items():
        problem = f"its servers cannot be listed, so that none of them would be recovered: {reason}"
        yield Finding("nova", host, ERROR, problem, f"openstack server list --all-projects --host {host}")


def version(facts: Facts) -> Iterator[Finding]:
    """Nova is new enough, and free of the bugs that hurt evacuations."""
    newest = facts.nova.microversion if facts.nova is not None else None
    if newest is None:
        return
    if newest < _OLDEST:
        problem = f"its newest microversion is {newest[0]}.{newest[1]}; 2.72 (Nova 19, Stein) is needed"
        yield Finding("nova-version", "Nova", ERROR, problem, "update Nova")
        return
    number, name = _release(newest)
    for bug in BUGS:
        if number < bug.fixed_in:
            problem = f"{name} may have bug {bug.number}: {bug.effect}"
            yield Finding("nova-version", "Nova", NOTE, problem, bug.fix)


def _release(newest: tuple[int, int]) -> tuple[int, str]:
    """Return number and name of the release with that newest microversion, or of the last one before it."""
    known = [(number, name) for microversion, number, name in _RELEASES if microversion <= newest]
    return known[-1]


def clocks(facts: Facts) -> Iterator[Finding]:
    """This controller's clock agrees with that of Nova's API."""
    offset = facts.nova.clock_offset if facts.nova is not None else None
    if offset is not None and abs(offset) > LARGEST_OFFSET:
        direction = "ahead of" if offset > 0 else "behind"
        problem = f"Nova's clock is {abs(offset):.0f} s {direction} this controller's"
        yield Finding("clocks", "this controller", WARNING, problem, "chronyc makestep; chronyc tracking")
