# SPDX-License-Identifier: Apache-2.0
"""Tables for the terminal, in the style of the openstack command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .client import Server


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows below a head, each column as wide as its widest word."""
    lines = [tuple(head), *(tuple("-" if word in {None, ""} else str(word) for word in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join(texts)


def servers_table(servers: Iterable[Server]) -> str:
    """Return what `openstack server list --long` would show."""
    rows = ((one.id, one.name, one.status, one.task, one.host, one.power) for one in servers)
    return table(("ID", "Name", "Status", "Task", "Host", "Power"), rows)


def services_table(services: Iterable[dict[str, Any]]) -> str:
    """Return what `openstack compute service list --long` would show, with forced_down."""
    fields = ("binary", "host", "status", "state", "forced_down", "updated_at", "disabled_reason")
    rows = ([service.get(field) for field in fields] for service in services)
    return table(("Binary", "Host", "Status", "State", "Forced down", "Updated at", "Disabled reason"), rows)


def migrations_table(migrations: Iterable[dict[str, Any]]) -> str:
    """Return what `openstack server migration list` would show."""
    fields = (
        "id",
        "instance_uuid",
        "migration_type",
        "status",
        "source_compute",
        "dest_compute",
        "updated_at",
    )
    rows = ([migration.get(field) for field in fields] for migration in migrations)
    return table(("ID", "Server", "Type", "Status", "Source", "Destination", "Updated at"), rows)
