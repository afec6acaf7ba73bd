# SPDX-License-Identifier: Apache-2.0
"""Time as a port, so that tests run on a virtual clock."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """What the rest of nova-ha may know about time."""

    def now(self) -> float:
        """Return the time of day, seconds since the epoch, UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, for durations and deadlines."""

    def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the time of day, seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""
        time.sleep(max(0.0, seconds))


def format_time(seconds: float) -> str:
    """Return a time of day as people and records write it: ``2026-11-22T06:40:12Z``."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> float | None:
    """Return the epoch seconds of an ISO time (naive means UTC, as Nova writes it), or None."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()
