# SPDX-License-Identifier: Apache-2.0
"""nova-compute as a plain process: the way to run it where nothing but Pacemaker looks after it."""

from __future__ import annotations

import os
import time

from nova_ha import process
from nova_ha.compute.compute_service import ComputeService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nova_ha.compute.launch import Launch

_POLL = 0.1
#: Variable in the environment of what was started: it tells our own from what a unit or a person has started.
_MARK = "NOVA_HA_RESOURCE"


class PlainProcess(ComputeService):
    """A service that is one process, with workers of the same name perhaps.

    Args:
        pid_file: see `ComputeService`.
        program: see `ComputeService`.
        instance: see `ComputeService`.
        output: file to which its output is appended.
    """

    def __init__(self, pid_file: str, program: str, instance: str, output: str) -> None:
        super().__init__(pid_file, program, instance)
        self.last_words = output

    def is_own(self, pid: int) -> bool:
        """Say whether a process was started for this resource."""
        return f"{_MARK}={self._instance}" in process.environment(pid)

    def start(self, launch: Launch) -> str | None:
        """Start it and watch it; see `ComputeService.start`."""
        from pathlib import Path

        from nova_ha.runner import start_daemon

        output = launch.output
        os.makedirs(os.path.dirname(output), exist_ok=True)
        begin = os.path.getsize(output) if os.path.exists(output) else 0
        mark = {_MARK: self._instance}
        launched = start_daemon(launch.command, Path(output), identity=launch.identity, extra=mark)
        self.adopt(launched.pid)
        deadline = time.monotonic() + launch.survival
        while time.monotonic() < deadline:
            if launched.poll() is not None:
                self.forget()
                return f"exit status {launched.returncode}{_last_line(output, begin, launch.log)}"
            time.sleep(_POLL)
        return None

    def stop(self, patience: float) -> tuple[int, ...]:
        """End it, its workers, and what an agent has started and forgotten; return those that live even so.

        Guests are other programs, even if nova-compute has started them, and are left alone.
        """
        pid = self.running()
        known = () if pid is None else (pid,)
        left = process.end({*known, *filter(self.is_own, process.find(self.runs_program))}, patience)
        if not left:
            self.forget()
        return left

    def why_unsafe(self) -> str | None:
        """Return which unit systemd would start at boot as well."""
        from nova_ha.compute import units

        return units.why_unsafe(units.KNOWN)

    def _is_main(self, pid: int) -> bool:
        """Say whether the program runs; a process title may have replaced its command line."""
        return any(self.name in argument for argument in process.command_line(pid))


def _last_line(path: str, begin: int, log: str | None) -> str:
    """Return the last line that was written to a file since it had that size, to be added to a sentence.

    When there is none: where else to look.
    """
    with open(path, "rb") as file:
        file.seek(begin)
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    if lines:
        return f": {lines[-1].strip()}"
    return f", without a word in {path}" if log is None else f"; look at {log}"
