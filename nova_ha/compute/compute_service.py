# SPDX-License-Identifier: Apache-2.0
"""What the ways to run nova-compute share: its process is remembered, found, and watched.

`plain_process`, `systemd_unit` and `container` are these ways. The monitor imports this module: it needs
``os`` only.
"""

from __future__ import annotations

import os

from nova_ha import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nova_ha.compute.launch import Launch

_INTERPRETERS = ("python", "sh", "bash", "dash")


class ComputeService:
    """nova-compute, however it is run.

    Args:
        pid_file: where its main process is remembered.
        program: path of nova-compute; the name of the program is part of its command line.
        instance: name of the resource.
    """

    #: Where nova-compute says why it has ended, as part of a sentence.
    last_words = ""

    def __init__(self, pid_file: str, program: str, instance: str) -> None:
        self._pid_file = pid_file
        self._instance = instance
        #: Name of the program.
        self.name = os.path.basename(program)

    def running(self) -> int | None:
        """Return the id of its main process; None when it does not run. Costs a few small reads."""
        pid = process.living(self._pid_file)
        return pid if pid is not None and self._is_main(pid) else None

    def was_started(self) -> bool:
        """Say whether a process is remembered, alive or not."""
        return process.read_pid_file(self._pid_file) is not None

    def others(self) -> tuple[int, ...]:
        """Return processes of the same program that are not remembered: a unit's, a person's, our own.

        Those in containers, too, if they have this machine's network, as installers of OpenStack have it: one
        in a network of its own, such as a test environment's, is another host's.
        """
        known = self.running()
        family = () if known is None else process.family(known)
        found = (pid for pid in process.find(self.runs_program, containers=True) if pid not in family)
        return tuple(pid for pid in found if not process.is_apart(pid) or process.shares_network(pid))

    def is_own(self, pid: int) -> bool:
        """Say whether a process belongs to this service, though it may not be remembered."""
        raise NotImplementedError

    def adopt(self, pid: int) -> None:
        """Remember a process."""
        os.makedirs(os.path.dirname(self._pid_file), mode=0o700, exist_ok=True)
        process.write_pid_file(self._pid_file, pid)

    def forget(self) -> None:
        """Remember no process. Idempotent."""
        try:
            os.unlink(self._pid_file)
        except FileNotFoundError:
            pass

    def start(self, launch: Launch) -> str | None:
        """Start it and watch it for a while; return why it did not survive, None when it did.

        Raises:
            CommandFailed: it could not be started.
        """
        raise NotImplementedError

    def stop(self, patience: float) -> tuple[int, ...]:
        """End it; return the processes of it that live even so.

        Args:
            patience: seconds that it has to end by itself before it is killed.
        """
        raise NotImplementedError

    def why_unsafe(self) -> str | None:
        """Return what else on this node would start it, past all checks, and how to mend that; else None."""
        return None

    def runs_program(self, arguments: tuple[str, ...]) -> bool:
        """Say whether a command line is that of the program itself, run directly or by an interpreter."""
        names = [os.path.basename(argument) for argument in arguments[:2]]
        return names[:1] == [self.name] or (names[1:] == [self.name] and names[0].startswith(_INTERPRETERS))

    def _is_main(self, pid: int) -> bool:
        """Say whether a process that has the remembered id and start time is the one that was meant."""
        raise NotImplementedError
