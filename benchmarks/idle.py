# SPDX-License-Identifier: Apache-2.0
"""Measure an evacuator that has nothing to do: ``python3 -m benchmarks.idle SECONDS``.

A process with the loop, the real clients of Nova and the real adapter to Pacemaker runs in real time.
``cibadmin`` is the real one, on a configuration in a file instead of a cluster's; the tools that need a
running cluster are replaced by a process that does nothing. Another process watches.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.cloud_process import CloudProcess, Size, Wire
from benchmarks.recovery import SETTINGS
from nova_ha.agents.rundir import OK, RunDirectory
from nova_ha.clock import SystemClock
from nova_ha.decisions.policy import Policy
from nova_ha.evacuation.dispatch import ThreadDispatcher
from nova_ha.evacuation.evacuator import Evacuator
from nova_ha.evacuation.journal import FileJournal
from nova_ha.evacuator_main import Loop, StatusFile, log_to
from nova_ha.openstack.credentials import open_session
from nova_ha.openstack.nova import NovaClient
from nova_ha.pacemaker.cluster import Pacemaker
from nova_ha.runner import Result, SystemRunner

_CHECKOUT = Path(__file__).resolve().parent.parent
_SIZE = Size(failing=0, servers_each=0, healthy=30)
#: Between two looks of the watcher; a tool of Pacemaker lives for about 20 ms.
_WATCH_EVERY = 0.01
#: Exit status of Pacemaker's tools for what does not exist.
_NO_SUCH = 105


@dataclass(frozen=True)
class Idle:
    """What an idle evacuator takes.

    Attributes:
        seconds: how long it was watched.
        cpu_seconds: CPU time in these, of its children too.
        children: processes that it started in these.
        peak_mib: the most resident memory that it and its children had at once; what they share counts twice.
    """

    seconds: float
    cpu_seconds: float
    children: int
    peak_mib: float

    @property
    def cpu_percent(self) -> float:
        """Return the share of a core."""
        return 100.0 * self.cpu_seconds / self.seconds


def measure_undisturbed(seconds: float, percent: float, times: int = 3) -> Idle:
    """Watch an idle evacuator until it took at most that share of a core, at most so many times.

    The least CPU time of all counts, and the most memory: a machine only adds to what something costs. Where
    memory that was not used for seconds is reclaimed (DAMON), the same evacuator took from 0.6% to
    2.5% of a core, for the page faults after each sleep.
    """
    found = [measure(seconds)]
    while found[-1].cpu_percent > percent and len(found) < times:
        found.append(measure(seconds))
    least = min(found, key=lambda idle: idle.cpu_percent)
    return replace(least, peak_mib=max(idle.peak_mib for idle in found))


def measure(seconds: float) -> Idle:
    """Watch an idle evacuator for that long."""
    command = [sys.executable, "-m", "benchmarks.idle", str(seconds)]
    with subprocess.Popen(command, cwd=_CHECKOUT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        if process.stdout is None:
            raise RuntimeError("the idle evacuator has no output")
        simulation = int(process.stdout.readline())
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _memory_mib(process.pid, without=simulation))
            time.sleep(_WATCH_EVERY)
        return Idle(peak_mib=peak, **json.loads(process.stdout.readline()))


class _OfflineRunner:
    """Runs ``cibadmin`` for real; in place of the tools that need a cluster, a process that does nothing."""

    def __init__(self) -> None:
        self._runner = SystemRunner()
        self.started = 0

    def run(self, *command: str, timeout: float = 30.0) -> Result:
        """Run a command to its end."""
        self.started += 1
        if command[0] == "cibadmin":
            return self._runner.run(*command, timeout=timeout)
        done = self._runner.run("true", timeout=timeout)
        return Result(command, _NO_SUCH, "", done.stderr, done.seconds)


def _idle(seconds: float, folder: Path) -> dict[str, float]:
    """Be an idle evacuator for that long; return what it took."""
    cib = folder / "cib.xml"
    cib.write_text(_configuration(), encoding="utf-8")
    os.environ["CIB_file"] = str(cib)  # noqa: SIM112 - Pacemaker's name of it
    runner, clock = _OfflineRunner(), SystemClock()
    cluster = Pacemaker(runner, clock, str(cib))
    with CloudProcess(_SIZE, "") as cloud:
        print(cloud.pid, flush=True)
        loop = Loop(_evacuator(cluster, cloud, clock, folder), cluster, clock)
        begin, cpu, started = time.monotonic(), _cpu_seconds(), runner.started
        threading.Timer(seconds, loop.stop).start()
        loop.run()
        _require_health(folder)
        return {
            "seconds": time.monotonic() - begin,
            "cpu_seconds": _cpu_seconds() - cpu,
            "children": runner.started - started,
        }


def _require_health(folder: Path) -> None:
    """Raise when the evacuator was not idle but in trouble: that costs something else."""
    status = RunDirectory(str(folder / "run")).read_status()
    if status is None or status[0] != OK:
        raise RuntimeError(f"the evacuator was not idle: {status}")


def _evacuator(cluster: Pacemaker, cloud: CloudProcess, clock: SystemClock, folder: Path) -> Evacuator:
    access = open_session(SETTINGS)
    for session in (access.session, access.actions):
        session.session.mount("http://", Wire(cloud, clock))
    log_to(folder / "evacuator.log", debug=False)
    status = RunDirectory(str(folder / "run"))
    status.make()
    return Evacuator(
        nova=NovaClient(access),
        cluster=cluster,
        clock=clock,
        journal=FileJournal(folder / "journal", clock),
        policy=Policy(),
        dispatcher=ThreadDispatcher(),
        owner="controller-0",
        status=StatusFile(status),
    )


def _configuration() -> str:
    """Return the configuration of a cluster of three controllers and the compute nodes.

    Without a schema: in a cluster pacemaker-based checks it, not ``cibadmin``, which has 12 MiB there as it
    has here, and 18 MiB when it has to read the schemas (2.1.5).
    """
    controllers = "".join(f'<node id="{n + 1}" uname="controller-{n}"/>' for n in range(3))
    computes = "".join(f'<node id="{host}" uname="{host}" type="remote"/>' for host in _SIZE.hosts)
    states = "".join(
        f'<node_state id="{n + 1}" uname="controller-{n}" in_ccm="true" crmd="online" join="member"/>'
        for n in range(3)
    )
    states += "".join(
        f'<node_state id="{h}" uname="{h}" remote_node="true" in_ccm="true"/>' for h in _SIZE.hosts
    )
    return (
        '<cib crm_feature_set="3.16.1" validate-with="none" epoch="1" num_updates="0"'
        ' admin_epoch="0" have-quorum="1" dc-uuid="1">'
        f"<configuration><crm_config/><nodes>{controllers}{computes}</nodes><resources/><constraints/>"
        f"</configuration><status>{states}</status></cib>"
    )


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of the children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _memory_mib(pid: int, without: int) -> float:
    """Return the resident memory of a process and its children, but for one."""
    program, resident = _program_and_mib(pid)
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    found = [_program_and_mib(int(child)) for child in children if int(child) != without]
    # Until a new process runs its own program it has its parent's memory, not a copy (vfork).
    return resident + sum(mib for name, mib in found if name != program)


def _program_and_mib(pid: int) -> tuple[str, float]:
    """Return what a process runs, and its resident memory; nothing when it has ended.

    The program first: it may be exchanged between the two looks, and its parent's memory must not be taken
    for the new one's (4% of the looks at short-lived children, when the memory came first).
    """
    try:
        program = str(Path(f"/proc/{pid}/exe").readlink())
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "", 0.0
    return program, next(
        (float(line.split()[1]) / 1024.0 for line in lines if line.startswith("VmRSS:")), 0.0
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(_idle(float(sys.argv[1]), Path(place))))
