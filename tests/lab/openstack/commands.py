# SPDX-License-Identifier: Apache-2.0
"""The subcommands of `python -m tests.lab` that are about OpenStack."""

from __future__ import annotations

import argparse
import sys
import time

from tests.lab.lab import Lab

from . import names, tables
from .audit_status import AuditStatus
from .client import POLICIES, STATES
from .hypervisor.control import KINDS, Failure, change


def boot(lab: Lab, arguments: argparse.Namespace) -> None:
    """Boot servers and print them."""
    client = lab.openstack.client
    group = client.create_group(arguments.prefix, arguments.group) if arguments.group else None
    booted = client.boot(
        arguments.count, host=arguments.host, prefix=arguments.prefix, state=arguments.state,
        flavor=arguments.flavor, group=group,
    )  # fmt: skip
    print(tables.servers_table(booted))


def servers(lab: Lab, arguments: argparse.Namespace) -> None:
    """Print all servers, or delete them."""
    if arguments.delete:
        lab.openstack.client.delete_all()
    print(tables.servers_table(lab.openstack.client.servers(arguments.host)))


def services(lab: Lab, _arguments: argparse.Namespace) -> None:
    """Print Nova's services."""
    print(tables.services_table(lab.openstack.client.services()))


def migrations(lab: Lab, _arguments: argparse.Namespace) -> None:
    """Print Nova's migration records."""
    print(tables.migrations_table(lab.openstack.client.migrations()))


def control_plane(lab: Lab, arguments: argparse.Namespace) -> None:
    """Stop or start one service, or print which run."""
    openstack = lab.openstack
    if arguments.action == "stop":
        openstack.stop(arguments.name, kill=arguments.kill)
    elif arguments.action == "start":
        openstack.start(arguments.name)
    running = (
        (name, "running" if openstack.is_running(name) else "stopped") for name in openstack.runner.services
    )
    print(tables.table(("Service", "Condition"), running))


def audit(lab: Lab, _arguments: argparse.Namespace) -> None:
    """Print what the auditor found; exit status 0 if clean, 1 if not, 2 if the auditor cannot tell."""
    status = lab.openstack.audit()
    print(audit_text(status))
    sys.exit(0 if status.clean else 1 if status.findings else 2)


def audit_text(status: AuditStatus) -> str:
    """Return the auditor's answer for a person."""
    if not status.time:
        return "auditor: has not reported yet"
    age = time.time() - status.time
    doubt = "" if status.alive else f"; it is SILENT since {age:.0f} s"
    if not status.nova_time:
        doubt += "; it has never seen Nova's database"
    counts = f"{status.copies} live guests, {status.servers} servers in Nova, {len(status.findings)} findings"
    head = f"auditor: {counts}{doubt}"
    found = sorted(status.findings, key=lambda finding: finding.since)
    rows = [
        (time.strftime("%H:%M:%S", time.localtime(one.since)), one.kind.value, one.uuid, one.text)
        for one in found
    ]
    return f"{head}\n{tables.table(('Since', 'What', 'Server', 'Text'), rows)}" if rows else head


def spawn_time(lab: Lab, arguments: argparse.Namespace) -> None:
    """Set how long every spawn takes from now on."""
    change(lab.openstack.nodes.shared, lambda _seconds, rules: (arguments.seconds, rules))


def fail_spawn(lab: Lab, arguments: argparse.Namespace) -> None:
    """Let spawns fail, or stop that."""
    new = [] if arguments.match is None else [
        Failure(arguments.match, arguments.kind, arguments.count, arguments.seconds)
    ]  # fmt: skip
    change(lab.openstack.nodes.shared, lambda seconds, rules: (seconds, [*rules, *new] if new else []))


def add_subcommands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add everything about OpenStack to the lab's command line."""
    _add_boot(commands)
    _add_lists(commands)
    _add_faults(commands)


add_commands = add_subcommands


def _add_boot(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("boot", help="boot servers, onto a host and into a state if you like")
    parser.add_argument("count", type=int, nargs="?", default=1, help="how many (default 1)")
    parser.add_argument("--host", help="compute-N; without it the scheduler decides")
    parser.add_argument("--prefix", default="vm", help="of their names (default vm)")
    parser.add_argument("--state", choices=STATES, default="ACTIVE", help="default ACTIVE")
    parser.add_argument("--flavor", choices=tuple(names.FLAVORS), default="tiny",
                        help="local: the disk is on its compute node alone")  # fmt: skip
    parser.add_argument("--group", choices=POLICIES, help="put them into a new server group with this policy")
    parser.set_defaults(run=boot)


def _add_lists(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = commands.add_parser("servers", help="list servers with status, task, host and power state")
    listing.add_argument("--host", help="only those of this compute node")
    listing.add_argument("--delete", action="store_true", help="delete all servers first")
    listing.set_defaults(run=servers)
    commands.add_parser("services", help="list Nova's services").set_defaults(run=services)
    commands.add_parser("migrations", help="list Nova's migration records").set_defaults(run=migrations)
    commands.add_parser(
        "audit", help="what the auditor found: exit status 0 clean, 1 not, 2 unknown"
    ).set_defaults(run=audit)
    plane = commands.add_parser("service", help="list, stop or start services of the control plane")
    plane.add_argument("action", nargs="?", choices=("list", "stop", "start"), default="list")
    plane.add_argument(
        "name", nargs="?", help="mariadb, rabbitmq, keystone, nova-api, ...; all without a name"
    )
    plane.add_argument("--kill", action="store_true", help="stop with SIGKILL")
    plane.set_defaults(run=control_plane)


def _add_faults(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    spawn = commands.add_parser("spawn-time", help="set how many seconds each spawn takes (at first 2)")
    spawn.add_argument("seconds", type=float)
    spawn.set_defaults(run=spawn_time)
    kinds = "; ".join(f"{kind}: {text}" for kind, text in KINDS.items())
    fail = commands.add_parser("fail-spawn", help="let spawns fail; without MATCH, all succeed again")
    fail.add_argument("match", nargs="?", help="pattern for the server's name, its uuid, or the host")
    fail.add_argument("--kind", choices=tuple(KINDS), default="before", help=kinds)
    fail.add_argument("--count", type=int, default=-1, help="how many spawns (default: all)")
    fail.add_argument(
        "--seconds", type=float, default=30.0, help="how much longer a slow one takes (default 30)"
    )
    fail.set_defaults(run=fail_spawn)
