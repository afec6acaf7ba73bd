# SPDX-License-Identifier: Apache-2.0
"""The log of everything that happens in a simulated world, in virtual seconds."""

from __future__ import annotations

import logging
import re

from nova_ha.clock import parse_time
from nova_ha.testing.clock import EPOCH, VirtualClock

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME_OF_DAY = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")


class EventLog:
    """Lines of the form ``  12.300 nova         evacuate of web-1 accepted``."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._names: dict[str, str] = {}
        self.lines: list[str] = []

    def name(self, identifier: str, name: str) -> None:
        """Show a name wherever an identifier would appear."""
        self._names[identifier] = name

    def add(self, source: str, text: str) -> None:
        """Add a line."""
        self.lines.append(f"{self._clock.monotonic():9.3f} {source:<12} {self.readable(text)}")

    def text(self) -> str:
        """Return the whole log."""
        return "".join(line + "\n" for line in self.lines)

    def matching(self, text: str) -> list[str]:
        """Return the lines that contain a text."""
        return [line for line in self.lines if text in line]

    def readable(self, text: str) -> str:
        """Return a text with names instead of identifiers and virtual seconds instead of times of day."""
        for identifier in _UUID.findall(text):
            name = self._names.get(identifier, identifier)
            # The product writes "web-1 (UUID)".
            text = text.replace(f"{name} ({identifier})", name).replace(identifier, name)
        return _TIME_OF_DAY.sub(lambda found: _virtual(found.group(0)), text)


def _virtual(time_of_day: str) -> str:
    moment = parse_time(time_of_day)
    return time_of_day if moment is None else f"T+{moment - EPOCH:g}"


class LogHandler(logging.Handler):
    """Puts what the product logs into the event log."""

    def __init__(self, log: EventLog, source: str = "nova-ha") -> None:
        super().__init__(logging.INFO)
        self._log = log
        self._source = source

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line for a log record, its level only when it is not information."""
        level = "" if record.levelno <= logging.INFO else record.levelname.lower() + ": "
        self._log.add(self._source, level + record.getMessage())
