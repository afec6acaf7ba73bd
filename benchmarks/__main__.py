# SPDX-License-Identifier: Apache-2.0
"""Measure what nova-ha costs, against its goals: ``python3 -m benchmarks [--quick] [--json FILE]``.

Recoveries run on a simulated Nova whose evacuations take 3 s however many there are, and whose answers take
20 ms; time is virtual in them, CPU time and memory are real. The ideal is a recovery that keeps
`max_in_flight` evacuations under way from the first request to the last arrival, the last round included.
Exit status 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks import goals, idle, monitors
from benchmarks.cloud_process import Size
from benchmarks.goals import Row
from benchmarks.recovery import Cost

_CHECKOUT = Path(__file__).resolve().parent.parent

FULL = {
    "1 host x 500 servers": Size(failing=1, servers_each=500, healthy=40),
    "40 hosts x 50 servers at once": Size(failing=40, servers_each=50, healthy=40),
    "1 of 1,000 hosts, 50 servers on each": Size(
        failing=1, servers_each=50, healthy=999, servers_elsewhere=50
    ),
}
#: Large enough to show a cost that grows with the square of something.
QUICK = {
    "1 host x 300 servers": Size(failing=1, servers_each=300, healthy=20),
    "10 hosts x 40 servers at once": Size(failing=10, servers_each=40, healthy=20),
}


def main(arguments: list[str]) -> int:
    """Measure everything, and return 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure what nova-ha costs.")
    parser.add_argument("--quick", action="store_true", help="smaller clouds, fewer repetitions")
    parser.add_argument("--json", metavar="FILE", type=Path, help="where to write the results")
    options = parser.parse_args(arguments)
    rows = []
    for row in _rows(quick=options.quick):
        print(row.line, flush=True)
        rows.append(row)
    if options.json:
        results = [{**asdict(row), "verdict": row.verdict} for row in rows]
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    missed = sum(row.verdict == "FAIL" for row in rows)
    print(f"{sum(row.verdict == 'PASS' for row in rows)} goals reached, {missed} missed")
    return int(goals.has_failed(rows))


def _rows(*, quick: bool) -> Iterator[Row]:
    """Measure one thing after the other."""
    for subject, size in (QUICK if quick else FULL).items():
        yield from goals.recovery_rows(subject, _recovery(size))
    yield from goals.idle_rows(idle.measure_undisturbed(8.0 if quick else 30.0, goals.IDLE_CPU_PERCENT))
    yield from goals.monitor_rows(monitors.measure(15 if quick else 60))


def _recovery(size: Size) -> Cost:
    """Measure a recovery in a fresh process, so that its memory is its own."""
    numbers = (size.failing, size.servers_each, size.healthy, size.servers_elsewhere)
    command = [sys.executable, "-m", "benchmarks.recovery", *map(str, numbers)]
    done = subprocess.run(command, cwd=_CHECKOUT, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return Cost(**json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
