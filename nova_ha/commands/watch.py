# SPDX-License-Identifier: Apache-2.0
"""Watch a recovery that somebody else does, and tell what is new."""

from __future__ import annotations

from typing import Callable

from nova_ha.commands.progress import DONE, EVACUATING, FAILED, ServerProgress
from nova_ha.commands.status import StatusGatherer
from nova_ha.commands.status_report import HostStatus, Report
from nova_ha.commands.workplace import Workplace
from nova_ha.errors import ClusterError

#: Between two looks, seconds.
_EVERY = 2.0


def watch_until(work: Workplace, is_over: Callable[[], bool]) -> None:
    """Tell what is new until it is over."""
    gatherer, told = StatusGatherer(work.here), _Told(work.here.say)
    while True:
        report = gatherer.look()
        for host in report.hosts:
            if host.host == work.target.host:
                told.host(host)
        told.evacuators(report)
        try:
            if is_over():
                return
        except ClusterError as error:
            told.once(f"attention: {error}")
        work.here.clock.sleep(_EVERY)


class _Told:
    """Remembers what has been told."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last: dict[str, str] = {}

    def once(self, text: str, about: str = "") -> None:
        """Tell it, unless it is what was told last about the same thing."""
        if self._last.get(about) != text:
            self._last[about] = text
            self._say(text)

    def host(self, host: HostStatus) -> None:
        """Tell what is new about a host and its servers."""
        for server in host.servers or ():
            if server.phase in (EVACUATING, DONE, FAILED):
                self.once(f"  {_line(server)}", server.id)
        self.once(f"{host.host}: {host.sentence or host.state}", host.host)

    def evacuators(self, report: Report) -> None:
        """Tell when nobody is at work."""
        for evacuator in report.evacuators:
            if evacuator.node is None:
                self.once(
                    f"attention: {evacuator.resource} runs nowhere, so nothing happens: "
                    f"pcs resource enable {evacuator.resource}",
                    evacuator.resource,
                )


def _line(server: ServerProgress) -> str:
    where = {EVACUATING: " to ", DONE: " on "}.get(server.phase, " ")
    place = f"{where}{server.destination}" if server.destination else ""
    fault = f": {server.fault}" if server.fault else ""
    return f"server {server.name} ({server.id}): {server.phase}{place}{fault}"
