# SPDX-License-Identifier: Apache-2.0
"""Background processes of the fabric: each has a name and a log file, and dies with the fabric."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.layout import BASE_ENVIRONMENT

#: Seconds until a process that is ending is gone.
_ENDING = 5.0


class Background:
    """Start, watch and end named processes."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> int:
        """Start `argv` in a session of its own, logged to NAME.log; return its process id in the fabric."""
        with self._lock:
            old = self._processes.get(name)
            if old is not None and not _has_ended(old):
                raise LabError(f"process '{name}' runs already (pid {old.pid} in the fabric)")
            with (self._logs / f"{name}.log").open("ab") as output:
                process = subprocess.Popen(
                    list(argv),
                    env={**BASE_ENVIRONMENT, **(env or {})},
                    cwd=cwd,
                    start_new_session=True,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            self._processes[name] = process
            return process.pid

    def exit_status(self, name: str) -> int | None:
        """Return the exit status of a process, None while it runs."""
        return self._named(name).poll()

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a process and to what it started."""
        process = self._named(name)
        if process.poll() is None:
            os.killpg(process.pid, number)

    def stop(self, name: str) -> None:
        """Kill a process, if it runs, and wait until it is gone."""
        process = self._processes.get(name)
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _named(self, name: str) -> subprocess.Popen[bytes]:
        if name not in self._processes:
            raise LabError(
                f"no process '{name}' was started in the fabric; there are: {sorted(self._processes)}"
            )
        return self._processes[name]


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Say whether a process has ended.

    One that was killed looks dead to whoever killed it as soon as its main thread is a zombie; it cannot be
    waited for before its last thread is gone (nova-api under load: seen).
    """
    try:
        process.wait(_ENDING)
    except subprocess.TimeoutExpired:
        return False
    return True
