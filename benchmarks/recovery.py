# SPDX-License-Identifier: Apache-2.0
"""Measure whole recoveries: ``python3 -m benchmarks.recovery FAILING SERVERS HEALTHY ELSEWHERE``.

The process that does this is the evacuator: its loop, its decisions, its journal on disk, its log, the real
clients of Nova. Only time is virtual, Nova is in another process, and Pacemaker is a table in memory (what
its tools cost is measured in `benchmarks.idle`).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.cloud_process import EVACUATION_SECONDS, CloudProcess, Size, Wire
from nova_ha.clock import format_time
from nova_ha.decisions.policy import Policy
from nova_ha.evacuation.dispatch import THREADS
from nova_ha.evacuation.evacuator import Evacuator
from nova_ha.evacuation.journal import FileJournal
from nova_ha.evacuator_main import Loop, log_to
from nova_ha.openstack.credentials import open_session
from nova_ha.openstack.nova import NovaClient
from nova_ha.testing.clock import EPOCH, VirtualClock
from nova_ha.testing.cluster import SimulatedCluster
from nova_ha.testing.dispatcher import ActorDispatcher
from nova_ha.testing.event_log import EventLog
from nova_ha.testing.http_nova import CREDENTIALS, KEYSTONE

#: Virtual second at which the hosts are fenced: the evacuator has been idle until then.
_FENCED = 10.0
#: A recovery that takes longer than this many times the ideal has gone wrong.
_PATIENCE = 4.0
SETTINGS = {
    "auth_url": f"{KEYSTONE}/v3",
    "username": CREDENTIALS[0],
    "password": CREDENTIALS[1],
    "project_name": "admin",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}


class _Clock(VirtualClock):
    """Never stands still: it counts microseconds, and whoever waits for a fraction of one waits for ever."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass, at least two microseconds."""
        super().sleep(max(seconds, 2e-6))


@dataclass(frozen=True)
class Cost:
    """What a recovery took.

    Attributes:
        servers: servers that were to be evacuated.
        evacuated: servers that are on another host.
        closed: recoveries that the evacuator has closed.
        requests: HTTP requests to Nova, by kind.
        cpu_seconds: CPU time of the evacuator's process from the fencing to its end, of all its threads.
        peak_mib: the most memory that the process ever had (VmHWM).
        until_first_request: virtual seconds from the record to the first evacuation.
        seconds: virtual seconds from the first evacuation to the last arrival.
        ideal: as few seconds as that can take.
        wrong: what must never have happened.
    """

    servers: int
    evacuated: int
    closed: int
    requests: dict[str, int]
    cpu_seconds: float
    peak_mib: float
    until_first_request: float
    seconds: float
    ideal: float
    wrong: list[str]


def measure(size: Size) -> Cost:
    """Let hosts fail, and return what their recovery took."""
    clock = _Clock(limit=float("inf"))
    fenced_at = format_time(EPOCH + _FENCED)
    with CloudProcess(size, fenced_at) as cloud, tempfile.TemporaryDirectory() as folder:
        wire = Wire(cloud, clock)
        cluster = SimulatedCluster(clock, EventLog(clock))
        for host in size.hosts:
            cluster.add_node(host, is_remote=True)
        loop = _loop(clock, wire, cluster, Path(folder))
        clock.spawn(loop.run)
        clock.run_until(_FENCED)
        wire.requests.clear()
        begin = time.process_time()
        _recover(clock, cluster, size, fenced_at)
        cpu_seconds = time.process_time() - begin
        report = cloud.ask("report")
        clock.close()
    return Cost(
        servers=size.servers,
        evacuated=report.evacuated,
        closed=size.failing - _open(cluster),
        requests=dict(Counter(map(_kind, wire.requests))),
        cpu_seconds=cpu_seconds,
        peak_mib=_peak_mib(),
        until_first_request=report.first_request - _FENCED,
        seconds=report.last_arrival - report.first_request,
        ideal=ideal_seconds(size),
        wrong=report.wrong,
    )


def ideal_seconds(size: Size) -> float:
    """Return how long a recovery takes that keeps as many evacuations under way as the policy allows.

    The last round may have fewer servers than the others; it takes as long.
    """
    rounds = -(-size.servers // Policy().max_in_flight)
    return rounds * EVACUATION_SECONDS


def _loop(clock: VirtualClock, wire: Wire, cluster: SimulatedCluster, folder: Path) -> Loop:
    """Return the evacuator's loop, made of what its process is made of."""
    access = open_session(SETTINGS)
    for session in (access.session, access.actions):
        session.session.mount("http://", wire)
    # Before any request: two actors must not wait for each other's token.
    access.session.get_token()
    log_to(folder / "evacuator.log", debug=False)
    evacuator = Evacuator(
        nova=NovaClient(access),
        cluster=cluster,
        clock=clock,
        journal=FileJournal(folder / "journal", clock),
        policy=Policy(),
        dispatcher=ActorDispatcher(clock, THREADS),
        owner="controller-0",
    )
    return Loop(evacuator, cluster, clock)


def _recover(clock: VirtualClock, cluster: SimulatedCluster, size: Size, fenced_at: str) -> None:
    """Record all failing hosts at once, as ``fence_compute`` does; let time pass until they are evacuated."""
    for host in size.failing_hosts:
        cluster.nodes[host] = replace(cluster.nodes[host], online=False)
        clock.spawn(partial(cluster.write_record, host, fenced_at))
    end = _FENCED + _PATIENCE * ideal_seconds(size) + 60.0
    clock.sleep(1.0)
    while _open(cluster) and clock.monotonic() < end:
        clock.sleep(1.0)


def _open(cluster: SimulatedCluster) -> int:
    return sum(1 for node in cluster.nodes.values() if node.recovery_is_open)


def _kind(request: str) -> str:
    """Return method and kind of resource of a request."""
    method, _, path = request.partition(" ")
    parts = path.partition("?")[0].strip("/").split("/")
    return f"{method} {'/'.join(part for part in parts[1:] if '-' not in part or part.startswith('os-'))}"


def _peak_mib() -> float:
    """Return the most resident memory that this process ever had."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024.0


if __name__ == "__main__":
    print(json.dumps(asdict(measure(Size(*map(int, sys.argv[1:5]))))))
