# SPDX-License-Identifier: Apache-2.0
"""From the command line to the modules that do the work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Callable

from nova_ha.commands.surroundings import Surroundings

#: Between two reports of ``status --watch``, seconds.
WATCH_EVERY = 2.0

LOG_FILE = Path("/var/log/nova-ha/nova-ha.log")

#: Clears a terminal and puts the cursor into its upper left corner.
_CLEAR = "\033[H\033[2J"


def status(here: Surroundings, line: argparse.Namespace) -> int:
    """Show how things are, once or again and again."""
    from nova_ha.commands.status import BLIND, StatusGatherer
    from nova_ha.commands.status_text import as_json, as_text

    gatherer = StatusGatherer(here)
    while True:
        report = gatherer.look()
        if line.json:
            here.say(as_json(report, is_line=line.watch))
        else:
            here.say((_CLEAR if line.watch and sys.stdout.isatty() else "") + as_text(report))
        if not line.watch:
            return BLIND if report.is_blind else 0
        sys.stdout.flush()
        here.clock.sleep(WATCH_EVERY)


def doctor(here: Surroundings, line: argparse.Namespace) -> int:
    """Check the deployment."""
    from nova_ha.commands.doctor import UNKNOWN, as_json, as_text, examine, exit_status
    from nova_ha.commands.doctor_facts import Gatherer
    from nova_ha.pacemaker.standalone_cluster import StandaloneCluster

    if here.is_compute_node:
        print(f"nova-ha: {here.machine} is a compute node: run doctor on a controller", file=sys.stderr)
        return UNKNOWN
    if here.is_blindfolded:
        print(f"nova-ha: {here.cluster_problem}", file=sys.stderr)
        return UNKNOWN
    ledger = StandaloneCluster(here.storage / "hosts")
    gatherer = Gatherer(
        here.runner, here.clock, here.open_account, lambda: here.settings, here.sources, ledger
    )
    facts = gatherer.facts(here.configuration, here.cluster_problem)
    findings = examine(facts)
    here.say(as_json(facts, findings) if line.json else as_text(facts, findings))
    return exit_status(facts, findings)


def evacuate(here: Surroundings, line: argparse.Namespace) -> int:
    """Recover a host."""
    from nova_ha.commands.evacuate import evacuate

    _log_to_file(here)
    return evacuate(here, line.host, line.confirm_host_is_off or "", take_over=line.take_over)


def return_host(here: Surroundings, line: argparse.Namespace) -> int:
    """Bring a host back into service."""
    from nova_ha.commands.return_host import return_host

    _log_to_file(here)
    return return_host(here, line.host)


def disable(here: Surroundings, line: argparse.Namespace) -> int:
    """Keep new servers off a host."""
    from nova_ha.commands.service import disable

    return disable(here, line.host, line.reason, force=line.force)


def enable(here: Surroundings, line: argparse.Namespace) -> int:
    """Let new servers on a host."""
    from nova_ha.commands.service import enable

    return enable(here, line.host, force=line.force)


def install_agents(here: Surroundings, line: argparse.Namespace) -> int:
    """Link a virtual environment to where Pacemaker looks."""
    from nova_ha.commands.install_agents import install_agents

    return install_agents(here, line.prefix, uninstall=line.uninstall)


def _log_to_file(here: Surroundings) -> None:
    """Log beside the evacuator's log, if this account may."""
    from nova_ha.evacuator_main import log_to

    try:
        log_to(LOG_FILE, debug="verbose" in here.given)
    except OSError as error:
        here.say(f"not logged to {LOG_FILE}: {error.strerror}")


Subcommand = Callable[[Surroundings, argparse.Namespace], int]

SUBCOMMANDS: Mapping[str, Subcommand] = {
    "status": status,
    "doctor": doctor,
    "evacuate": evacuate,
    "return": return_host,
    "disable": disable,
    "enable": enable,
    "install-agents": install_agents,
}
