# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about this machine: the agents are here. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator

from nova_ha.commands.facts import Facts, Program
from nova_ha.commands.finding import ERROR, Finding


def programs(facts: Facts) -> Iterator[Finding]:
    """Each agent is in its place, is nova-ha's, and tells its metadata."""
    for program in facts.programs:
        problem = program.problem
        if problem is None and not program.is_ours:
            problem = "it is another package's agent of the same name, not nova-ha's"
        if problem is not None:
            yield Finding("agents", program.path, ERROR, problem, _fix(program))


def _fix(program: Program) -> str:
    look = "-o metadata" if "fence" in program.path else "meta-data"
    return f"{program.reinstall} && {program.path} {look}"
