# SPDX-License-Identifier: Apache-2.0
"""Measure the monitors of both agents against a Python that does nothing, in turn: all meet the same load."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nova_ha import process
from nova_ha.agents.rundir import OK, RunDirectory

_CHECKOUT = Path(__file__).resolve().parent.parent
_PYTHON = "/usr/bin/python3"
_NOTHING = "python3 -c pass"
_COMMANDS = {
    _NOTHING: (_PYTHON, "-c", "pass"),
    "NovaEvacuate": (str(_CHECKOUT / "agents" / "NovaEvacuate"), "monitor"),
    "NovaCompute": (str(_CHECKOUT / "agents" / "NovaCompute"), "monitor"),
}


@dataclass(frozen=True)
class Monitors:
    """Medians of the CPU time of one run, seconds, by agent; and of a Python that does nothing."""

    nothing: float
    agents: dict[str, float]

    def times(self, agent: str) -> float:
        """Return how many times more than nothing a monitor takes."""
        return self.agents[agent] / self.nothing


def measure(repetitions: int) -> Monitors:
    """Run the monitors of two healthy resources, each that many times."""
    seconds: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    with tempfile.TemporaryDirectory() as folder, _running_service() as pid:
        environments = {name: _environment(name, Path(folder), pid) for name in _COMMANDS}
        # The first round fills the caches.
        for repetition in range(repetitions + 1):
            for name, command in _COMMANDS.items():
                taken = _cpu_seconds(command, environments[name])
                seconds[name] += [taken] if repetition else []
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    return Monitors(nothing=medians.pop(_NOTHING), agents=medians)


@contextmanager
def _running_service() -> Iterator[int]:
    """Run a process that lives as long as this is needed; yield its id."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as service:
        yield service.pid


def _environment(name: str, folder: Path, pid: int) -> dict[str, str]:
    """Return the variables of an action, for a resource whose process runs."""
    directory = RunDirectory(str(folder / name))
    directory.make()
    process.write_pid_file(directory.pid, pid)
    directory.write_status(OK, "")
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(_CHECKOUT),
        "NOVA_HA_RUN": str(folder),
        "OCF_RESOURCE_INSTANCE": name,
        "OCF_RESKEY_binary": "/bin/cat",
        "OCF_RESKEY_CRM_meta_timeout": "30000",
        "OCF_ROOT": "/usr/lib/ocf",
    }


def _cpu_seconds(command: tuple[str, ...], environment: Mapping[str, str]) -> float:
    """Run a command, and return its CPU time.

    Raises:
        RuntimeError: it did not succeed, so that its time would mean nothing.
    """
    pid = os.posix_spawn(command[0], command, environment)
    _, status, used = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(f"{command[0]}: exit status {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime
