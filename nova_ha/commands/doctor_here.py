# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` checks about this machine: the agents are here. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator

from nova_ha.commands.facts import Facts
from nova_ha.commands.finding import ERROR, Finding


def programs(facts: Facts) -> Iterator[Finding]:
    """Each agent is in its place, is nova-ha's, and tells its metadata."""
    for program in facts.programs:
        if program.problem:
            yield Finding("agents", program.path, ERROR, program.problem, _fix(program.path))
        elif not program.is_ours:
            problem = "it is another package's agent of the same name, not nova-ha's"
            yield Finding(
                "agents", program.path, ERROR, problem, f"dpkg --search {program.path}; {_fix(program.path)}"
            )


def _fix(path: str) -> str:
    look = "-o metadata" if "fence" in path else "meta-data"
    return f"apt-get install --reinstall nova-ha (or: dnf reinstall nova-ha); {path} {look}"
