# SPDX-License-Identifier: Apache-2.0
"""The runtime folder of a resource: what the evacuator's process and the agent NovaEvacuate tell each other.

``/run/nova-ha/<resource instance>/`` holds

``pid``      process id and start time of the process, see `nova_ha.process`
``status``   line 1: ``ok`` or ``degraded``; line 2: one sentence for the admin. Rewritten in every cycle of
             the loop and touched after each call in it: its time of change is the loop's heartbeat
``lock``     locked by the process as long as it lives: there is never a second one
``output``   what the process printed, above all why it died

/run is empty after a boot, and so are these. The agent's monitor imports this module: it needs ``os`` only.
"""

from __future__ import annotations

import os

from nova_ha import process

OK, DEGRADED = "ok", "degraded"

_BASE = "/run/nova-ha"


class RunDirectory:
    """The runtime folder of one resource."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.pid = f"{path}/pid"
        self.status = f"{path}/status"
        self.lock = f"{path}/lock"
        self.output = f"{path}/output"

    def make(self) -> None:
        """Create it, for root's eyes only. Idempotent."""
        os.makedirs(self.path, mode=0o700, exist_ok=True)

    def write_pid(self) -> None:
        """Remember this process."""
        process.write_pid_file(self.pid, os.getpid())

    def living(self) -> int | None:
        """Return the id of the remembered process, if it lives."""
        return process.living(self.pid)

    def write_status(self, word: str, sentence: str) -> None:
        """Say how the loop is, which is its heartbeat as well.

        Args:
            word: `OK` or `DEGRADED`.
            sentence: what an admin reads in ``pcs status``; line breaks become blanks.
        """
        process.write_atomically(self.status, f"{word}\n{' '.join(sentence.split())}\n")

    def touch_status(self) -> None:
        """Say that the loop lives, and how it is has not changed."""
        try:
            os.utime(self.status)
        except FileNotFoundError:
            pass

    def read_status(self) -> tuple[str, str, float] | None:
        """Return word, sentence and time of change (epoch seconds) of the status; None when there is none."""
        try:
            with open(self.status, encoding="utf-8", errors="replace") as file:
                word, _, sentence = file.read().partition("\n")
                return word.strip(), sentence.strip(), os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return None

    def forget(self) -> None:
        """Remove what says that a process runs. Idempotent."""
        for path in (self.pid, self.status):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


def base() -> str:
    """Return the folder of all runtime folders; tests set NOVA_HA_RUN."""
    return os.environ.get("NOVA_HA_RUN") or _BASE


def of_instance(instance: str) -> RunDirectory:
    """Return the runtime folder of a resource, such as ``nova-evacuate`` or ``nova-compute:0``."""
    return RunDirectory(f"{base()}/{instance.replace('/', '_') or 'default'}")
