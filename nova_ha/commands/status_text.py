# SPDX-License-Identifier: Apache-2.0
"""The report of ``nova-ha status`` as text for people, and as JSON for programs. No effects."""

from __future__ import annotations

import json
from collections.abc import Iterator

from nova_ha.clock import format_time, parse_time
from nova_ha.commands.progress import ServerProgress, summary
from nova_ha.commands.status_report import HostStatus, PastRecovery, Report
from nova_ha.commands.text import duration, table
from nova_ha.model import Service

_HEAD = ("HOST", "PACEMAKER", "NOVA", "STATE")
_SERVERS = ("SERVER", "PHASE", "HOST", "SINCE", "NAME")
_PAST = ("HOST", "FENCED", "TOOK", "SERVERS", "BY")


def as_text(report: Report) -> str:
    """Return the report for people."""
    return "\n".join(_lines(report))


def as_json(report: Report, *, is_line: bool = False) -> str:
    """Return the report for programs, in one line where several follow one another."""
    shown = {
        "time": format_time(report.now),
        "pacemaker": report.pacemaker,
        "nova": report.nova,
        "controllers": [{"name": node.name, "online": node.online} for node in report.controllers],
        "evacuators": [evacuator.as_json() for evacuator in report.evacuators],
        "hosts": [host.as_json() for host in report.hosts],
        "recoveries": [past.as_json() for past in report.past],
        "unreadable": list(report.unreadable),
    }
    return json.dumps(shown, indent=None if is_line else 2)


def _lines(report: Report) -> Iterator[str]:
    yield from _head(report)
    yield ""
    yield from table(_HEAD, (_row(host) for host in report.hosts))
    for host in report.hosts:
        if host.node is not None and host.node.fenced:
            yield from _recovery(host, report.now)
    if report.past:
        yield ""
        yield "last recoveries in this machine's journal"
        yield from table(_PAST, (_past(past) for past in report.past), indent="  ")


def _head(report: Report) -> Iterator[str]:
    online = sum(1 for node in report.controllers if node.online)
    of_all = f", {online} of {len(report.controllers)} controllers online" if report.controllers else ""
    yield f"Pacemaker: {report.pacemaker}{of_all}"
    yield f"Nova: {report.nova}"
    for evacuator in report.evacuators:
        where = f"on {evacuator.node}" if evacuator.node else "runs nowhere"
        complaint = f", degraded: {evacuator.complaint}" if evacuator.complaint else ""
        yield f"evacuator: {evacuator.resource} {where}{complaint}"
    for problem in report.unreadable:
        yield f"hosts are missing below: {problem}"


def _row(host: HostStatus) -> tuple[str, str, str, str]:
    node = host.node
    pacemaker = "-" if node is None else ("online" if node.online else "offline")
    return host.host, pacemaker, _nova(host.service), host.sentence or host.state


def _nova(service: Service | None) -> str:
    if service is None:
        return "-"
    if not service.is_known:
        return "cell down"
    parts = ["forced down" if service.forced_down else service.state or "unknown"]
    if service.status == "disabled":
        parts.append(
            "disabled" if service.is_ours else f"disabled by an operator ({service.disabled_reason or '-'})"
        )
    return ", ".join(parts)


def _recovery(host: HostStatus, now: float) -> Iterator[str]:
    """Yield what is known about the recovery of a host."""
    node = host.node
    if node is None:
        return
    began = parse_time(node.fenced_at or "")
    ago = f", {duration(now - began)} ago" if began is not None else ""
    word = f"; off on the word of {host.on_whose_word}" if host.on_whose_word else ""
    yield ""
    yield f"{host.host}: fenced {node.fenced_at}{ago}{word}"
    if not node.recovery_is_open:
        yield "  its servers are recovered; it is not back in service yet"
    elif host.servers is None:
        yield "  Nova does not tell how far its servers are"
    else:
        yield f"  {summary(host.servers)}"
        yield from table(_SERVERS, (_server(server, now) for server in host.servers), indent="  ")


def _server(server: ServerProgress, now: float) -> tuple[str, str, str, str, str]:
    since = parse_time(server.since or "")
    took = duration(now - since) if since is not None else ""
    phase = server.phase if server.attempts < 2 else f"{server.phase} ({server.attempts} attempts)"  # noqa: PLR2004
    name = f"{server.name}: {server.fault}" if server.fault else server.name
    return server.id, phase, server.destination or "", took, name


def _past(past: PastRecovery) -> tuple[str, str, str, str, str]:
    fenced = parse_time(past.fenced_at)
    took = duration(past.ended - fenced) if past.ended is not None and fenced is not None else "not complete"
    return past.host, past.fenced_at, took, past.summary, past.by
