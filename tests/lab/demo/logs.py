# SPDX-License-Identifier: Apache-2.0
"""Read the logs of the controllers as they grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.lab.demo.timeline import (
    Event,
    Line,
    evacuator_event,
    iso_line,
    nova_api_event,
    pacemaker_event,
    pacemaker_line,
    verified_server,
)


@dataclass
class GrowingFile:
    """A log file that a node writes; a power cycle of the node does not empty it."""

    path: Path
    _offset: int = 0
    _rest: bytes = b""

    def new_lines(self) -> list[str]:
        """Return the whole lines that were added since the last call; none while there is no file."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in whole]

    def skip(self) -> None:
        """Go to the end."""
        self.new_lines()


@dataclass
class News:
    """What a reading of the logs brought: stages, and when which servers were verified."""

    events: list[Event] = field(default_factory=list)
    verified: list[tuple[float, str]] = field(default_factory=list)


class ControllerLogs:
    """pacemaker.log and the evacuator's log of every controller, and the log of nova-api.

    Args:
        folder: the folder of the lab's logs.
        controllers: names of the controllers.
    """

    def __init__(self, folder: Path, controllers: Iterable[str]) -> None:
        self._pacemaker = {
            name: GrowingFile(folder / name / "pacemaker" / "pacemaker.log") for name in controllers
        }
        self._evacuator = {
            name: GrowingFile(folder / name / "nova-ha" / "evacuator.log") for name in controllers
        }
        self._nova_api = GrowingFile(folder / "nova-api.log")

    def skip(self) -> None:
        """Leave out what has been written up to now."""
        for file in (*self._pacemaker.values(), *self._evacuator.values(), self._nova_api):
            file.skip()

    def read(self, since: float, homes: dict[str, str], services: dict[str, str]) -> News:
        """Return what is new in the logs.

        Args:
            since: epoch seconds; older lines are of no interest.
            homes: server id to the node it was on before the hit.
            services: id of a nova-compute service to its host.
        """
        events: list[Event | None] = [pacemaker_event(line) for line in self._pacemaker_lines()]
        events += [nova_api_event(line, services) for line in self._nova_api_lines()]
        evacuator = list(self._evacuator_lines())
        events += [evacuator_event(line, homes) for line in evacuator]
        news = News(sorted((e for e in events if e and e.at >= since), key=lambda event: event.at))
        news.verified = [(line.at, server) for line in evacuator if (server := verified_server(line))]
        return news

    def _pacemaker_lines(self) -> Iterator[Line]:
        year = datetime.now().astimezone().year
        for controller, file in self._pacemaker.items():
            for raw in file.new_lines():
                # Of thousands of lines a few are about compute nodes.
                if "compute-" in raw and (line := pacemaker_line(f"{controller}: pacemaker.log", raw, year)):
                    yield line

    def _evacuator_lines(self) -> Iterator[Line]:
        for controller, file in self._evacuator.items():
            for raw in file.new_lines():
                if line := iso_line(f"{controller}: evacuator.log", raw):
                    yield line

    def _nova_api_lines(self) -> Iterator[Line]:
        for raw in self._nova_api.new_lines():
            if "os-services" in raw and (line := iso_line("nova-api.log", raw)):
                yield line

    def tail_of_evacuators(self, count: int) -> list[str]:
        """Return the last lines of every evacuator's log, for a person who must find out what went wrong."""
        return [
            f"{controller}: {line}"
            for controller, file in self._evacuator.items()
            if file.path.exists()
            for line in file.path.read_text(errors="replace").splitlines()[-count:]
        ]
