# SPDX-License-Identifier: Apache-2.0
"""nova-compute as a plain process: the way to run it where nothing but Pacemaker looks after it.

Whoever drives it otherwise (a unit, a container) needs the same three: is it running, start it, stop it.
"""

from __future__ import annotations

import os
import time

from nova_ha import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nova_ha.runner import Identity

_POLL = 0.1
#: Variable in the environment of what was started: it tells our own from what a unit or a person has started.
_MARK = "NOVA_HA_RESOURCE"
_INTERPRETERS = ("python", "sh", "bash", "dash")


class PlainProcess:
    """A service that is one process, with workers of the same name perhaps.

    Args:
        pid_file: where it is remembered.
        program: path of what it runs; the name of the program is part of its command line.
        instance: name of the resource.
    """

    def __init__(self, pid_file: str, program: str, instance: str) -> None:
        self._pid_file = pid_file
        self._instance = instance
        self._name = os.path.basename(program)

    def running(self) -> int | None:
        """Return its process id; None when it does not run. Costs three small reads."""
        pid = process.living(self._pid_file)
        return pid if pid is not None and self._is_ours(process.command_line(pid)) else None

    def was_started(self) -> bool:
        """Say whether it is remembered, alive or not."""
        return process.read_pid_file(self._pid_file) is not None

    def others(self) -> tuple[int, ...]:
        """Return processes of the same program that are not remembered: a unit's, a person's, our own."""
        known = self.running()
        return tuple(pid for pid in process.find(self._runs_program) if pid != known)

    def is_own(self, pid: int) -> bool:
        """Say whether a process was started for this resource."""
        return f"{_MARK}={self._instance}" in process.environment(pid)

    def adopt(self, pid: int) -> None:
        """Remember a process."""
        os.makedirs(os.path.dirname(self._pid_file), mode=0o700, exist_ok=True)
        process.write_pid_file(self._pid_file, pid)

    def start(
        self, command: tuple[str, ...], output: str, identity: Identity | None, must_survive: float
    ) -> str | None:
        """Start it and watch it for a while; return why it did not survive, None when it did.

        Raises:
            CommandFailed: it could not be started.
        """
        from pathlib import Path

        from nova_ha.runner import start_daemon

        begin = os.path.getsize(output) if os.path.exists(output) else 0
        launched = start_daemon(command, Path(output), identity=identity, extra={_MARK: self._instance})
        self.adopt(launched.pid)
        deadline = time.monotonic() + must_survive
        while time.monotonic() < deadline:
            if launched.poll() is not None:
                self._forget()
                return f"exit status {launched.returncode}{_last_line(output, begin)}"
            time.sleep(_POLL)
        return None

    def stop(self, patience: float) -> tuple[int, ...]:
        """End it, its workers, and what an agent has started and forgotten; return those that live even so.

        Guests are other programs, even if nova-compute has started them, and are left alone.
        """
        pid = self.running()
        family = {*(() if pid is None else (pid,)), *(other for other in self.others() if self.is_own(other))}
        left = process.end(family, patience)
        if not left:
            self._forget()
        return left

    def _is_ours(self, arguments: tuple[str, ...]) -> bool:
        """Say whether a command line is that of the program; a process title may have replaced it."""
        return any(self._name in argument for argument in arguments)

    def _runs_program(self, arguments: tuple[str, ...]) -> bool:
        """Say whether the program itself runs, directly or by an interpreter."""
        names = [os.path.basename(argument) for argument in arguments[:2]]
        return names[:1] == [self._name] or (names[1:] == [self._name] and names[0].startswith(_INTERPRETERS))

    def _forget(self) -> None:
        try:
            os.unlink(self._pid_file)
        except FileNotFoundError:
            pass


def _last_line(path: str, begin: int) -> str:
    """Return the last line that was written to a file since it had that size, to be added to a sentence."""
    with open(path, "rb") as file:
        file.seek(begin)
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else f", without a word in {path}"
