# SPDX-License-Identifier: Apache-2.0
"""What nova-ha may cost, and how a measurement is held against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.idle import Idle
from benchmarks.monitors import Monitors
from benchmarks.recovery import Cost

REQUESTS_PER_SERVER = 2.5
CPU_SECONDS_PER_1000_SERVERS = 5.0
PEAK_MIB = 150.0
TIMES_THE_IDEAL = 1.05
IDLE_CPU_PERCENT = 2.0
IDLE_MIB = 60.0
TIMES_NOTHING = 2.0


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured where, and the most that it may be; None: any."""

    subject: str
    what: str
    value: float
    unit: str = ""
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """Return ``PASS``, ``FAIL``, or nothing."""
        if self.goal is None:
            return ""
        return "PASS" if self.value <= self.goal else "FAIL"

    @property
    def line(self) -> str:
        """Return the row as a line of text."""
        goal = "" if self.goal is None else f"at most {self.goal:g}"
        shown = f"{self.value:.3f} {self.unit}"
        return f"{self.subject:41} {self.what:36} {shown:>14}  {goal:12} {self.verdict}".rstrip()


def recovery_rows(subject: str, cost: Cost) -> list[Row]:
    """Return what a recovery took."""
    requests = sum(cost.requests.values())
    lost = cost.servers - cost.evacuated + len(cost.wrong)
    return [
        Row(subject, "servers lost, or moved wrongly", lost, goal=0),
        Row(subject, "HTTP requests to Nova per server", requests / cost.servers, "", REQUESTS_PER_SERVER),
        Row(
            subject,
            "CPU per 1,000 servers",
            1000.0 * cost.cpu_seconds / cost.servers,
            "s",
            CPU_SECONDS_PER_1000_SERVERS,
        ),
        Row(subject, "peak memory", cost.peak_mib, "MiB", PEAK_MIB),
        Row(subject, "time, as multiple of the ideal", cost.seconds / cost.ideal, "", TIMES_THE_IDEAL),
        Row(subject, "from the record to the first request", cost.until_first_request, "s"),
    ]


def idle_rows(idle: Idle) -> list[Row]:
    """Return what an idle evacuator takes."""
    subject = "idle, children counted"
    return [
        Row(subject, "CPU of a core", idle.cpu_percent, "%", IDLE_CPU_PERCENT),
        Row(subject, "peak memory", idle.peak_mib, "MiB", IDLE_MIB),
    ]


def monitor_rows(monitors: Monitors) -> list[Row]:
    """Return what the monitors take."""
    what = f"CPU, multiple of {1000 * monitors.nothing:.1f} ms"
    return [
        Row(f"monitor of {agent} : python3 -c pass", what, monitors.times(agent), "", TIMES_NOTHING)
        for agent in monitors.agents
    ]


def has_failed(rows: Iterable[Row]) -> bool:
    """Say whether a goal was missed."""
    return any(row.verdict == "FAIL" for row in rows)
